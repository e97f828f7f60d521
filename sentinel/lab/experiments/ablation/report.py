"""The sections of an ablation's report, each a function of a run; what benchmarks have too is in `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation import plots, results
from sentinel.lab.experiments.ablation.contributions import MEASURES, short
from sentinel.lab.experiments.ablation.record import Record
from sentinel.lab.experiments.ablation.results import HEADS, NOTES
from sentinel.lab.offered import shape, sources
from sentinel.lab.presentation import repeats
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.tables import Cell, figured, folded, hinted, paragraphs, table, tag, together
from sentinel.lab.report.answers import raw
from sentinel.lab.report.captions import left_out
from sentinel.lab.report.memory import COUNTED, by_module
from sentinel.lab.report.profiles import memray_pages
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY
from sentinel.lab.statistics.measures import column

if TYPE_CHECKING:
    from markupsafe import Markup

    from sentinel.lab.run.run import Run

__all__ = ["contributions", "load", "memory", "switched_off", "waterfall"]

CONTRIBUTIONS = "contributions"
"""The numbers of both figures: each draws some of them."""


def load(run: Run) -> str:
    """The offered load in words, for the report's head."""
    p = run.data.parameters
    counts = sorted({o.plan.load.count for o in queries.outcomes(run) if o.plan.kind == CAPACITY})
    span = " to ".join(formatting.plain(count) for count in dict.fromkeys([*counts[:1], *counts[-1:]]))
    return (
        f"full streams of {span or 'no'} messages, more for faster ones, drained by the consumer alone"
        f"{shape(run.data)}; {p['CODEC']} from {sources(p)}, {repeats.repeated(run, 'repeat')}"
    )


def waterfall(run: Run) -> HTML:
    """The figure from `baseline` to `optimised`, step by step."""
    by_measure = results.by_measure_of(run)
    if not by_measure:
        return nothing("No valid trial: there is nothing to draw.")
    caption = (
        "Each bar reaches from the median of the step before to the step's own; on a log axis its length is its factor,"
        f" and the lengths add up to the whole way.{left_out(run)}"
    )
    picture = plots.waterfall(by_measure)
    return HTML(figure_html(picture, caption, data=raw.drawn(run, CONTRIBUTIONS, picture)))


def switched_off(run: Run) -> HTML:
    """The figure of `optimised` against itself without each choice."""
    by_measure = results.by_measure_of(run)
    if not by_measure:
        return nothing("No valid trial: there is nothing to draw.")
    bands = "; ".join(
        f"{measure.title} {formatting.floor(max(step.band for step in steps))}" for measure, steps in by_measure.items()
    )
    caption = (
        "Large: one choice taken off optimised, with its interval. Small: the same choice on the way up; where the two"
        " lie apart, what the choice brings depends on the others, and of the choice that is switched on last they are"
        f" the same trials. Shaded: the noise floor either way ({bands}).{left_out(run)}"
    )
    picture = plots.taken_off(by_measure)
    return HTML(figure_html(picture, caption, data=raw.drawn(run, CONTRIBUTIONS, picture)))


def contributions(run: Run) -> HTML:
    """Every choice's contribution to every measure, with its intervals; the medians of all configurations folded."""
    shown = results.tables(run)
    if not shown:
        return nothing("No valid trial: there are no results.")
    parts = []
    for listed in shown:
        parts += [table([listed.title, *HEADS], listed.rows, words=(len(HEADS),))]
        parts += [tag("p", f"{listed.note[0].upper()}{listed.note[1:]}", class_="notes")]
    parts += [tag("div", paragraphs(NOTES), class_="notes"), folded("Medians of every configuration", _medians(run))]
    return HTML(together(parts, "\n"))


def _medians(run: Run) -> Markup:
    rows, record = [], run.sections(Record)
    for name in queries.names(run):
        medians, spread = record.summary.get(name, {}), record.spread.get(name, {})
        cells = [
            figured(
                medians.get(m.name),
                raw.median(run, column(name, run.data.trials), m.name),
                formatting.spread(spread.get(m.name)),
            )
            for m in MEASURES
        ]
        rows.append([hinted(short(name), name), *cells])
    return table(["Configuration", *(f"{m.title}, {m.unit}" for m in MEASURES)], rows)


# -- memory ---------------------------------------------------------------------------------------------------------


def memory(run: Run) -> HTML:
    """A table of the modules that allocate in each configuration, and links to memray's own pages."""
    memories = queries.memories(run)
    if not run.data.parameters["MEMRAY"]:
        return nothing("Memory was not measured: MEMRAY=False.")
    if not memories:
        return nothing(f"No valid memory trial: there is nothing to show.{left_out(run)}")
    heads = ["Bytes per message by module", *(hinted(short(name), name) for name in memories)]
    rows: list[list[str | Cell]] = [
        *by_module(memories),
        ["all", *(figured(summary["bytes_per_message"]) for summary in memories.values())],
    ]
    note = tag("p", f"{COUNTED}; n = 1 trial each.{left_out(run)}", class_="notes")
    parts = [table(heads, rows, class_="dense"), note, memray_pages(run, {name: short(name) for name in memories})]
    return HTML(together(parts, "\n"))
