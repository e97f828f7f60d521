"""The section about contenders: who they are, what they promise, and what the wire saw of every consumer.

Pure: run.json in, markup out; nothing where a run has no contender.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.contenders.verification import checks
from sentinel.lab.contenders.verification.checks import BAD, GOOD, RELAXED
from sentinel.lab.presentation.tables import Cell, counted, figured, folded, paragraphs, table, tag
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, UNTAPPED
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from markupsafe import Markup

    from sentinel.lab.contenders.verification.checks import ContenderData
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

WIRE = {
    "requests": "Writes",
    "refused": "Refused",
    "batch": "Points a write, p50",
    "store_ms": "Store's time p50, ms",
    "store_tail": "Store's time p99, ms",
    "duplicated": "Stored again",
    "overwritten": "Overwritten",
    "unidentified": "Unidentified",
}
"""What the wire says of a trial, and the head of its column."""
TIMES = ("store_ms", "store_tail")
"""Those of them that are measured, and not counted."""
NOTES = [
    "Every consumer of this run reached the store through a tap, which notes what passes and when: stored latency is"
    " from the intended send to the answer that the tap saw.",
    "Internal and e2e are known of consumers that record them; a dash stands where they do not. memray and py-spy look"
    " into the lab's own configurations alone.",
    "Of a contender: sent = store's count + overwritten + rejected (dead letters) + unread (on the bus still) + lost.",
]
SHORT = 0.5
"""Seconds that a drain should take at least."""
VISIBLE = "Visible: age of the newest point that a query returns, asked ten times a second at that rate."


def section(run: Run) -> list[Markup]:
    """Tables and notes, in the order in which they are read."""
    known = run.data.contenders
    if not known:
        return []
    trials = queries.outcomes(run)
    below = tag("div", paragraphs([*NOTES, *_cost(trials), *_unknown(trials)]), class_="notes")
    whole = [tag("h3", "Contenders"), _who(known), _wire(run, trials), below]
    return whole + [_checks(name, contender) for name, contender in known.items()]


def visible(run: Run) -> bool:
    """Whether a reader read points back, so that the fifth latency is known."""
    return any("visible" in o.latencies for o in queries.outcomes(run))


def label(run: Run, key: str) -> str:
    """The head of a column; with a mark where it is of a contender that relaxes a promise."""
    name = queries.names(run)[-1] if key == HEADLINE else key
    mark = f"\N{NO-BREAK SPACE}{RELAXED}" if name in _relaxing(run) else ""
    return f"{queries.label(run, key)}{mark}"


def marks(run: Run) -> list[str]:
    """What the mark means, and why there is a dash where others have a figure."""
    told = (f"{RELAXED} {name} says that it {'; that it '.join(words)}." for name, words in _relaxing(run).items())
    trials = queries.outcomes(run)
    return [*told, *_unknown(trials), *_short(run.data.contenders, trials)]


def _short(known: Collection[str], trials: Sequence[Outcome]) -> list[str]:
    """Which contenders drained their streams in no time."""
    names = dict.fromkeys(
        o.plan.configuration
        for o in trials
        if o.valid and o.plan.kind == CAPACITY and o.plan.configuration in known
        if o.wire.get("points", 0) < SHORT * o.throughput
    )
    several = formatting.joined(list(names))
    return [f"{several} drained streams in less than {SHORT:g} s: more MESSAGES tell more."] if names else []


def _relaxing(run: Run) -> dict[str, list[str]]:
    """Contenders that do not keep every promise, and what they say themselves."""
    return {name: item.relaxes for name, item in run.data.contenders.items() if item.relaxes}


def notes(run: Run) -> list[str]:
    """What a reader of the key results must know of the fifth latency."""
    return [VISIBLE] if visible(run) else []


def _who(known: Mapping[str, ContenderData]) -> Markup:
    rows = [
        [
            name,
            _verified(item),
            " ".join(item.command),
            item.version or formatting.NOTHING,
            "; ".join(item.relaxes) or formatting.NOTHING,
        ]
        for name, item in known.items()
    ]
    return table(["Contender", "Verified", "Command", "Version", "Relaxes"], rows, range(1, 5), "wraps")


def _cost(trials: Sequence[Outcome]) -> list[str]:
    """What the tap took of the capacity of the configuration that was also drained without it."""
    drains = [o for o in trials if o.valid and o.plan.kind == CAPACITY]
    without = {o.plan.repeat: o for o in drains if o.plan.label == o.plan.configuration + UNTAPPED}
    ratios = [
        o.wire["recorded"] / without[o.plan.repeat].throughput
        for o in drains
        if o.plan.repeat in without and "recorded" in o.wire
        if o.plan.label == without[o.plan.repeat].plan.configuration
    ]
    if not ratios:
        return []
    name = next(iter(without.values())).plan.configuration
    spread = f", {formatting.figure(min(ratios))} to {formatting.figure(max(ratios))}" if len(ratios) > 1 else ""
    share = f"{formatting.figure(statistics.median(ratios))} of its capacity without it"
    rounds = formatting.counted(len(ratios), "round")
    return [f"The tap's cost: through it {name} has {share} (n = {rounds}{spread})."]


def _verified(contender: ContenderData) -> Markup | str:
    if not contender.verified:
        return formatting.NOTHING
    marks = [check.mark for check in contender.verified]
    text = ", ".join(f"{mark}\N{NO-BREAK SPACE}{marks.count(mark)}" for mark in (GOOD, RELAXED, BAD) if mark in marks)
    return tag("span", text, class_="bad" if BAD in marks else "good")


UNKNOWN = {"unmeasurable": "Stored latency of {} is not measurable", "cpu": "CPU per message of {} is not told"}
"""What the wire's account of a trial says cannot be known, by the key of the reason."""


def _unknown(trials: Sequence[Outcome]) -> list[str]:
    """A sentence for each measure of a configuration that is not known, with the reason."""
    reasons = {
        text.format(o.plan.configuration): why
        for o in trials
        for key, text in UNKNOWN.items()
        if o.valid and (why := o.wire.get(key)) and (key != "cpu" or o.plan.kind == CAPACITY)
    }
    return [f"{text}: {why}." for text, why in reasons.items()]


def _wire(run: Run, outcomes: Sequence[Outcome]) -> Markup:
    """A row a column and kind of trial."""
    rows = []
    for key in queries.keys(run):
        for kind in (CAPACITY, LATENCY):
            trials = [o.wire for o in queries.of_column(list(outcomes), key, kind) if o.wire and o.valid]
            if trials:
                label = queries.label(run, key)
                rows.append([label if key == HEADLINE else f"{label}, {kind}", *_cells(trials)])
    return table(["On the wire, medians of trials", *WIRE.values()], rows)


def _cells(trials: Sequence[Mapping[str, Any]]) -> list[Cell]:
    cells = []
    for name in WIRE:
        values = [_value(wire, name) for wire in trials]
        shown = figured if name in TIMES else counted
        cells.append(shown(statistics.median(values)))
    return cells


def _value(wire: Mapping[str, Any], name: str) -> float:
    if name == "store_tail" and not tails.carried("p99", wire["requests"]):
        return math.nan
    if name in TIMES:
        return float(wire["store_ms"].get("p99" if name == "store_tail" else "p50", 0.0))
    return float(wire[name].get("p50", 0.0) if name == "batch" else wire[name])


def _checks(name: str, contender: ContenderData) -> Markup:
    heads = ["", f"{name} promises", "Speaking", "First difference"]
    return folded(f"{name}: its verification", table(heads, checks.rows(contender.verified), (1, 2, 3), "wraps"))
