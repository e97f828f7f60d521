"""How long latency trials should be: from slices of what trials left, within bounds that lose no percentile."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sentinel.lab.run.trial_record import LATENCY, WARM_UP, Outcome, Plan
from sentinel.lab.statistics.rounds.allocation import LONGER, ROUNDS, Allocation
from sentinel.lab.trials.rounds import length
from sentinel.model.histogram import Recorder
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

START, SECOND = 1_700_000_000_000_000_000, 1_000_000_000


def left(folder: Path, rate: float, seconds: list[float | None]) -> Outcome:
    """A latency trial that left messages of so many ms in each measured second, after a slow warm-up."""
    lines = []
    for number, ms in enumerate([900.0, *seconds]):
        for half in (1, 2):
            recorder = Recorder()
            if ms is not None:
                recorder.record(np.full(int(rate / 2), ms * 1e6, dtype=np.int64))
            lines.append({"at": START + number * SECOND + half * SECOND // 2, "stored": recorder.to_dict()})
    (folder / "consumer").mkdir(parents=True)
    (folder / "consumer" / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    load = LoadSettings(rate=rate, duration=len(seconds) + WARM_UP)
    return Outcome(Plan(0, LATENCY, "x", "x", load), valid=True, started=START)


def test_a_slice_is_a_measured_second(tmp_path: Path) -> None:
    """The warm-up is in none, and a second without a message is a gap."""
    outcome = left(tmp_path, 100, [1.0, 2.0, None, 4.0])
    values = length.slices(tmp_path, outcome)
    assert [1.0, 2.0, 4.0] == pytest.approx([values[0], values[1], values[3]], rel=0.02)
    assert math.isnan(values[2])
    assert 4.0 == length.seconds(outcome)


@pytest.mark.parametrize(("rate", "expected"), [(200, 1.0), (1000, 50.0)])
def test_a_slice_is_told_by_the_tail_that_it_carries(tmp_path: Path, rate: int, expected: float) -> None:
    """Two in a hundred messages are slow: a second of 1,000 shows them as p99, one of 200 has its median only."""
    outcome = left(tmp_path, rate, [1.0])
    path = tmp_path / "consumer" / "intervals.jsonl"
    recorder = Recorder()
    recorder.record(np.array([1e6] * 98 + [50e6] * 2, dtype=np.int64))
    path.write_text(json.dumps({"at": START + 2 * SECOND, "stored": recorder.to_dict()}) + "\n")
    assert [expected] == pytest.approx(length.slices(tmp_path, outcome), rel=0.02)


def test_trials_with_a_gap_do_not_count() -> None:
    """Two whole trials are the least, of two seconds; they are compared over what the shortest has."""
    whole = [[1.0, 2.0, 3.0], [1.5, 2.5]]
    assert None is length.allocation([[1.0, math.nan], [1.0, 2.0]], fixed=3.0)
    assert None is length.allocation([[1.0], [2.0]], fixed=3.0)
    assert None is length.allocation([], fixed=3.0)
    assert (2, 3.0) == ((a := length.allocation([*whole, [1.0, math.nan]], fixed=3.0)) and (a.windows, a.fixed))


def pilot(best: int, windows: int = 6) -> Allocation:
    """What says that so many seconds are best: variances as Kalibera and Jones' formula has them."""
    between = 1.0
    return Allocation(between, between * best**2 / 3.0, windows, best, 1.0, 3.0)


@pytest.mark.parametrize(
    ("best", "rate", "expected"),
    [
        (2, 400.0, 2.0),
        (1, 150.0, 3.0),  # p99 takes 368 messages
        (1, 1000.0, 4.0),  # p99.9 takes 3,688
        (100, 1000.0, 12.0),  # twice DURATION at most
    ],
)
def test_the_length_stays_within_its_bounds(best: int, rate: float, expected: float) -> None:
    """From two seconds to twice DURATION, and a percentile that DURATION carries is not lost."""
    asked = pilot(best)
    assert asked.advice in {ROUNDS, LONGER}
    assert expected == length.chosen(asked, 6.0, rate)


def test_without_advice_the_length_stays() -> None:
    """No pilot, or one that finds the length right, changes nothing; nor does a shortest below DURATION's own."""
    assert "" == pilot(6).advice
    assert [6.0, 6.0, 1.0] == [
        length.chosen(None, 6.0, 1000.0),
        length.chosen(pilot(6), 6.0, 1000.0),
        length.chosen(pilot(1, windows=4), 1.0, 1000.0),
    ]
