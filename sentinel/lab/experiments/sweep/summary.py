"""What a sweep's steps say, in numbers and sentences: each configuration's knee, ratios, verdict, warnings. Pure.

Everything here can be recomputed from the steps and the outcomes in run.json.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep import knee
from sentinel.lab.statistics import published
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.reliability import LATE, STEAL, validity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sentinel.lab.experiments.sweep.knee import Knee, Step
    from sentinel.lab.experiments.sweep.parameters import Sweep
    from sentinel.lab.run.trial_record import Outcome

"""What the original claims, msg/s."""


def of_sweep(p: Sweep, steps: Sequence[Step], outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """`steps`, `knees`, `summary`, `compared`, `ratios`, `verdict` and `warnings` of run.json."""
    by_number = {outcome.plan.number: outcome for outcome in outcomes}
    trials = {step.trial: by_number[step.trial] for step in steps}
    by_name = {name: [step for step in steps if step.configuration == name] for name in p.names}
    knees = {name: knee.found(some) for name, some in by_name.items()}
    new, old = p.names[-1], p.names[0]
    return {
        "steps": [asdict(step) for step in steps],
        "knees": {name: result.to_dict() for name, result in knees.items()},
        "summary": {name: _medians(knees[name], some, trials) for name, some in by_name.items()},
        "compared": [new, old],
        "ratios": {"held": ratio(knees[new], knees[old])},
        "verdict": verdict(p, knees, by_name, trials),
        "warnings": warnings(knees, by_name, trials),
    }


def _medians(result: Knee, steps: Iterable[Step], trials: Mapping[int, Outcome]) -> dict[str, float]:
    """Medians over the confirming trials at the highest rate that meets the SLO; empty where there is none."""
    at = [trials[s.trial] for s in steps if s.rate == result.rate and s.phase == knee.CONFIRM]
    return {name: statistics.median(values) for name, values in measures(at).items()}


def ratio(new: Knee, old: Knee) -> dict[str, Any]:
    """Quotient of two knees, from its smallest to its largest by their intervals; n is of the one with fewer trials."""
    return {
        "value": _quotient(new.rate, old.rate),
        "low": _quotient(new.low, old.high),
        "high": _quotient(new.high, old.low),
        "n": min(new.held[1], old.held[1]),
    }


def _quotient(a: float | None, b: float | None) -> float | None:
    return a / b if a and b else None


# -- verdict ---------------------------------------------------------------------------------------------------------


def verdict(
    p: Sweep, knees: Mapping[str, Knee], steps: Mapping[str, Sequence[Step]], trials: Mapping[int, Outcome]
) -> list[str]:
    """The answer, in sentences made from the data."""
    sentences = [validity(list(trials.values()), "are inconclusive")]
    sentences += [_held(p, name, result, steps[name], trials) for name, result in knees.items()]
    new, old = p.names[-1], p.names[0]
    if new != old:
        sentences.append(_compared(new, knees[new], old, knees[old]))
    sentences.append(_against_original(p, new, knees[new]))
    return sentences


def interval(low: float | None, high: float | None) -> str:
    """`[4,000, 5,660]`, open where an end is not known; a dash where neither is."""
    if low is None and high is None:
        return formatting.NOTHING
    return f"[{'…' if low is None else formatting.plain(low)}, {'…' if high is None else formatting.plain(high)}]"


def _held(p: Sweep, name: str, result: Knee, steps: Sequence[Step], trials: Mapping[int, Outcome]) -> str:
    """The highest rate that meets the SLO, with its interval, and what stands against the next."""
    if result.rate is None:
        return _never(p, name, result, steps, trials)
    least = "at least " if result.at_least else ""
    held, n = result.held
    rate = f"{least}{formatting.plain(result.rate)} msg/s {interval(result.low, result.high)}"
    first = f"{name} meets the SLO up to {rate} in {held} of {formatting.counted(n, 'trial')}"
    if result.next is None:
        return f"{first}; no higher rate was offered."
    return f"{first}. At {formatting.plain(result.next)} msg/s {_missed(result)}: {_because(p, result, steps, trials)}."


def _never(p: Sweep, name: str, result: Knee, steps: Sequence[Step], trials: Mapping[int, Outcome]) -> str:
    if result.next is None:
        return f"{name}: no rate was offered, so there is no answer."
    at, because = f"{formatting.plain(result.next)} msg/s, the lowest rate offered", _because(p, result, steps, trials)
    if result.at_least:
        return f"{name}: no answer, for at {at}, {_missed(result)}: {because}."
    if result.missed[0] < result.missed[1]:
        most = f"{name} meets the SLO at no rate in more than half of the trials"
        return f"{most}, interval {interval(result.low, result.high)}: at {at}, {_missed(result)}, {because}."
    return f"{name} does not even meet the SLO at {at}: {_missed(result)}, {because}."


def _missed(result: Knee) -> str:
    """How many trials do not meet the SLO at the next rate: `3 of 3 trials do not`."""
    missed, n = result.missed
    singular, many = ("is inconclusive", "are inconclusive") if result.at_least else ("does not", "do not")
    return f"{missed} of {formatting.counted(n, 'trial')} {singular if missed == 1 else many}"


def _because(p: Sweep, result: Knee, steps: Sequence[Step], trials: Mapping[int, Outcome]) -> str:
    """The commonest reason at the next rate, with the median figures of the trials that have it."""
    at = [s for s in steps if s.rate == result.next and s.why == result.why]
    outcomes = [trials[step.trial] for step in at]

    def median(kind: str) -> str:
        return formatting.figure(statistics.median(o.latencies.get(kind, {}).get("p99", math.nan) for o in outcomes))

    if result.why == knee.LOSS:
        return f"{formatting.counted(sum(o.lost for o in outcomes), 'message')} lost"
    if result.why == knee.BACKLOG:
        growth = statistics.median(step.growth for step in at)
        return f"the backlog grows by {formatting.figure(growth)} messages in {formatting.plain(p.DURATION)} s"
    if result.why == knee.BEHIND:
        return f"the load was not sustained ({formatting.joined(outcomes[0].unsustained)})"
    if result.why == knee.SLOW:
        return f"stored p99 {median('stored')} ms, over {formatting.plain(p.P99_STORED_MS)} ms"
    if result.why == knee.GENERATOR:
        sent = formatting.figure(statistics.median(step.sent for step in at))
        return f"the load generator was the limit (sent {sent} msg/s, send delay p99 {median('send_delay')} ms)"
    return "without a valid trial"


def _compared(new: str, after: Knee, old: str, before: Knee) -> str:
    if after.rate is None or before.rate is None:
        without = formatting.joined([name for name, values in ((old, before), (new, after)) if values.rate is None])
        text = f"No factor between {new} and {old}: there is no rate at which {without} is known to meet the SLO"
        least = _quotient(after.low, before.high)
        return f"{text}; by the intervals it is more than {formatting.figure(least)}×." if least else f"{text}."
    if after.at_least and before.at_least:
        return f"{new} against {old}: cannot tell the factor, for both may sustain more."
    bound = "at least " if after.at_least else "at most " if before.at_least else ""
    return f"{new} meets the SLO up to {bound}{formatting.ratio(ratio(after, before))} the rate of {old}."


def _against_original(p: Sweep, name: str, result: Knee) -> str:
    terms = f"(here: nothing lost, stored p99 within {formatting.plain(p.P99_STORED_MS)} ms)"
    bar = f"the {published.RATE} msg/s that SentinelStream published {terms}"
    if result.low is not None and result.low >= published.HIGHEST_RATE:
        return f"{name} reaches {bar}: at least {formatting.times(result.low / published.HIGHEST_RATE)}."
    if result.high is not None and result.high <= published.HIGHEST_RATE:
        return f"{name} falls short of {bar}."
    to = "no rate is known up to which" if result.low is None else f"up to {formatting.plain(result.low)} msg/s"
    return f"{name}: cannot tell whether it reaches {bar}; {to} every trial meets the SLO."


# -- warnings --------------------------------------------------------------------------------------------------------


def warnings(
    knees: Mapping[str, Knee], steps: Mapping[str, Sequence[Step]], trials: Mapping[int, Outcome]
) -> list[str]:
    """What speaks against trusting these trials, in sentences with numbers; that trials fail is a sweep's nature."""
    every = [step for some in steps.values() for step in some]
    tests: list[tuple[Callable[[Step, Outcome], bool], str]] = [
        (lambda _, o: not o.valid, "invalid: " + "; ".join(p for o in trials.values() for p in o.problems)[:600]),
        (lambda s, _: s.why == knee.GENERATOR, "the load generator was the limit, so it is inconclusive"),
        (lambda _, o: o.steal > STEAL, f"more than {STEAL:.0f} % of the machine's time went to other guests"),
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
        sentences += [*_unsteady(name, steps[name]), *_late(name, _medians(result, steps[name], trials))]
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


def _late(name: str, medians: Mapping[str, float]) -> list[str]:
    late, stored = medians.get("send_delay_p99", 0.0), medians.get("stored_p99", 0.0)
    if late <= LATE * stored:
        return []
    return [
        f"At the highest rate at which {name} meets the SLO, {100 * late / stored:.0f} % of stored p99 is"
        f" load-generator delay (send delay p99 {formatting.figure(late)} ms)."
    ]
