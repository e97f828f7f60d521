"""The sections of a comparison's report, each a function of a run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting, plots
from sentinel.lab.experiments.compare import tables
from sentinel.lab.experiments.compare.answer import title
from sentinel.lab.experiments.compare.record import A, B, Record
from sentinel.lab.experiments.compare.sides import kept
from sentinel.lab.presentation import shift as words
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.style import OLD_AND_NEW
from sentinel.lab.presentation.tables import folded, paragraphs, stressed, table, tag, together
from sentinel.lab.report import heading, terminal
from sentinel.lab.report.memory import COUNTED
from sentinel.lab.report.profiles import drawing
from sentinel.lab.run.queries import Curve
from sentinel.lab.statistics.sessions.tail import between
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from markupsafe import Markup

    from sentinel.lab.experiments.compare.record import Bytes, Stages
    from sentinel.lab.experiments.compare.sides.kept import Histograms
    from sentinel.lab.presentation.style import Style
    from sentinel.lab.run.run import Run

STYLES = dict(zip((A, B), OLD_AND_NEW, strict=True))
SHOWN = 2
"""Figures of a section that are not folded away: those of the last configurations, which runs are about."""
FUNCTIONS, PLACES = 15, 24
"""Rows of the tables of functions and of places."""
LEAD = (
    "Nothing was measured for this page. Machine and commit below are those of the session that made it; those of the"
    " two runs stand in the table."
)


def header(run: Run) -> HTML:
    """Which two runs these are, and how this page came about."""
    record = run.sections(Record)
    runs = table(["", *record.sides], tables.sides(record), words=range(1, 3), class_="wraps") if record.sides else ""
    return HTML(together([runs, heading.heading(run, lead=LEAD)], "\n"))


def results(run: Run) -> HTML:
    """Every key measure in both runs, its ratio and what that says; what differs between the runs."""
    record = run.sections(Record)
    if not record.columns:
        return nothing("No measure has a value in both runs: there is nothing to compare.")
    whole = [tables.key(column, judged=not record.forbidding) for column in record.columns]
    notes = tag("div", paragraphs(tables.notes(record)), class_="notes")
    apart = tables.differences(record)
    # What forbids to judge comes before what is not judged.
    return HTML(together([apart, *whole, notes] if record.forbidding else [*whole, notes, apart], "\n"))


def capacity(run: Run) -> HTML:
    """Every capacity trial of both runs as a dot."""
    rates: dict[str, list[float]] = {}
    styles: dict[str, Style] = {}
    for column in run.sections(Record).columns:
        for name, values in zip((A, B), column.capacities, strict=True):
            if values:
                label = f"{name}: {column.label}"
                rates[label], styles[label] = values, STYLES[name]
    if not rates:
        return nothing("Neither run has a valid capacity trial: there is nothing to draw.")
    caption = "One dot per trial; A above, B below. The trials of two runs were never neighbours in time."
    return HTML(figure_html(plots.capacity(rates, styles), caption))


# -- latency ---------------------------------------------------------------------------------------------------------


def latency(run: Run) -> HTML:
    """Percentile spectra of both runs, one over the other, a figure a configuration."""
    return _drawn(run, _spectrum)


def shift(run: Run) -> HTML:
    """Where in the tail the two runs differ, a figure a configuration."""
    # Words are for runs that may be judged.
    return _drawn(run, partial(_shift, told=not run.sections(Record).forbidding))


def _drawn(run: Run, draw: Callable[[str, Histograms, str], Markup | None]) -> HTML:
    notes = _notes(run)
    made = {label: draw(label, sides, notes.get(label, "")) for label, sides in kept.latencies(run).items()}
    shown = {label: figure for label, figure in made.items() if figure}
    if not shown:
        return nothing(f"Latencies are not compared: {_lacking(run)}.")
    return HTML(together([*_ordered(shown), _missing(made)], "\n"))


def _notes(run: Run) -> dict[str, str]:
    """What is to be known of a configuration's load, behind a blank."""
    return {column.label: "".join(f" {why}" for why in column.why) for column in run.sections(Record).columns}


def _spectrum(label: str, sides: Histograms, note: str) -> Markup | None:
    panels = {
        kind: [Curve(name, name, sides[name][kind]) for name in (A, B) if sides[name][kind]] for kind in words.TITLES
    }
    panels = {kind: curves for kind, curves in panels.items() if len(curves) == len(STYLES)}
    if not panels:
        return None
    caption = (
        f"{label}: latency over percentile, the axis spread towards the tail; A dashed, B solid. Thick: all trials that"
        f" sustained the load together; thin: single ones.{note}"
    )
    return figure_html(plots.spectrum(panels, STYLES), caption)


def _shift(label: str, sides: Histograms, note: str, *, told: bool) -> Markup | None:
    panels = {kind: between(sides[B][kind], sides[A][kind]) for kind in words.TITLES}
    panels = {kind: values for kind, values in panels.items() if values.n and len(values.shares)}
    if not panels:
        return None
    picture = plots.shift(panels, B, A, STYLES[B])
    sentences = paragraphs(map(stressed, words.sentences(panels, B, A))) if told else ""
    return together([figure_html(picture, f"{label}: {words.caption(panels, B, A)}{note}"), sentences])


def _ordered(figures: Mapping[str, Markup]) -> list[Markup]:
    """The last few in sight, the others folded away."""
    last = list(figures)[-SHOWN:]
    rest = [folded(label, figure) for label, figure in figures.items() if label not in last]
    return [*(figures[label] for label in last), *rest]


def _lacking(run: Run) -> str:
    """Which of the runs has no latencies of what both have, in a clause."""
    whole = kept.latencies(run).values()
    lacking = [name for name in STYLES if not any(trials for sides in whole for trials in sides[name].values())]
    return f"no trial under a load left any in {formatting.joined(lacking or list(STYLES))}"


def _missing(made: Mapping[str, Markup | None]) -> Markup:
    """What is not shown."""
    without = [label for label, figure in made.items() if not figure]
    if not without:
        return paragraphs([])
    return tag("p", f"Without latencies in both runs: {formatting.joined(without)}.", class_="notes")


# -- where it goes ---------------------------------------------------------------------------------------------------


def cpu(run: Run) -> HTML:
    """Where CPU time goes in both runs: stages, functions, and the differential flame graphs."""
    record = run.sections(Record)
    if not record.stages:
        return nothing(f"CPU is not compared: {record.lacking.get('cpu', 'there is nothing to compare.')}")
    caption = tag("p", tables.sampling(record.stages), class_="notes")
    return HTML(together([*(_profile(run, *each) for each in record.stages.items()), caption], "\n"))


def _profile(run: Run, label: str, profile: Stages) -> Markup:
    rows = tables.functions(profile)[:FUNCTIONS]
    heads = ["Function, itself", "A, %", "B, %", "change, points"]
    path = kept.graph(run, profile.graph)
    graph = drawing(run, path, f"{label}: differential flame graph") if path else tag("p", profile.why, class_="notes")
    changed = folded(f"{label}: the functions that changed most", table(heads, rows)) if rows else ""
    return together([tag("h3", label), table(tables.STAGE_HEADS, tables.stages(profile)), changed, graph])


def memory(run: Run) -> HTML:
    """Where bytes are allocated in both runs, and where more and where less."""
    record = run.sections(Record)
    if not record.bytes:
        return nothing(f"Memory is not compared: {record.lacking.get('memory', 'there is nothing to compare.')}")
    made = {label: _places(label, seen) for label, seen in record.bytes.items()}
    note = f"{COUNTED}; one trial of each run. Places are functions with their files, whatever line they stand in."
    return HTML(together([*_ordered(made), tag("p", note, class_="notes")], "\n"))


def _places(label: str, seen: Bytes) -> Markup:
    if not seen.places:
        return tag("p", f"{label}: no place allocates more or less per message.", class_="notes")
    caption = (
        f"{label}: where bytes per message changed most, from {formatting.figure(seen.whole[0])} in A to"
        f" {formatting.figure(seen.whole[1])} in B."
    )
    picture = plots.memory_difference(seen.places, (A, B), STYLES)
    rows = [[place, *map(formatting.figure, (a, b)), tables.signed(b - a)] for place, a, b in seen.places[:PLACES]]
    heads = ["Place", "A, B/message", "B, B/message", "change"]
    return together([figure_html(picture, caption), folded(f"The {len(rows)} largest as a table", table(heads, rows))])


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    record = run.sections(Record)
    if not record.columns:
        return f"run {run.id}: no results"
    judged, lines = not record.forbidding, []
    if record.forbidding:
        rows = [[each.name, each.a, each.b] for each in record.forbidding]
        lines += [*text_table.table(["what forbids to judge", A, B], rows, left=(0, 1, 2)), ""]
    for column in record.columns:
        rows = [[tables.head(r), *tables.cells(r), *([tables.word(r.verdict)] if judged else [])] for r in column.rows]
        heads = tables.HEADS if judged else tables.HEADS[:-1]
        lines += [column.label, *text_table.table(heads, rows, left=(0, len(tables.HEADS) - 1))]
        lines += [*map(text_table.note, column.why), ""]
    sides = [f"{name}: {title(side)}" for name, side in record.sides.items()]
    return terminal.with_notes(run, lines[:-1], [*sides, *tables.notes(record)])
