"""The report's section on CPU: what of a message's microseconds each stage takes, and which functions take most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting, plots
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.tables import (
    Cell,
    counted,
    figured,
    folded,
    paragraphs,
    percent,
    table,
    tag,
    together,
)
from sentinel.lab.profiling import cpu as pyspy
from sentinel.lab.profiling import stacks
from sentinel.lab.report.answers import raw
from sentinel.lab.report.profiles import drawing
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, PROFILE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from sentinel.lab.profiling.stacks import Breakdown
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

FUNCTIONS = 12
"""Rows of the table of functions."""
CODING = ("decode", "encode")
"""Stages that a codec bears upon."""


def cpu(run: Run) -> HTML:
    """CPU per message by stage, the functions at the top, and the flame graphs."""
    if not run.data.parameters.get("PYSPY", True):
        return nothing("CPU was not profiled: PYSPY=False.")
    if why := run.data.unprofiled:
        return nothing(f"CPU was not profiled: {why}.")
    profiles = profiled(run)
    if not profiles:
        return nothing(f"No profile trial left samples behind: there is nothing to show.{_left_out(run)}")
    parts = {name: stacks.breakdown(outcome.profile, _cost(run, name)) for name, outcome in profiles.items()}
    picture = plots.stages(parts)
    drawn = figure_html(picture, f"{_caption(parts)}{_left_out(run)}", data=raw.drawn(run, "stages", picture))
    shown = [drawn, _by_stage(run, profiles, parts), _codec(run, profiles, parts)]
    shown += [_functions(name, outcome, parts[name]) for name, outcome in profiles.items()]
    return HTML(together([*shown, *_graphs(run, list(profiles))], "\n"))


def profiled(run: Run) -> dict[str, Outcome]:
    """Each configuration's valid profile trial that left samples."""
    trials = queries.outcomes(run)
    return {
        name: outcome
        for name in queries.names(run)
        for outcome in queries.of_column(trials, name, PROFILE)
        if outcome.valid and outcome.profile
    }


def _cost(run: Run, name: str) -> float | None:
    return run.data.summary.get(name, {}).get("capacity_cpu_us")


def _left_out(run: Run) -> str:
    there = {o.plan.number for o in profiled(run).values()}
    bad = [o for o in queries.outcomes(run) if o.plan.kind == PROFILE and o.plan.number not in there]
    whys = ["; ".join([*o.problems, *o.warnings])[:500] for o in bad]
    return "".join(
        f" Left out: trial {o.plan.number} ({o.plan.label}): {why}." for o, why in zip(bad, whys, strict=True)
    )


def _caption(parts: Mapping[str, Breakdown]) -> str:
    fewest = min(breakdown.samples for breakdown in parts.values())
    return (
        f"py-spy, {pyspy.RATE} samples a second while a full stream is drained, one trial each. Microseconds: the"
        " share of the samples × the median CPU per message of the capacity trials, in which nothing was profiled."
        f" With n = {formatting.count(fewest)} samples a share is known to within ± {100 * 0.98 / fewest**0.5:.1f}"
        " percentage points (sampling alone; another trial may differ more). A thread counts while it runs or waits"
        " for a core or for the interpreter: where less of the sampled time was CPU, the stages that call the system"
        " are overstated."
    )


def _by_stage(run: Run, profiles: Mapping[str, Outcome], parts: Mapping[str, Breakdown]) -> Markup:
    rows = [[stage, *(figured(breakdown.us(stage)) for breakdown in parts.values())] for stage in stacks.STAGES]
    rows.append(["all stages", *(figured(breakdown.cpu_us) for breakdown in parts.values())])
    rows.append(["all stages, while sampled", *(figured(outcome.cpu_us) for outcome in profiles.values())])
    rows.append(["CPU, % of the sampled time", *map(_busy, profiles.values(), parts.values())])
    rows.append(
        [
            "messages, while sampled",
            *(counted(outcome.consumer.get("received")) for outcome in profiles.values()),
        ]
    )
    notes = [_amortised(run, profiles[name], part) for name, part in parts.items()]
    kept = paragraphs([note for note in notes if note])
    return together([table(["CPU, µs per message", *parts], rows), tag("div", kept, class_="notes")])


def _codec(run: Run, profiles: Mapping[str, Outcome], parts: Mapping[str, Breakdown]) -> Markup:
    """What the messages' codec costs, and where."""
    codec = run.data.recording.codec if run.data.recording else run.data.parameters.get("CODEC", "")
    rows: list[list[object]] = [
        ["a message on the wire, bytes", *(figured(_on_the_wire(o)) for o in profiles.values())],
        *(
            [f"{stage}, µs per message", *(figured(breakdown.us(stage)) for breakdown in parts.values())]
            for stage in CODING
        ),
        [f"{' and '.join(CODING)}, % of CPU", *(figured(_share(breakdown)) for breakdown in parts.values())],
    ]
    note = (
        "Decode reads a message, which is where the codec counts; encode writes its point, the same for all codecs but"
        " for the digits of its numbers."
    )
    return together([table([f"Codec: {codec}", *parts], rows), tag("div", paragraphs([note]), class_="notes")])


def _on_the_wire(outcome: Outcome) -> float | None:
    sent = outcome.sender.get("sent")
    return outcome.sender.get("bytes", 0) / sent if sent else None


def _share(part: Breakdown) -> float:
    return 100 * sum(part.shares.get(stage, 0.0) for stage in CODING)


def _busy(outcome: Outcome, part: Breakdown) -> Cell:
    """How much of the time in which threads were seen at work was CPU time."""
    if outcome.cpu_us is None or not part.samples:
        return figured(None)
    return figured(100 * outcome.cpu_us * outcome.consumer["received"] / 1e6 / (part.samples / pyspy.RATE))


def _amortised(run: Run, outcome: Outcome, part: Breakdown) -> str:
    """Said where a message cost less under py-spy, which slows a program down, than in shorter trials without it."""
    trials = [o for o in queries.of_column(queries.outcomes(run), outcome.plan.label, CAPACITY) if o.valid]
    most, received = max((o.consumer["received"] for o in trials), default=0), outcome.consumer["received"]
    if part.cpu_us is None or outcome.cpu_us is None or outcome.cpu_us >= part.cpu_us or most >= received:
        return ""
    return (
        f"{outcome.plan.label} took {formatting.figure(outcome.cpu_us)} µs per message over the"
        f" {formatting.count(received)} messages of its profile, {formatting.figure(part.cpu_us)} µs over the"
        f" {formatting.count(most)} of a capacity trial: its stages' microseconds are upper bounds."
    )


def _functions(name: str, outcome: Outcome, part: Breakdown) -> Markup:
    rows = []
    for function, (own, whole) in list(outcome.profile["functions"].items())[:FUNCTIONS]:
        itself, called = own / part.samples, whole / part.samples
        us = None if part.cpu_us is None else part.cpu_us * itself
        rows.append([function, percent(itself), percent(called), figured(us)])
    heads = ["Function", "itself, %", "with what it calls, %", "itself, µs/message"]
    return folded(f"{name}: the functions at the top", table(heads, rows))


def _graphs(run: Run, labels: list[str]) -> list[Markup]:
    """Flame graphs: those of a page's size within it, a link to each that is larger."""
    files = {label: run.profiles / pyspy.names(label)[pyspy.GRAPH] for label in labels}
    there = {label: file for label, file in files.items() if file.exists()}
    if not there:
        return [paragraphs(["The flame graphs are not beside this run."], "notes")]
    return [drawing(run, file, f"{label}: flame graph") for label, file in there.items()]
