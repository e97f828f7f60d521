"""What a sweep's steps say: each configuration's knee, ratios, causes, warnings. Pure; `answer` makes sentences of it.

Everything here can be recomputed from the steps and the outcomes in run.json.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep import knee
from sentinel.lab.experiments.sweep.answer import phrases
from sentinel.lab.experiments.sweep.record import Answer, Cause, Record
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.compare import RANGE, Ratio
from sentinel.lab.statistics.measures import measures, medians
from sentinel.lab.statistics.reliability import LATE, STEAL, STOLEN, validity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sentinel.lab.experiments.sweep.knee import Knee, Step
    from sentinel.lab.experiments.sweep.parameters import Sweep
    from sentinel.lab.run.trial_record import Outcome


def of_sweep(p: Sweep, steps: Sequence[Step], outcomes: Iterable[Outcome]) -> Record:
    """The sections of the record that are made from the steps and their trials.

    Args:
        p: The sweep's parameters.
        steps: Every trial, as a step of the climb or of the confirmation.
        outcomes: The trials of these steps.
    """
    by_number = {outcome.plan.number: outcome for outcome in outcomes}
    trials = {step.trial: by_number[step.trial] for step in steps}
    by_name = {name: [step for step in steps if step.configuration == name] for name in p.names}
    knees = {name: knee.locate(some) for name, some in by_name.items()}
    new, old = p.names[-1], p.names[0]
    held = ratio(knees[new], knees[old])
    causes = {name: cause for name, result in knees.items() if (cause := _cause(result, by_name[name], trials))}
    answer = Answer(validity(list(trials.values())), p.P99_STORED_MS, p.DURATION, causes)
    return Record(
        steps=list(steps),
        knees=knees,
        summary={name: _at_knee(knees[name], some, trials) for name, some in by_name.items()},
        compared=(new, old),
        ratios={"held": held},
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer, knees, held)],
        warnings=warnings(knees, by_name, trials),
    )


def _at_knee(result: Knee, steps: Iterable[Step], trials: Mapping[int, Outcome]) -> dict[str, float | None]:
    """Medians over the confirming trials at the highest rate that meets the SLO; empty where there is none."""
    at = [trials[s.trial] for s in steps if s.rate == result.rate and s.phase == knee.CONFIRM]
    return {**medians(measures(at))}


def ratio(new: Knee, old: Knee) -> Ratio:
    """Quotient of two knees, with an interval from its smallest to its largest value by the knees' intervals.

    Args:
        new: The knee of the last configuration.
        old: The knee of the first.

    Returns:
        new ÷ old; its n is that of the knee with fewer trials.
    """
    return Ratio(
        value=_quotient(new.rate, old.rate),
        low=_quotient(new.low, old.high),
        high=_quotient(new.high, old.low),
        n=min(new.held[1], old.held[1]),
        method=RANGE,
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
    failing = min((level.rate for level in levels if level.failed), default=math.inf)
    meeting = max((level.rate for level in levels if level.met), default=0.0)
    if meeting > failing:
        sentences.append(
            f"{name} meets the SLO at {formatting.plain(meeting)} msg/s in some trial and fails at"
            f" {formatting.plain(failing)} in another, where the search assumes monotonicity: the interval holds both."
            " More REPEATS, a longer DURATION or a quieter machine would help."
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
