"""What became of the gate's bounds: every round's ratio beside them, and the interval over all rounds.

A bound is broken only where the whole interval lies beyond it, so that noise alone breaks nothing.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.experiments.bench_check.record import (
    BROKEN,
    HOLDS,
    MARGINAL,
    MISSING,
    Answer,
    InvalidTrial,
    Row,
)
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import UNKNOWN, Ratio
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.rounds.estimates import logarithms, whole_rounds
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.bench_check.gate import Bound
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats


def judged(bounds: Sequence[Bound], outcomes: Sequence[Outcome]) -> Answer:
    """Hold every bound against the trials.

    Args:
        bounds: What had to come out.
        outcomes: All trials of the run, valid or not.

    Returns:
        A row for every bound, in order, and the invalid trials.
    """
    invalid = [InvalidTrial(o.plan.number, o.plan.kind, o.plan.label, o.problems) for o in outcomes if not o.valid]
    return Answer([(_quotient if bound.against else _count)(bound, outcomes) for bound in bounds], invalid)


def _count(bound: Bound, outcomes: Sequence[Outcome]) -> Row:
    values = measures(o for o in outcomes if o.plan.label == bound.of).get(bound.measure, [])
    seen = Ratio(statistics.median(values), None, None, len(values)) if values else UNKNOWN
    return Row(bound, seen, verdict(bound, seen))


def _quotient(bound: Bound, outcomes: Sequence[Outcome]) -> Row:
    """Both legs of an A/A control count."""
    new, old = (side(name, outcomes).get(bound.measure) for name in (bound.of, bound.against))
    if new is None or old is None:
        return Row(bound, UNKNOWN, MISSING)
    seen = compare.ratio_of(compare.estimated(new, old))
    return Row(bound, seen, verdict(bound, seen), sum(map(bound.keeps, by_round(new, old))))


def by_round(new: Floats, old: Floats) -> list[float]:
    """The ratio new ÷ old of each round by itself: of the geometric means of its legs.

    Args:
        new: Values of (rounds, legs); NaN is a failed trial.
        old: Values of the same rounds, in the same unit.

    Returns:
        A ratio for every round in which both sides have a value.
    """
    x, y = whole_rounds(logarithms(new), logarithms(old))
    return [float(ratio) for ratio in np.exp(np.nanmean(x, axis=1) - np.nanmean(y, axis=1))]


def verdict(bound: Bound, seen: Ratio) -> str:
    """The verdict on one bound, by where the interval lies, or the value where there is no interval.

    Args:
        bound: What had to come out.
        seen: What was measured: a quotient, or a count.

    Returns:
        `HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`.
    """
    if seen.value is None:
        return MISSING
    ends = {bound.keeps(end) for end in seen.interval or (seen.value,)}
    return MARGINAL if len(ends) > 1 else HOLDS if ends.pop() else BROKEN
