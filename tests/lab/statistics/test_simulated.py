"""The simulation behind docs/measurements-verdicts.md: its noise is what it says, its page what the command prints."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sentinel.lab.statistics.rounds import sequential, settling
from sentinel.lab.statistics.rounds.decision import decide
from sentinel.lab.statistics.rounds.estimates import PAIRED
from sentinel.lab.statistics.rounds.floor import floor

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the benchmarks' folder, which is no package."""
    monkeypatch.syspath_prepend(BENCHMARKS)
    yield importlib.import_module("simulated")
    for name in ("simulated", "judged"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("kind", ["lognormal", "heavy-tailed", "skewed"])
def test_noise_is_as_wide_as_it_says(simulated: Any, kind: str) -> None:
    """Values vary by the level given, and the trials of a round share as much of the variance as is said."""
    new, old = simulated.Cell(kind, 0.1, shared=0.5, truth=2.0).draw(np.random.default_rng(1), 1, 40_000)
    assert np.log(old).std() == pytest.approx(0.1, rel=0.05)
    assert np.corrcoef(np.log(new[0]), np.log(old[0, :, 0]))[0, 1] == pytest.approx(0.5, abs=0.05)
    assert np.log(new).mean() - np.log(old).mean() == pytest.approx(np.log(2), abs=0.01)


def test_a_drift_runs_through_the_whole_session(simulated: Any) -> None:
    """From the first trial to the last all values rise by one factor, in the order in which trials take place."""
    new, old = simulated.Cell("lognormal", 1e-9, drift=simulated.DRIFT).draw(np.random.default_rng(1), 1, 4)
    trials = np.column_stack((new[0], old[0]))
    trials[1::2] = trials[1::2, ::-1]
    assert np.allclose(np.geomspace(1, simulated.DRIFT, 12), trials.ravel())


@pytest.mark.parametrize(
    ("rounds", "how"), [(12, {"shared": 0.5}), (12, {"drift": True}), (8, {}), (4, {"shared": 0.5})]
)
def test_many_experiments_are_judged_as_one_is(simulated: Any, rounds: int, how: dict[str, Any]) -> None:
    """The intervals, methods, rounds and words of a batch are those of the lab, one experiment after the other."""
    judged, collected = importlib.import_module("judged"), []
    new, old = simulated.Cell("lognormal", 0.04, truth=1.08, **how).draw(np.random.default_rng(3), 40, rounds)
    plan = sequential.plan(sequential.announced(rounds), simulated.LEGS)
    for a, b in zip(new, old, strict=True):
        looks = (plan.estimate(a[:n], b[:n]) for n in plan.looks)
        e = next(e for e in looks if settling.narrow(e) or e.rounds == rounds)
        word = decide(e, floor(b[: e.rounds], e.method, e.legs), higher_is_better=False)
        collected.append((e.rounds, e.method, word.word if word.settled else judged.OPEN, e.low, e.high, e.coverage))
    batch = judged.automatic(new, old)
    assert [f[0] for f in collected] == batch.rounds.tolist()
    assert [f[1] == PAIRED for f in collected] == batch.paired.tolist()
    assert [f[2] for f in collected] == batch.words(old)
    assert np.allclose(
        [f[3:] for f in collected], np.column_stack((np.exp(batch.low), np.exp(batch.high), 1 - batch.missed))
    )


def test_the_bound_is_what_cohen_tables(simulated: Any) -> None:
    """A paired test of 12 rounds sees an effect of one standard deviation of the pairs in 88 of 100 experiments."""
    effect = np.log(simulated.EFFECT)
    cell = simulated.Cell("lognormal", effect / np.sqrt(1.5))
    assert simulated.bound(cell, 12, "paired") == pytest.approx(0.88, abs=0.01)
    assert simulated.bound(cell, 12, "paired") < simulated.bound(cell, 12, "unpaired") < 0.94


def test_the_page_is_what_the_command_prints() -> None:
    """A run with one experiment a cell prints the committed page's text, headings and rows, with other figures."""
    command = [sys.executable, str(BENCHMARKS / "verdicts.py"), "--experiments", "1"]
    printed = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    page = (ROOT / "docs" / "measurements-verdicts.md").read_text(encoding="utf-8")
    for kept in (printed, page):
        assert "1.3×" in kept
    assert _frame(page) == _frame(printed)


def _frame(page: str) -> list[str]:
    """Headings, and the first column of each table's rows."""
    return [
        line.split("|")[1] if line.startswith("|") else line for line in page.splitlines() if line[:1] in {"#", "|"}
    ]
