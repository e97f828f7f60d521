"""How long a latency trial should be, from what varies within trials and between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab.run import series
from sentinel.lab.run.trial_record import WARM_UP
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.rounds.allocation import Allocation, allocate

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome

WINDOW = 1.0
"""Seconds of one of a trial's slices."""
SHORTEST, LONGEST = 2.0, 2.0
"""Seconds below which no trial is made shorter, and times DURATION beyond which none is made longer."""


def seconds(outcome: Outcome) -> float:
    """Measured seconds of a latency trial."""
    return outcome.plan.load.duration - WARM_UP


def slices(trial: Path, outcome: Outcome) -> list[float]:
    """A latency to the store's acknowledgement in each measured second of a latency trial.

    Args:
        trial: The trial's folder.
        outcome: What it found.

    Returns:
        p99 in ms where the messages of a second carry it, else p50; NaN in a second without a message.
    """
    lines, began = series.flow(trial), outcome.started + WARM_UP * 1e9
    tail = "p99" if tails.carried("p99", int(outcome.plan.load.rate * WINDOW)) else "p50"
    values = []
    for number in range(int(seconds(outcome) / WINDOW)):
        start, end = (began + (number + later) * WINDOW * 1e9 for later in (0, 1))
        recorder = series.histogram((line for line in lines if start < line["at"] <= end), "stored")
        values.append(recorder.quantile(series.QUANTILES[tail]) / 1e6 if len(recorder) else math.nan)
    return values


def allocation(trials: Sequence[Sequence[float]], fixed: float) -> Allocation | None:
    """Whether longer trials or more rounds buy more.

    Args:
        trials: The slices of each trial of one configuration, as `slices` gives them; those with a gap do not count.
        fixed: Seconds that a trial costs beside them.

    Returns:
        None where fewer than two trials have two slices or more.
    """
    whole = [trial for trial in trials if len(trial) > 1 and all(value > 0 for value in trial)]
    if len(whole) < 2:
        return None
    shortest = min(map(len, whole))
    return allocate([trial[:shortest] for trial in whole], window=WINDOW, fixed=max(fixed, 0.0))


def chosen(pilot: Allocation | None, given: float, rate: float) -> float:
    """Seconds that latency trials should take.

    Args:
        pilot: What a pilot says; None leaves them as they are.
        given: DURATION, s.
        rate: Of the load, msg/s.

    Returns:
        From `SHORTEST` to `LONGEST` times DURATION; never so short that a percentile is lost which DURATION carries.
    """
    if pilot is None or not pilot.advice:
        return given
    carried = [n for percentile, n in tails.NEEDED.items() if tails.carried(percentile, int(given * rate))]
    least = min(given, max([SHORTEST, *(math.ceil(n / rate) for n in carried)]))
    return min(max(pilot.best * pilot.window, least), LONGEST * given)
