"""What two runs say of each other: every key measure of every configuration that both have. Pure.

Rounds of two runs are no pairs, so every interval is unpaired; what the machine did otherwise between them is in none.
The noise floor is the wider of those that the runs' own A/A controls show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from sentinel.lab import formatting
from sentinel.lab.experiments.compare.likeness import same_load
from sentinel.lab.experiments.compare.record import A, B, Column, Row, Side, Sweep
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, HEADLINE, LATENCY, MEMORY
from sentinel.lab.statistics import regressions
from sentinel.lab.statistics.compare import RANGE, Ratio, Spread
from sentinel.lab.statistics.measures import column, comparable, medians, spreads
from sentinel.lab.statistics.metrics import Measure
from sentinel.lab.statistics.reliability import disturbances, validity
from sentinel.lab.statistics.sessions import ratio

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.run.run_data import RunData
    from sentinel.lab.run.trial_record import Outcome

DRAINED, WEIGHED = ("capacity", "capacity_cpu_us"), ("bytes_per_message",)
LOADED = ("cpu_us", "e2e_p50", "e2e_p99", "stored_p50", "stored_p99")
"""Measures under an offered load."""
HIGHEST = Measure("held", "highest rate in the SLO", "msg/s", higher=True)
"""Of a sweep: what it found, in place of a measure of its trials."""
OWN = {HIGHEST.name: HIGHEST, "cpu_us": Measure("cpu_us", "CPU per message under the load", "µs")}
"""Measures that are called otherwise here than in the runs, or that no trial has."""
STEPS = (
    "Rates of a sweep are steps, each with an interval of its own; that of their ratio reaches from one end of both to"
    " the other, and nothing is judged by it."
)
KINDS = {CAPACITY, LATENCY, MEMORY}
"""Of trials that measure something that can be compared."""


@dataclass(frozen=True)
class Part:
    """One configuration under one load: its trials in both runs, the others of these runs left in."""

    label: str
    key: str
    """As `measures.column` takes it."""
    trials: tuple[Sequence[Outcome], Sequence[Outcome]]
    """In A and in B."""

    @property
    def own(self) -> tuple[list[Outcome], list[Outcome]]:
        """Those of the configuration itself, without its A/A leg."""
        a, b = (column(self.key, trials) for trials in self.trials)
        return a, b


def described(run: RunData, folder: str) -> Side:
    """A run as the record of a comparison names it.

    Args:
        run: Its record.
        folder: Where that was read from.
    """
    git, own = run.machine.git or {}, run.machine.jitter or {}
    return Side(
        id=run.id,
        folder=folder,
        notebook=run.notebook,
        created=run.created,
        state=run.state,
        commit=git.get("commit", ""),
        dirty=git.get("dirty", False),
        validity=validity(run.trials),
        late_p99=own.get("late_p99"),
        slow=own.get("slow"),
    )


def valid(run: RunData) -> list[Outcome]:
    """The run's valid trials that measure something that can be compared."""
    return [o for o in run.trials if o.valid and o.plan.kind in KINDS]


def common(a: RunData, b: RunData) -> list[str]:
    """Names of the configurations of which both runs have valid trials, in B's order."""
    labels = [{o.plan.label for o in valid(run)} for run in (a, b)]
    return [name for name in b.configurations if all(name in some for some in labels)]


def parts(a: RunData, b: RunData) -> list[Part]:
    """All that can be compared, in the order of the tables: B's configurations, then the headline.

    Args:
        a: The record of the one.
        b: That of the other.
    """
    whole = [part for name in common(a, b) for part in _by_rate(name, a.trials, b.trials)]
    last = [[*run.configurations][-1:] for run in (a, b)]
    rates = {o.plan.load.rate for run in (a, b) for o in column(HEADLINE, valid(run))}
    if last[0] == last[1] and last[0] and len(rates) == 1:
        label = f"{last[1][0]} at {formatting.plain(rates.pop())} msg/s"
        whole.append(Part(label, HEADLINE, (a.trials, b.trials)))
    return whole


def _by_rate(name: str, a: Sequence[Outcome], b: Sequence[Outcome]) -> list[Part]:
    """A configuration as a whole, or a part for every rate where runs offered several to it."""
    rates = [{o.plan.load.rate for o in column(name, trials) if o.plan.kind == LATENCY} for trials in (a, b)]
    if max(map(len, rates)) < 2:
        return [Part(name, name, (a, b))]
    return [
        Part(f"{name} at {formatting.plain(rate)} msg/s", name, (_at(rate, a), _at(rate, b)))
        for rate in sorted(rates[0] & rates[1])
    ]


def _at(rate: float, trials: Iterable[Outcome]) -> list[Outcome]:
    return [o for o in trials if o.plan.load.rate == rate]


def columns(a: RunData, b: RunData, *, judged: bool) -> list[Column]:
    """Every key measure of all that can be compared.

    Args:
        a: The record of the one.
        b: That of the other.
        judged: Whether there are to be verdicts.
    """
    disturbed = [f"{name}: {clause}" for name, run in ((A, a), (B, b)) for clause in _disturbances(run)]
    made = _highest(a, b)
    for part in parts(a, b):
        apart, single = (_apart(part), _single(part)) if judged else ([], [])
        unjudged = {*(LOADED if apart else ()), *(WEIGHED if single else ())}
        rows = _rows(part, unjudged, disturbed, judged=judged)
        drained = tuple(comparable(own).get("capacity", []) for own in part.own)
        if rows:
            made.append(Column(part.label, rows, (drained[0], drained[1]), [*apart, *single, *_unsustained(part)]))
    return made


def _highest(a: RunData, b: RunData) -> list[Column]:
    """Of sweeps, the highest rates: they go by steps, and are told without a verdict."""
    old, new = (msgspec.convert(run.only(Sweep.__struct_encode_fields__), Sweep).knees for run in (a, b))
    made = []
    for name in common(a, b):
        pair = old.get(name), new.get(name)
        rates = [(knee.rate, knee.low or knee.rate, knee.high or knee.rate) for knee in pair if knee and knee.rate]
        if len(rates) < 2:
            continue
        (rate, low, high), (later, lowest, highest) = rates
        n = [knee.held[1] for knee in pair if knee]
        seen = Spread(low, high, n[0]), Spread(lowest, highest, n[1])
        quotient = Ratio(later / rate, lowest / high, highest / low, min(n), method=RANGE)
        made.append(Column(name, [Row(HIGHEST.name, rate, later, seen, quotient)], ([], []), [STEPS]))
    return made


def _disturbances(run: RunData) -> list[str]:
    return disturbances(run.trials, run.machine)


def _rows(part: Part, unjudged: set[str], disturbed: Sequence[str], *, judged: bool) -> list[Row]:
    a, b = part.trials
    compared = ratio.compared(part.key, (b, _twice(b)), (a, _twice(a)))
    old, new = (comparable(own) for own in part.own)
    rows = []
    for name in (*DRAINED, *WEIGHED, *LOADED):
        if (values := compared.get(name)) is None or not values.estimate.rounds:
            continue
        before, after = medians(old)[name], medians(new)[name]
        seen = spreads(old)[name], spreads(new)[name]
        # What is measured once in a benchmark has rounds in a regression test.
        measure = replace(regressions.key(name), repeated=True)
        verdict = measure.verdict(values, disturbed) if judged and name not in unjudged else None
        rows.append(Row(name, before, after, seen, values.ratio, verdict))
    return rows


def _twice(trials: Iterable[Outcome]) -> str:
    """The label of the configuration that was measured twice in every round; empty without one."""
    labels = {o.plan.label for o in trials}
    return next((label for label in sorted(labels) if label + CONTROL in labels), "")


def _apart(part: Part) -> list[str]:
    """Why what was measured under the offered load is not to be judged: the loads differ."""
    rates = [{o.plan.load.rate for o in own if o.plan.kind == LATENCY and o.valid} for own in part.own]
    pair = [next(iter(some)) for some in rates if len(some) == 1]
    if len(pair) < 2 or same_load(*pair):
        return []
    a, b = map(formatting.plain, pair)
    return [
        f"CPU and latencies under the load are not judged: {a} msg/s were really offered in A, {b} in B, since the"
        " slowest configuration could take no more. A RATE that it sustains in both is the same load."
    ]


def _single(part: Part) -> list[str]:
    """Why allocated bytes are not to be judged: a single trial of a run says nothing of another one."""
    trials = [sum(o.valid and o.plan.kind == MEMORY for o in own) for own in part.own]
    if min(trials) != 1:
        return []
    return ["Allocated bytes are not judged: they are of a single trial, and follow the sizes of its batches."]


def _unsustained(part: Part) -> list[str]:
    told = []
    for name, own in zip((A, B), part.own, strict=True):
        loaded = [o for o in own if o.valid and o.plan.kind == LATENCY]
        if bad := sum(not o.sustained for o in loaded):
            told.append(
                f"The load was not sustained in {bad} of {formatting.counted(len(loaded), 'trial')} of {name}: their"
                " latencies are those of a growing queue, and are not compared."
            )
    return told


def alone(a: RunData, b: RunData) -> dict[str, list[str]]:
    """Configurations that one run has and the other has not, by run.

    Args:
        a: The record of the one.
        b: That of the other.
    """
    both = set(common(a, b))
    lists: Mapping[str, list[str]] = {
        name: [each for each in run.configurations if each not in both] for name, run in ((A, a), (B, b))
    }
    return {name: some for name, some in lists.items() if some}
