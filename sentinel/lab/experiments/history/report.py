"""The sections of a history's report, each a function of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting
from sentinel.lab.experiments.history.answer import between, commit, worded
from sentinel.lab.experiments.history.record import Record
from sentinel.lab.experiments.history.summary import levels
from sentinel.lab.index.alike import LEFT_OUT, PASSED_OVER
from sentinel.lab.index.trend import INK, Dot, Level, Trend, panel
from sentinel.lab.presentation.figures import nothing
from sentinel.lab.presentation.style import KNOWN
from sentinel.lab.presentation.tables import folded, items, paragraphs, table, tag, together
from sentinel.lab.report import heading, terminal

if TYPE_CHECKING:
    from markupsafe import Markup

    from sentinel.lab.experiments.history.record import Followed, Point, Series
    from sentinel.lab.run.run import Run

CARDS = (
    "display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,310px),1fr));gap:.75rem;margin-bottom:.5rem"
)
CHANGES = ["Figure", "Last run before", "First run after", "After ÷ before", "What it is", "p", "What else changed"]


def header(run: Run) -> HTML:
    """How many runs there are, which are left out; what they have in common stands in a section of its own."""
    record = run.sections(Record)
    count, left = len(record.followed), len(record.left_out)
    lead = (
        f"{formatting.counted(count, 'run')} of {run.data.parameters['NOTEBOOK']}, {left} left out. Nothing was"
        " measured for this page: machine and commit below are those that made it."
    )
    return HTML(heading.heading(run, lead=lead))


def figures(run: Run) -> HTML:
    """A panel a key figure: a dot a run, its bar the interval, levels between change points."""
    record = run.sections(Record)
    if not record.series:
        return nothing("No run has a key figure: there is nothing to draw.")
    panels = [panel_of(series, record.followed) for series in record.series]
    cards = [tag("div", drawn, class_="card", style="margin:0;break-inside:avoid") for drawn in panels]
    caption = (
        "A dot is a run, its bar the interval of its median; below the axis the commit where it changes, oldest run"
        " left. A dashed line is a change point, with after ÷ before above it; the level lines are the medians between."
        " Scales do not begin at zero."
    )
    drawn = tag("div", together(cards), style=CARDS)
    return HTML(tag("figure", together([drawn, tag("figcaption", caption)]), style="break-inside:auto"))


def panel_of(series: Series, runs: list[Followed]) -> Markup:
    """The panel of one figure, under its name.

    Args:
        series: What is drawn.
        runs: Those of the history.
    """
    colour = KNOWN[series.column].colour if series.column in KNOWN else INK
    dots = [Dot(p.value, p.low, p.high, commit(runs[p.run]), told(series, p, runs[p.run])) for p in series.points]
    drawn = [Level(*stretch) for stretch in levels(series)] if series.changes else []
    marks = {change.at: formatting.times(change.ratio) for change in series.changes}
    title = together([tag("strong", series.column), f" {series.title}, {series.unit}"])
    body = panel(Trend(dots, alt(series, runs), colour, drawn, marks))
    return together([tag("div", title, style="font-size:.875rem;line-height:1.35;overflow-wrap:anywhere"), body])


def told(series: Series, point: Point, run: Followed) -> str:
    """What a dot's tooltip says.

    Args:
        series: Which it is of.
        point: The dot.
        run: Whose figure it is.
    """
    value = f"{formatting.figure(point.value)} {series.unit}"
    return f"{_moment(run)} {commit(run)}: {value}{_interval(point)} ({run.id})"


def alt(series: Series, runs: list[Followed]) -> str:
    """A panel in words with numbers.

    Args:
        series: What is drawn.
        runs: Those of the history.
    """
    values = [point.value for point in series.points]
    first, last, low, high = (formatting.figure(v) for v in (values[0], values[-1], min(values), max(values)))
    whole = (
        f"{series.name}, {series.unit}, in {len(values)} runs: from {first} to {last}, {low} at least, {high} at most"
    )
    ends = [between(series, change, runs) for change in series.changes]
    changed = [
        f"{formatting.times(change.ratio)} between {commit(before)} and {commit(after)}"
        for change, (before, after) in zip(series.changes, ends, strict=True)
    ]
    return f"{whole}; {'changed ' + ', '.join(changed) if changed else 'no change point'}."


def latest(run: Run) -> HTML:
    """Every key figure: its newest value, what all runs span, and its change points."""
    record = run.sections(Record)
    if not record.series:
        return nothing("No run has a key figure: there is nothing to tabulate.")
    heads = ["Key figure, unit", "Newest run", "Its interval", "Smallest", "Largest", "Runs", "Change points"]
    below = tag("div", paragraphs([_coverage(record)]), class_="notes")
    return HTML(together([table(heads, [_row(series, record) for series in record.series]), below]))


def _row(series: Series, record: Record) -> list[str]:
    values, newest = [point.value for point in series.points], series.points[-1]
    enough = record.answer is None or len(values) >= record.answer.needed
    return [
        f"{series.column}: {series.title}, {series.unit}",
        formatting.figure(newest.value),
        _interval(newest).strip(", ") or formatting.NOTHING,
        formatting.figure(min(values)),
        formatting.figure(max(values)),
        str(len(values)),
        str(len(series.changes)) if enough else f"takes {record.answer.needed if record.answer else ''} runs",
    ]


def _interval(point: Point) -> str:
    if point.low is None or point.high is None:
        return ""
    return f", {formatting.figure(point.low)} to {formatting.figure(point.high)}"


def _coverage(record: Record) -> str:
    """What the intervals are, from the runs' own numbers of trials."""
    covers = sorted({p.coverage for series in record.series for p in series.points if p.coverage is not None})
    if not covers:
        return "Single trials have no interval."
    ends = " to ".join(dict.fromkeys(f"{100 * share:.1f}" for share in (covers[0], covers[-1])))
    return (
        f"Medians over a run's valid trials, with {ends} % intervals by order statistics: between two trials of"
        " the same run. They say how surely a run knows its figure; how far runs differ, only the runs show."
    )


def changes(run: Run) -> HTML:
    """Every change point: between which runs and commits, by how much, and what else changed there."""
    record = run.sections(Record)
    rows = [row for series in record.series for row in _changes(series, record.followed)]
    if not rows:
        return nothing("No change point: either nothing changed, or there are too few runs to tell.")
    note = (
        "After ÷ before is the Hodges-Lehmann estimate over the runs up to the next change points. It has no interval:"
        " a place was chosen where the difference is largest, which no interval of fixed places knows of."
    )
    return HTML(together([table(CHANGES, rows, words=(1, 2, 4, 6)), tag("div", paragraphs([note]), class_="notes")]))


def _changes(series: Series, runs: list[Followed]) -> list[list[object]]:
    rows: list[list[object]] = []
    for change in series.changes:
        last, first = between(series, change, runs)
        same = last.commit == first.commit and not (last.dirty or first.dirty)
        rest = [*(["not the commit"] if same else []), *change.beside]
        cells = [_named(last), _named(first), formatting.times(change.ratio), worded(change), f"{change.p:.3f}"]
        rows.append([series.name, *cells, "; ".join(rest) or "nothing that is recorded"])
    return rows


def _named(run: Followed) -> Markup:
    return together([f"{_moment(run)} ", tag("code", commit(run))])


def _moment(run: Followed) -> str:
    return run.created[:16].replace("T", " ")


def runs(run: Run) -> HTML:
    """The runs that the page is about, newest first, and those that it is not about, with the reason."""
    record = run.sections(Record)
    rows = [
        [_named(each), tag("a", each.id, href=f"../{each.folder}/report.html"), _versions(each)]
        for each in reversed(record.followed)
    ]
    listed = table(["Began", "Page", "Versions"], rows, words=(1, 2), class_="wraps")
    left = [f"{each.folder}: {each.why}" for each in record.left_out]
    more = [folded(f"{formatting.counted(len(left), 'other')} left out", items(left))] if left else []
    return HTML(together([listed, *more]))


def _versions(run: Followed) -> str:
    return ", ".join(f"{name} {version}" for name, version in run.versions.items())


def comparable(run: Run) -> HTML:
    """What makes runs comparable, as these have it, and which facts do not count, with the reason."""
    alike = run.sections(Record).alike
    facts = {"machine": alike.machine, "stack": alike.stack, "load": alike.load}
    rows = [[name, what, value] for what, known in facts.items() for name, value in known.items()]
    same = table(["Must be the same", "Of", "Here"], rows, words=(1, 2), class_="wraps")
    without = [[name, why] for name, why in {**PASSED_OVER, **LEFT_OUT}.items()]
    rest = table(["Does not count", "Why"], without, words=(1,), class_="wraps")
    return HTML(together([same, folded("Facts and parameters that do not count, and why", rest)]))


def terminal_table(run: Run) -> str:
    """The key figures as plain text, as wide as a terminal."""
    record = run.sections(Record)
    if not record.series:
        return f"run {run.id}: no results"
    rows = [[*row[:2], *row[3:]] for row in (_row(series, record) for series in record.series)]
    heads = ["", "newest", "smallest", "largest", "runs", "changes"]
    return terminal.with_notes(run, terminal.key_table(heads, rows), [])
