"""The sections of a regression test's report, each a function of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting, plots
from sentinel.lab.experiments.regression import markdown
from sentinel.lab.experiments.regression.answer import DIGITS, TITLES
from sentinel.lab.experiments.regression.record import BASE, HEAD, Record
from sentinel.lab.offered import shape, sources
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.style import Style, styles
from sentinel.lab.presentation.tables import Cell, figured, folded, paragraphs, table, tag, together
from sentinel.lab.report import heading, terminal
from sentinel.lab.report.answers import raw
from sentinel.lab.report.captions import left_out
from sentinel.lab.report.profiles import memray_pages
from sentinel.lab.run import queries, series
from sentinel.lab.run.queries import Curve
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, WARM_UP
from sentinel.lab.statistics.measures import column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from sentinel.lab.experiments.regression.record import Side
    from sentinel.lab.run.run import Run

LABELS = (BASE, BASE + CONTROL, HEAD)
DOTTED = (0, (1.2, 1.2))


def header(run: Run) -> HTML:
    """How far it can be trusted, and what was measured."""
    p = run.data.parameters
    trials = formatting.counted(len(run.data.trials), "trial")
    lead = f"Two versions of the consumer ({p['CONFIGURATION']}) in {trials}, each in fresh processes."
    return HTML(heading.heading(run, _load(run), lead))


def _load(run: Run) -> str:
    p = run.data.parameters
    offered = f"; {formatting.plain(p['RATE'])} msg/s over {p['TRANSPORT']}, {formatting.plain(p['DURATION'])} s after"
    counts = sorted({o.plan.load.count for o in run.data.trials if o.plan.kind == CAPACITY})
    return (
        f"full streams of {formatting.joined([formatting.plain(count) for count in counts]) or 'no'} messages"
        f"{f'{offered} the warm-up' if p['RATE'] else ''}{shape(run.data)}; {p['CODEC']} from"
        f" {sources(p)}, {formatting.counted(p['REPEATS'], 'round')}"
    )


def versions(run: Run) -> HTML:
    """Both commits, whether they are as committed, and what each consumer's interpreter imported."""
    sides = run.sections(Record).sides
    if not sides:
        return nothing("Neither version was installed.")
    facts: dict[str, list[str]] = {
        "Asked for": [side.ref for side in sides.values()],
        "Commit": [side.commit[:DIGITS] for side in sides.values()],
        "Subject": [side.subject for side in sides.values()],
        "Not as committed": [_changes(side) for side in sides.values()],
        "Package imported": [side.module for side in sides.values()],
    }
    rows = [[fact, *cells] for fact, cells in facts.items()]
    return HTML(table(["", *sides], rows, words=range(1, 1 + len(sides))))


def _changes(side: Side) -> str:
    return ", ".join(side.changed) or "nothing"


def results(run: Run) -> HTML:
    """Every measure on both sides, its ratio and what that says."""
    record = run.sections(Record)
    rows = markdown.rows(run)
    if not rows:
        return nothing("No measure has a value on both sides: there is nothing to compare.")
    below = tag("div", paragraphs(_notes(record)), class_="notes")
    pages = memray_pages(run, {BASE: BASE, HEAD: HEAD}) if queries.memories(run) else ""
    return HTML(together([table(_heads(), rows, words=(4,)), below, pages]))


def _heads() -> list[str]:
    return [f"{head[:1].upper()}{head[1:]}" for head in markdown.HEADS]


def _notes(record: Record) -> list[str]:
    answer = record.answer
    floors = [
        f"{TITLES[name]} {formatting.times(judgement.floor)}"
        for name, judgement in (answer.judgements if answer else {}).items()
        if judgement.floor is not None
    ]
    noise = f"Noise floors, from base measured twice: {', '.join(floors)}." if floors else ""
    return [text for text in (markdown.how(record), noise) if text]


def looks() -> dict[str, Style]:
    """The look of each leg."""
    pair = styles([BASE, HEAD])
    return {BASE: pair[BASE], BASE + CONTROL: replace(pair[BASE], line=DOTTED, hollow=True), HEAD: pair[HEAD]}


def capacity(run: Run) -> HTML:
    """Every capacity trial as a dot, base's second leg among them."""
    trials = {label: queries.of_column(run.data.trials, label, CAPACITY) for label in LABELS}
    rates = {label: [o.throughput for o in valid if o.valid] for label, valid in trials.items()}
    rates = {label: values for label, values in rates.items() if values}
    if not rates:
        return nothing("No valid capacity trial: there is nothing to draw.")
    caption = f"One dot per trial. base was measured twice in every round (A/A).{left_out(run, CAPACITY)}"
    picture = plots.capacity(rates, looks())
    return HTML(figure_html(picture, caption, data=raw.drawn(run, "capacity", picture)))


def latency(run: Run) -> HTML:
    """Percentile spectra of all legs."""
    if not run.data.parameters["RATE"]:
        return nothing("Latencies were not compared: RATE=0.")
    panels: dict[str, list[Curve]] = {kind: [] for kind in queries.KINDS}
    for label in LABELS:
        trials = [
            series.histograms(run.trial_folder(o.plan.number), o.started + int(WARM_UP * 1e9))
            for o in queries.of_column(run.data.trials, label, LATENCY)
            if o.valid
        ]
        for kind, curves in panels.items():
            if repeats := [trial[kind] for trial in trials if len(trial[kind])]:
                curves.append(Curve(label, label, repeats))
    panels = {kind: curves for kind, curves in panels.items() if curves}
    if not panels:
        return nothing("No valid trial under a load left a histogram behind: there is nothing to draw.")
    caption = (
        f"Latency over percentile at {formatting.plain(run.data.parameters['RATE'])} msg/s, the axis spread towards the"
        f" tail. Thick: all rounds together; thin: single rounds.{left_out(run, LATENCY)}"
    )
    picture = plots.spectrum(panels, looks(), queries.percentiles(run))
    drawn = figure_html(picture, caption, data=raw.drawn(run, "latency", picture))
    return HTML(together([drawn, _percentiles(run, list(panels))]))


def _percentiles(run: Run, kinds: list[str]) -> Markup:
    """Medians of the rounds' percentiles, a row each, a column a leg; folded."""
    summary = run.sections(Record).summary
    rows = [
        [f"{queries.KINDS[kind]} {name}", *(_median(run, summary, label, f"{kind}_{name}") for label in LABELS)]
        for kind in kinds
        for name in queries.percentiles(run)
    ]
    return folded("The percentiles as a table", table(["Median of the rounds, ms", *LABELS], rows))


def _median(run: Run, summary: Mapping[str, Mapping[str, float | None]], label: str, measure: str) -> Cell:
    trials = column(label, run.data.trials)
    return figured(summary.get(label, {}).get(measure), raw.median(run, trials, measure))


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    record = run.sections(Record)
    if not (rows := markdown.texts(run)):
        return f"run {run.id}: no results"
    sides = [f"{label}: {side.ref} {side.commit[:12]} {side.subject}" for label, side in record.sides.items()]
    return terminal.with_notes(run, terminal.key_table(["", *markdown.HEADS[1:]], rows), [*sides, markdown.how(record)])
