"""What a sweep's steps say: each configuration's knee, ratios, causes, warnings. Pure; `answer` makes sentences of it.

Everything here can be recomputed from the steps and the outcomes in run.json.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

import msgspec

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep import knee
from sentinel.lab.experiments.sweep.answer import phrases
from sentinel.lab.experiments.sweep.record import Answer, Cause, Record
from sentinel.lab.statistics import compare, tails
from sentinel.lab.statistics.compare import RANGE, Ratio, Verdict, Word
from sentinel.lab.statistics.measures import measures, medians
from sentinel.lab.statistics.reliability import LATE, STEAL, STOLEN, validity
from sentinel.lab.statistics.rounds import estimates, ranks
from sentinel.lab.statistics.rounds.decision import REACH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sentinel.lab.experiments.sweep.knee import Knee, Level, Step
    from sentinel.lab.experiments.sweep.parameters import Sweep
    from sentinel.lab.run.trial_record import Outcome

HELD, COST = "held", "cpu_us"  # the highest rate, and CPU per message there


def of_sweep(p: Sweep, steps: Sequence[Step], outcomes: Iterable[Outcome]) -> Record:
    """The sections of the record that are made from the steps and their trials.

    Args:
        p: The sweep's parameters.
        steps: Every trial, as a step of the climb or of the confirmation.
        outcomes: The trials of these steps.
    """
    trials = {outcome.plan.number: outcome for outcome in outcomes}
    by_name = {name: [step for step in steps if step.configuration == name] for name in p.names}
    knees = {name: knee.locate(some) for name, some in by_name.items()}
    new, old = p.names[-1], p.names[0]
    held = ratio(knees[new], knees[old])
    causes = {name: cause for name, result in knees.items() if (cause := _cause(result, by_name[name], trials))}
    compared = verdict(held, {name: knee.levels(by_name[name]) for name in (new, old)}) if new != old else None
    answer = Answer(validity(list(trials.values())), p.P99_STORED_MS, p.DURATION, causes, compared)
    return Record(
        steps=list(steps),
        knees=knees,
        summary={name: _at_knee(knees[name], some, trials) for name, some in by_name.items()},
        compared=(new, old),
        ratios={HELD: held, **_cost(*(_confirmed(knees[name], by_name[name], trials) for name in (new, old)))},
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer, knees, held)],
        warnings=warnings(knees, by_name, trials),
    )


def _at_knee(result: Knee, steps: Iterable[Step], trials: Mapping[int, Outcome]) -> dict[str, float | None]:
    """Medians over the confirming trials at the highest rate that meets the SLO; empty where there is none."""
    return {**medians(measures(_confirmed(result, steps, trials)))}


def _confirmed(result: Knee, steps: Iterable[Step], trials: Mapping[int, Outcome]) -> list[Outcome]:
    return [trials[s.trial] for s in steps if s.rate == result.rate and s.phase == knee.CONFIRM]


def _cost(new: Sequence[Outcome], old: Sequence[Outcome]) -> dict[str, Ratio]:
    """CPU per message, each at its own highest rate; unpaired: the knees move, so trials were not always neighbours."""
    sides = [[o.cpu_us if o.valid and o.cpu_us else math.nan for o in trials] for trials in (new, old)]
    whole = (side[: min(map(len, sides))] for side in sides)
    estimate = estimates.compare(*whole, method=estimates.UNPAIRED)
    return {COST: compare.ratio_of(estimate)} if estimate.rounds else {}


def ratio(new: Knee, old: Knee) -> Ratio:
    """Quotient of two knees, with an interval from its smallest to its largest value by the knees' intervals.

    Args:
        new: The knee of the last configuration.
        old: The knee of the first.

    Returns:
        new ÷ old; its n is that of the knee with fewer trials, its confidence what both intervals have at least.
    """
    low, high = _quotient(new.low, old.high), _quotient(new.high, old.low)
    (below, above), (lower, upper) = new.errors or (1.0, 1.0), old.errors or (1.0, 1.0)
    errors = [*((below, upper) if low else ()), *((above, lower) if high else ())]
    return Ratio(
        value=_quotient(new.rate, old.rate),
        low=low,
        high=high,
        n=min(new.held[1], old.held[1]),
        confidence=max(0.0, 1 - sum(errors)) if errors else None,
        method=RANGE,
    )


def verdict(ratio: Ratio, seen: Mapping[str, Sequence[Level]]) -> Verdict:
    """What is said of two highest rates.

    They differ where a rate divides them: from there on upwards the trials of the one meet the SLO, downwards those of
    the other fail, more often than by luck in 5 of 100 sweeps (exact binomial tests).

    Args:
        ratio: Of the two.
        seen: Trials by rate, rising, of the last configuration and of the first, in this order.
    """
    (new, last), (old, first) = seen.items()
    higher = (ratio.value or ratio.low or 0.0) > 1
    sides = (last, first) if higher else (first, last)
    word, further, p = Word.UNRESOLVED, None, divided(*sides)
    contradictions = [text for name in (old, new) if (text := _contradiction(name, seen[name]))]
    if p <= ranks.ERROR:
        word = Word.BETTER if higher else Word.WORSE
    elif _same(ratio):
        word = Word.NO_DIFFERENCE
    elif (ratio.low or 0.0) >= 1 or (ratio.high or math.inf) <= 1:
        further = next((n for n in range(1, REACH) if divided(*sides, n) <= ranks.ERROR), None)
    elif contradictions:
        word = Word.UNSTABLE
    why = contradictions if word == Word.UNSTABLE else []
    tested = msgspec.structs.replace(ratio, p=p)
    return Verdict(HELD, word, tested, compare.BAND, control=False, further=further, disturbances=why)


def divided(upper: Sequence[Level], lower: Sequence[Level], more: int = 0) -> float:
    """The exact p of two configurations going apart as these do although the first has not the higher knee.

    At the rate that divides them best: one of the two has its knee beyond it, and its trials agree by luck.

    Args:
        upper: Trials of the one that goes higher, by rate, rising.
        lower: Those of the other.
        more: Trials that are added on either side, and agree.
    """
    rates = {level.rate for level in (*upper, *lower)}
    lucky = [(knee.chance(upper, r, met=True, more=more), knee.chance(lower, r, met=False, more=more)) for r in rates]
    return min(map(max, lucky), default=1.0)


def _same(ratio: Ratio) -> bool:
    """Whether the whole interval lies within ± 5 %, and covers in 95 of 100 sweeps."""
    known = ratio.interval if (ratio.confidence or 0.0) >= compare.CONFIDENCE else None
    return known is not None and max(known[1], 1 / known[0]) <= 1 + compare.BAND


def _contradiction(name: str, seen: Sequence[Level]) -> str:
    """An order that contradicts itself, as a clause; empty where it does not."""
    failing = min((level.rate for level in seen if level.failed), default=math.inf)
    meeting = max((level.rate for level in seen if level.met), default=0.0)
    if meeting <= failing:
        return ""
    return (
        f"{name} meets the SLO at {formatting.plain(meeting)} msg/s in some trial and fails at"
        f" {formatting.plain(failing)} in another"
    )


def _quotient(a: float | None, b: float | None) -> float | None:
    return a / b if a and b else None


def _cause(result: Knee, steps: Sequence[Step], trials: Mapping[int, Outcome]) -> Cause | None:
    """What stands against the next rate; None where none was offered."""
    at = [step for step in steps if step.rate == result.next and step.why == result.why]
    if not at:
        return None
    outcomes = [trials[step.trial] for step in at]
    tail = tails.highest(outcomes, "stored", "send_delay")
    return Cause(
        result.why,
        lost=sum(o.lost for o in outcomes),
        growth=statistics.median(step.growth for step in at),
        unsustained=outcomes[0].unsustained,
        sent=statistics.median(step.sent for step in at),
        stored_p99=_median("stored", tail, outcomes),
        send_delay_p99=_median("send_delay", tail, outcomes),
        tail=tail,
    )


def _median(kind: str, tail: str, outcomes: Sequence[Outcome]) -> float | None:
    """Of a tail, ms, over the trials that have it."""
    known = [value for o in outcomes if (value := tails.reading(o, kind, tail)) is not None]
    return statistics.median(known) if known else None


# -- warnings --------------------------------------------------------------------------------------------------------


def warnings(
    knees: Mapping[str, Knee], steps: Mapping[str, Sequence[Step]], trials: Mapping[int, Outcome]
) -> list[str]:
    """What speaks against trusting a sweep, in sentences with numbers; that trials fail is a sweep's nature.

    Args:
        knees: What was found, by configuration.
        steps: Every trial as a step, by configuration.
        trials: Outcomes by the trial's number.
    """
    every = [step for some in steps.values() for step in some]
    tests: list[tuple[Callable[[Step, Outcome], bool], str]] = [
        (lambda _, o: not o.valid, "invalid: " + "; ".join(p for o in trials.values() for p in o.problems)[:600]),
        (lambda s, _: s.why == knee.GENERATOR, "the load generator was the limit, so it is inconclusive"),
        (lambda _, o: o.steal > STEAL, STOLEN),
    ]
    sentences = []
    for test, what in tests:
        if named := [f"{s.trial} ({s.configuration})" for s in every if test(s, trials[s.trial])]:
            sentences.append(f"Trial {', '.join(named)}: {what}.")
    sentences += [
        f"Trial {s.trial} ({s.configuration}): {what}."
        for s in every
        if s.verdict != knee.FAILS
        for what in trials[s.trial].warnings
    ]
    for name, result in knees.items():
        sentences += [*_unsteady(name, steps[name]), *_late(name, _at_knee(result, steps[name], trials))]
    return sentences


def _unsteady(name: str, steps: Iterable[Step]) -> list[str]:
    """Rates at which trials disagree, and an order that contradicts itself."""
    sentences = []
    levels = knee.levels(steps)
    for level in levels:
        if level.met and level.failed:
            of = f"{level.met} of {formatting.counted(level.decided, 'trial')}"
            sentences.append(f"{name} meets the SLO at {formatting.plain(level.rate)} msg/s in {of}: borderline.")
    if contradiction := _contradiction(name, levels):
        sentences.append(
            f"{contradiction}, where the search assumes monotonicity: the interval holds both. More REPEATS, a longer"
            " DURATION or a quieter machine would help."
        )
    return sentences


def _late(name: str, collected: Mapping[str, float | None]) -> list[str]:
    late, stored = collected.get("send_delay_p99") or 0.0, collected.get("stored_p99") or 0.0
    if late <= LATE * stored:
        return []
    return [
        f"At the highest rate at which {name} meets the SLO, {100 * late / stored:.0f} % of stored p99 is"
        f" load-generator delay (send delay p99 {formatting.figure(late)} ms)."
    ]
