"""What became of bounds: every round by itself beside them, and all rounds together. Pure.

Where a bound asks for so many rounds, these decide. Otherwise a quotient is broken only where its whole interval lies
beyond the bound, so that noise alone breaks nothing, and a value where its median does.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.budgets.record import BROKEN, HOLDS, MARGINAL, MISSING, BudgetAnswer, InvalidTrial, Row
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, LIVE, MEMORY, PROFILE
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import UNKNOWN, Ratio
from sentinel.lab.statistics.measures import column, comparable
from sentinel.lab.statistics.metrics import LATENCY as LATENCIES
from sentinel.lab.statistics.rounds.estimates import logarithms, whole_rounds
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.budgets.bound import Bound
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats


OF_MEMORY = {"bytes_per_message", "allocations_per_message"}
UNDER_LOAD = {"throughput", "lost", "cpu_us", "peak_rss_mb"}
"""Besides the latencies."""


def judged(
    bounds: Sequence[Bound],
    outcomes: Sequence[Outcome],
    looks: Mapping[str, Sequence[int]] | None = None,
    figures: Mapping[str, Mapping[str, float]] | None = None,
) -> BudgetAnswer:
    """Hold every bound against the trials.

    Args:
        bounds: What had to come out.
        outcomes: All trials of the run, valid or not. That a CPU profile could not be taken breaks nothing.
        looks: Where REPEATS was auto: the rounds at which looks were announced, by group of trials.
        figures: Values besides those of trials, by measure and configuration.

    Returns:
        A row for every bound, in order, and the invalid trials.
    """
    bad = [o for o in outcomes if not o.valid and o.plan.kind != PROFILE]
    invalid = [InvalidTrial(o.plan.number, o.plan.kind, o.plan.label, o.problems) for o in bad]
    return BudgetAnswer([_judged(bound, outcomes, looks or {}, figures or {}) for bound in bounds], invalid)


def _judged(
    bound: Bound,
    outcomes: Sequence[Outcome],
    looks: Mapping[str, Sequence[int]],
    figures: Mapping[str, Mapping[str, float]],
) -> Row:
    if (own := figures.get(bound.measure)) is not None:
        return _figure(bound, own)
    return _quotient(bound, outcomes, looks) if bound.against else _value(bound, outcomes)


def _figure(bound: Bound, values: Mapping[str, float]) -> Row:
    """Of a value that is there once by configuration, and has no rounds."""
    value, against = values.get(bound.of), values.get(bound.against) if bound.against else 1.0
    seen = Ratio(value / against, None, None, 1) if value is not None and against else UNKNOWN
    return Row(bound, seen, verdict(bound, seen))


def kinds(measure: str) -> tuple[str, ...]:
    """The kinds of trials that take a measure.

    Args:
        measure: Its name, such as `capacity_cpu_us`.

    Returns:
        Kinds; none of what no trial takes by itself, such as a sweep's highest rate.
    """
    if measure in OF_MEMORY:
        return (MEMORY,)
    if measure.startswith(CAPACITY):
        return (CAPACITY,)
    return (LATENCY, LIVE) if measure in UNDER_LOAD or LATENCIES.fullmatch(measure) else ()


def _value(bound: Bound, outcomes: Sequence[Outcome]) -> Row:
    """A trial is a round; in one that did not sustain its load a latency is no value."""
    trials = _trials(bound, outcomes)
    values = [value for o in trials for value in comparable([o]).get(bound.measure, [])]
    seen = Ratio(statistics.median(values), None, None, len(values)) if values else UNKNOWN
    return _row(bound, seen, values, len(trials))


def _trials(bound: Bound, outcomes: Sequence[Outcome]) -> list[Outcome]:
    return [o for o in column(bound.of, outcomes) if o.plan.kind in kinds(bound.measure)]


def _quotient(bound: Bound, outcomes: Sequence[Outcome], looks: Mapping[str, Sequence[int]]) -> Row:
    """Both legs of an A/A control count."""
    group = next((o.plan.group for o in _trials(bound, outcomes)), "")
    trials = [o for o in outcomes if o.plan.group == group]
    new, old = (side(name, trials).get(bound.measure) for name in (bound.of, bound.against))
    if new is None or old is None:
        return Row(bound, UNKNOWN, MISSING)
    seen = compare.ratio_of(compare.estimated(new, old, looks.get(group, ())))
    return _row(bound, seen, by_round(new, old), len(new))


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


def _row(bound: Bound, seen: Ratio, values: Sequence[float], rounds: int) -> Row:
    kept = sum(map(bound.keeps, values))
    return Row(bound, seen, verdict(bound, seen, kept, rounds), kept, rounds)


def verdict(bound: Bound, seen: Ratio, kept: int = 0, rounds: int = 0) -> str:
    """The verdict on one bound: by rounds where it asks for them, else by where the interval, or the value, lies.

    Args:
        bound: What had to come out.
        seen: What was measured: a quotient, or a median.
        kept: Rounds within the bound.
        rounds: Rounds in all; of more than the bound names the same share must be kept.

    Returns:
        `HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`.
    """
    if seen.value is None:
        return MISSING
    if bound.rounds:
        least, of = bound.rounds
        return HOLDS if kept * of >= least * max(rounds, of) else BROKEN
    ends = {bound.keeps(end) for end in seen.interval or (seen.value,)}
    return MARGINAL if len(ends) > 1 else HOLDS if ends.pop() else BROKEN
