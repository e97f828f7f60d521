"""The sides of a comparison, out of trials: what each round measured of one configuration, and of its A/A leg. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.run.trial_record import CONTROL
from sentinel.lab.statistics.measures import column, comparable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats


def rounds(outcomes: Iterable[Outcome]) -> int:
    """How many rounds there are, by the repeats of their plans."""
    return max((o.plan.repeat + 1 for o in outcomes), default=0)


def side(name: str, outcomes: Sequence[Outcome]) -> dict[str, Floats]:
    """What every round measured of one configuration.

    Args:
        name: The configuration's label, or `HEADLINE`.
        outcomes: All trials of the run: their number of rounds is that of the run, so that both sides have it.

    Returns:
        By measure, values of (rounds, 1), or of (rounds, 2) where the configuration's A/A leg measured it too; NaN
        where a trial failed, or measured nothing above zero.
    """
    first, again = (_by_round(column(label, outcomes), rounds(outcomes)) for label in (name, name + CONTROL))
    return {measure: np.column_stack([v, again[measure]] if measure in again else [v]) for measure, v in first.items()}


def _by_round(trials: Sequence[Outcome], n: int) -> dict[str, Floats]:
    """One value a round by measure; which latencies count at all, all trials together decide."""
    kept = comparable(trials)
    values: dict[str, Floats] = {}
    for trial in trials:
        for measure, (value, *_) in comparable([trial]).items():
            if measure in kept and math.isfinite(value) and value > 0:
                values.setdefault(measure, np.full(n, math.nan))[trial.plan.repeat] = value
    return values
