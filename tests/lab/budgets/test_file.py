"""A file of budgets: what it says, and every fault in it as one line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sentinel.errors import SettingsError
from sentinel.lab import registry
from sentinel.lab.budgets import file
from sentinel.lab.budgets.bound import Bound
from sentinel.lab.budgets.requirements import require
from sentinel.lab.page.page import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

LATENCY = """
[[budgets]]
measure = "stored_p99"
configuration = "optimised"
at_most = "20.5 ms"
rounds = "3 of 4"
"""
RATIO = """
[[budgets]]
measure = "capacity_cpu_us"
configuration = "optimised"
against = "baseline"
at_least = "1_000x"
"""


def test_a_budget_is_read_with_its_unit(tmp_path: Path) -> None:
    """Numbers are in the measure's unit, or times of a ratio; a bound says itself in words."""
    (tmp_path / "b.toml").write_text(LATENCY + RATIO)
    first, second = file.load(tmp_path / "b.toml")
    assert Bound("stored_p99", "optimised", at_most=20.5, rounds=(3, 4)) == first
    assert ("Stored p99, optimised", "≤ 20.5 ms in 3 of 4 rounds") == (first.head, str(first))
    assert "CPU per message while draining, optimised ÷ baseline ≥ 1,000×" == f"{second.head} {second}"


@pytest.mark.parametrize(
    ("change", "to", "expected_text"),
    [
        ("[[budgets]]", "[[bounds]]", "bounds is no key of it: expected budgets"),
        (LATENCY, "", "has no budgets, so nothing could break: expected [[budgets]]"),
        (LATENCY, "budgets = [3]", "budget 1 is 3: expected a table"),
        ("at_most", "at_best", "at_best is no key (did you mean at_least?): expected measure, configuration, against"),
        ('"stored_p99"', '"stored_p100"', "'stored_p100' is no measure: expected capacity, "),
        ('"stored_p99"', '"capacty"', "(did you mean capacity?)"),
        ("20.5 ms", "20.5 s", "at_most = '20.5 s': expected its unit to be ms, found s"),
        ("20.5 ms", "20.5", "expected its unit to be ms, found none"),
        ("20.5 ms", "-1 ms", 'expected a number of 0 or more with its unit, such as "9 ms"'),
        ("20.5 ms", "nan ms", "expected a number of 0 or more with its unit"),
        ('"20.5 ms"', "20.5", 'at_most = 20.5: expected a text, such as "9 ms" or "75×"'),
        ("3 of 4", "5 of 4", "rounds = '5 of 4': expected \"n of m\" with n from 1 to m"),
        ("3 of 4", "0 of 4", 'expected "n of m" with n from 1 to m'),
        ("3 of 4", "most", 'expected "n of m" with n from 1 to m'),
        ('at_most = "20.5 ms"', "", "expected one of at_least and at_most, found neither"),
        ("rounds =", 'at_least = "1 ms"\nrounds =', "expected one of at_least and at_most, found at_least and at_most"),
        ('configuration = "optimised"', "", "has no configuration"),
        ('"stored_p99"', '"bytes_per_message"', "bytes_per_message is measured once: rounds cannot be asked for"),
        ("[[budgets]]", "[[budgets", "is no TOML: "),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where(tmp_path: Path, change: str, to: str, expected_text: str) -> None:
    """Each fault is one line that names the file, the budget and what is expected."""
    assert change in LATENCY
    path = tmp_path / "b.toml"
    path.write_text(LATENCY.replace(change, to, 1))
    with pytest.raises(SettingsError) as error:
        file.load(path)
    assert expected_text in str(error.value)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    """A path that leads nowhere, and a file of bytes, are errors that name it."""
    with pytest.raises(SettingsError, match=r"no budgets can be read from .*nowhere.toml: No such file"):
        file.load(tmp_path / "nowhere.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match=r"b.toml is no TOML"):
        file.load(tmp_path / "b.toml")


@pytest.mark.parametrize(
    ("notebook", "given", "bound", "expected_text"),
    [
        ("benchmark", {}, Bound("cpu_us", "best", at_most=1), "best is not measured: expected one of baseline, client"),
        ("benchmark", {"MEMRAY": False}, Bound("bytes_per_message", "optimised", at_most=1), "with MEMRAY=False"),
        ("benchmark", {}, Bound("capacity", "headline", at_least=1), "the headline's trials only offer a load"),
        ("benchmark", {}, Bound("lost", "headline", "optimised", at_most=1), "expected no `against`"),
        ("benchmark", {}, Bound("held", "optimised", at_least=1), "benchmark does not measure it"),
        ("benchmark", {}, Bound("cpu_us", "optimised", at_most=1, rounds=(5, 6)), "asks for 6 rounds: this run has 4"),
        ("sweep", {}, Bound("capacity", "optimised", at_least=1), "sweep does not measure it"),
        ("ablation", {}, Bound("stored_p99", "optimised", at_most=1), "ablation does not measure it"),
        ("live", {}, Bound("capacity", "optimised", at_least=1), "live does not measure it"),
        ("regression", {}, Bound("capacity", "optimised", at_least=1), "expected one of base, head"),
    ],
)
def test_a_run_that_cannot_answer_is_refused(
    tmp_path: Path, notebook: str, given: dict[str, Any], bound: Bound, expected_text: str
) -> None:
    """Before anything is started: a configuration, a measure or rounds that the run has not."""
    with pytest.raises(SettingsError) as error:
        require([bound], registry.experiment(notebook), given, tmp_path / "b.toml")
    assert str(error.value).startswith(f"{tmp_path / 'b.toml'}: budget 1 ({bound.measure} of {bound.of}): ")
    assert expected_text in str(error.value)


def test_what_a_run_measures_may_be_bounded() -> None:
    """Rounds not known beforehand are not refused; a sweep's highest rate and a watch's latencies may be bounded."""
    path = CHECKOUT / "docs" / "budgets.toml"
    require(file.load(path), registry.experiment("benchmark"), {}, path)
    often = [Bound("cpu_us", "optimised", at_most=1, rounds=(20, 30))]
    require(often, registry.experiment("benchmark"), {"REPEATS": "auto"}, path)
    require([Bound("held", "optimised", at_least=1)], registry.experiment("sweep"), {}, path)
    require([Bound("e2e_p50", "optimised", at_most=1)], registry.experiment("live"), {}, path)
