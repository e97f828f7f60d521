"""benchmarks/duet.py: both ways side by side, and a machine that does not bear duets is said."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sentinel.lab.run.trial_record import LATENCY, Outcome, Plan
from sentinel.lab.trials.duets import rules
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

BENCHMARKS = Path(__file__).parents[4] / "benchmarks"


@pytest.fixture
def duet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the benchmarks' folder, which is no package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("duet")
    sys.modules.pop("duet", None)


def rounds(ratios: list[float], label: str) -> list[Outcome]:
    """Both legs of as many rounds, of which the new one takes so many times the CPU."""
    plan = Plan(0, LATENCY, "old", "optimised", LoadSettings(rate=100.0))
    collected = []
    for repeat, ratio in enumerate(ratios):
        for name, cost in (("old", 2.0), (label, 2.0 * ratio)):
            told = Plan(0, LATENCY, name, "optimised", plan.load, repeat=repeat)
            collected.append(Outcome(told, valid=True, cpu_us=cost))
    return collected


def test_the_gain_is_the_ratio_of_standard_errors(duet: Any) -> None:
    """Rounds that vary a tenth as much give the same ratio and about ten times the gain; without them, a dash."""
    wide = [1.1 * 1.1**n for n in (-3, -2, -1, 0, 0, 1, 2, 3)]
    narrow = [1.1 * 1.1 ** (n / 10) for n in (-3, -2, -1, 0, 0, 1, 2, 3)]
    ways = [duet.estimates(rounds(ratios, "itself"), "itself") for ratios in (wide, narrow, [])]
    assert [1.1, 1.1] == [pytest.approx(way["cpu_us"].ratio) for way in ways[:2]]
    assert "10.0" == duet.gain(ways[0]["cpu_us"], ways[1]["cpu_us"])
    assert "–" == duet.gain(ways[0]["cpu_us"], ways[2].get("cpu_us"))
    (row,) = [line for line in duet.table(dict(zip(duet.WAYS, ways, strict=False))) if "cpu_us" in line]
    assert row.startswith("| cpu_us | 1.100 | ")
    assert row.endswith(" | 10.0 |")


def test_a_saturated_duet_is_counted_but_does_not_count(duet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of its legs reaches the ratios, and the page says why."""
    monkeypatch.setattr(rules, "saturated", lambda _: "too hot")
    bench = duet.Bench(None, None, None, LoadSettings(rate=100.0))
    assert [] == bench.counting(rounds([1.0], "itself"))
    lines = list(duet.page(bench, "", 1))
    assert f"0 of {len(duet.COMPARISONS)} duets count, 1 saturated the machine." in lines
    assert "- too hot" == lines[-1]


@pytest.mark.timeout(120)
def test_it_runs(
    duet: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A round in both ways makes the page that it prints and writes, with its command and every measure."""
    words = ["--stack", "embedded", "--rounds", "1", "--rate", "300", "--duration", "1", "--write"]
    monkeypatch.setattr(sys, "argv", ["benchmarks/duet.py", *words])
    monkeypatch.setattr(duet, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(duet, "COMPARISONS", {"itself": "optimised"})
    monkeypatch.setattr(rules, "saturated", lambda _: "")  # as a busy machine may be here
    assert 0 == duet.main()
    text = (tmp_path / "page.md").read_text()
    assert text == capsys.readouterr().out
    assert f"python benchmarks/duet.py {' '.join(words)}" in text
    assert "1 of 1 duets count, 0 saturated the machine." in text
    assert [1] * len(duet.MEASURES) == [text.count(f"| {measure} |") for measure in duet.MEASURES]
