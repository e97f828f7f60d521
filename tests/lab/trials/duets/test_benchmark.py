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


@pytest.mark.timeout(150)
@pytest.mark.parametrize(("most", "count"), [(100.0, 2), (-1.0, 0)])
def test_it_runs(
    duet: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    most: float,
    count: int,
) -> None:
    """A round of each comparison both ways makes the page that it prints and writes; saturated duets do not count."""
    words = ["--stack", "embedded", "--rounds", "1", "--rate", "300", "--duration", "1", "--write"]
    monkeypatch.setattr(sys, "argv", ["benchmarks/duet.py", *words])
    monkeypatch.setattr(duet, "PAGE", tmp_path / "page.md")
    monkeypatch.setattr(rules, "MOST_BUSY", most)
    monkeypatch.setattr(duet, "COMPARISONS", {"itself": "optimised"} if not count else duet.COMPARISONS)
    assert 0 == duet.main()
    text = (tmp_path / "page.md").read_text()
    assert text == capsys.readouterr().out
    assert f"python benchmarks/duet.py {' '.join(words)}" in text
    assert f"{count} of {len(duet.COMPARISONS)} duets count" in text
    assert len(duet.COMPARISONS) * len(duet.MEASURES) == sum(text.count(f"| {measure} |") for measure in duet.MEASURES)
