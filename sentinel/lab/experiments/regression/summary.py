"""What a regression test's rounds say: which measures got worse, and which leave room for it. Pure.

Head is worse where, for one measure, the interval of head ÷ base excludes 1 and the ratio lies for the worse beyond the
noise floor and beyond MARGIN. It is no worse where that is so of no measure, and the interval of each measure that
decides lies wholly short of MARGIN. Everything between is not known. Several measures are looked at, and each may be
wrong: each interval is made so wide that all together call equal versions worse in at most 5 of 100 experiments
(Bonferroni; a tail each, since only what is worse counts).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.experiments.regression.answer import phrases
from sentinel.lab.experiments.regression.record import BASE, HEAD, NO_WORSE, UNKNOWN, WORSE, Answer, Judgement, Record
from sentinel.lab.run.trial_record import CONTROL, LATENCY, MEMORY, Outcome
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.compare import Ratio
from sentinel.lab.statistics.measures import column, measures, medians, spreads
from sentinel.lab.statistics.metrics import Measure
from sentinel.lab.statistics.reliability import validity, warnings
from sentinel.lab.statistics.rounds import decision, ranks
from sentinel.lab.statistics.rounds.estimates import PAIRED, compare
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.regression.parameters import Regression
    from sentinel.lab.experiments.regression.record import Side
    from sentinel.lab.statistics.rounds.estimates import Estimate
    from sentinel.lab.statistics.rounds.ranks import Floats

FAMILY = 0.05
"""Share of experiments in which equal versions may be called worse, all measures together."""
BYTES = Measure("bytes_per_message", "Allocated per message", "bytes")
DRAINED = (
    Measure("capacity", "Capacity", "msg/s", higher=True),
    Measure("capacity_cpu_us", "CPU per message, draining", "µs"),
)
OFFERED = (
    Measure("cpu_us", "CPU per message, at RATE", "µs"),
    Measure("stored_p50", "Stored p50", "ms"),
    Measure("stored_p99", "Stored p99", "ms"),
)
MEASURES = (*DRAINED, BYTES, *OFFERED)
"""In the order of the tables: what decides first."""
DECIDING = {measure.name for measure in (*DRAINED, BYTES)}
"""Measures of which a slowdown must be excluded before head counts as no worse. Latencies, and CPU under a load that
leaves the consumer idle, vary too much for that: they only count where they are evidently worse."""


def of_regression(p: Regression, sides: Mapping[str, Side], outcomes: Sequence[Outcome]) -> Record:
    """The sections of the record that are made from the trials.

    Args:
        p: The parameters.
        sides: Both versions, as the record has them.
        outcomes: All trials; invalid ones are left out of all figures.
    """
    labels = [BASE, BASE + CONTROL, HEAD]
    values = {label: measures(column(label, outcomes)) for label in labels}
    answer = answered(p, outcomes)
    return Record(
        summary={label: {**medians(measured)} for label, measured in values.items()},
        spread={label: spreads(measured) for label, measured in values.items()},
        compared=(HEAD, BASE),
        ratios={name: judgement.ratio for name, judgement in answer.judgements.items()},
        sides=dict(sides),
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer, sides)],
        warnings=warnings(outcomes),
    )


def answered(p: Regression, outcomes: Sequence[Outcome]) -> Answer:
    """The answer as data.

    Args:
        p: The parameters.
        outcomes: All trials.
    """
    error = error_of_each(offered=p.RATE > 0, weighed=p.MEMRAY)
    new, old = side(HEAD, outcomes), side(BASE, outcomes)
    judgements = {
        m.name: judged(m, new[m.name], old[m.name], p.MARGIN, error)
        for m in _measured(outcomes)
        if m.name in new and m.name in old
    }
    judgements = {name: judgement for name, judgement in judgements.items() if judgement.ratio.value is not None}
    weighed = any(o.plan.kind == MEMORY for o in outcomes)
    needed = [m.name for m in MEASURES if m.name in DECIDING and (m is not BYTES or weighed)]
    left = [name for name in needed if name not in judgements or not judgements[name].excluded]
    regressed = any(judgement.regressed for judgement in judgements.values())
    word = WORSE if regressed else UNKNOWN if left else NO_WORSE
    return Answer(validity(outcomes), word, p.MARGIN, error, judgements, left)


def error_of_each(*, offered: bool, weighed: bool) -> float:
    """The error of one measure's two-sided interval, of which one tail counts.

    Args:
        offered: Whether measures of an offered load are looked at, too.
        weighed: Whether allocated bytes are.
    """
    return 2 * FAMILY / (len(DRAINED) + len(OFFERED) * offered + weighed)


def _measured(outcomes: Sequence[Outcome]) -> list[Measure]:
    """All measures but those that the messages of a trial do not carry."""
    loaded = [o for o in outcomes if o.valid and o.plan.kind == LATENCY]
    carried = tails.carried("p99", tails.fewest(loaded, "stored"))
    return [m for m in MEASURES if carried or m.name != "stored_p99"]


def judged(measure: Measure, new: Floats, old: Floats, margin: float, error: float) -> Judgement:
    """What the rounds say of one measure.

    Args:
        measure: Which way is better.
        new: Head's values, (rounds, 1).
        old: Base's, (rounds, 2): both legs of the A/A control, or (rounds, 1).
        margin: The share from which a slowdown counts.
        error: Share of experiments in which the interval may miss the truth.
    """
    estimate = compare(new, old, error=error)
    null = floor(old, estimate.method, estimate.legs) if old.shape[1] > 1 else float("nan")
    decided = decision.decide(estimate, null, higher_is_better=measure.higher, margin=margin)
    kept = estimate.keeps(error)
    slowdown, most = _slowdown(estimate, measure)
    return Judgement(
        measure.name,
        decided.word if kept else decision.UNRESOLVED,
        _ratio(estimate),
        floor=null if null >= 1 else None,
        further=decided.further if kept else max(1, _needed(estimate, error) - estimate.rounds),
        regressed=kept and decided.word == decision.WORSE and slowdown > 1 + margin,
        excluded=kept and most <= 1 + margin,
    )


def _slowdown(estimate: Estimate, measure: Measure) -> tuple[float, float]:
    """By which factor head is worse, and the end of its interval on that side."""
    worse = estimate.inverse if measure.higher and estimate.rounds else estimate
    return worse.ratio, worse.high


def _needed(estimate: Estimate, error: float) -> int:
    """Rounds from which such an interval keeps the error."""
    return ranks.least_rounds(error) if estimate.method == PAIRED else ranks.least_unpaired(estimate.legs, error)


def _ratio(estimate: Estimate) -> Ratio:
    covers = 0 < estimate.coverage < 1
    low, high = (estimate.low, estimate.high) if covers else (None, None)
    sure = estimate.coverage if covers else None
    return Ratio(estimate.ratio, low, high, estimate.rounds, sure, estimate.method if covers else "")
