"""The sections of an ablation's report, each a function of a run; what benchmarks have too is in `report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from IPython.display import HTML

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation import plots, results
from sentinel.lab.experiments.ablation.contributions import MEASURES, short
from sentinel.lab.experiments.ablation.record import of_run
from sentinel.lab.experiments.ablation.results import HEADS, NOTES
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.tables import Markup, folded, hinted, paragraphs, table, tag, together
from sentinel.lab.profiling import memory as profiling
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.run.run import Run

__all__ = ["contributions", "load", "memory", "switched_off", "waterfall"]

MODULES = 8
"""Rows of the table of allocators."""


def load(run: Run) -> str:
    """What was offered, for the report's head."""
    p = run.data["parameters"]
    counts = sorted({o.plan.load.count for o in queries.outcomes(run) if o.plan.kind == CAPACITY})
    span = " to ".join(formatting.plain(count) for count in dict.fromkeys([*counts[:1], *counts[-1:]]))
    return (
        f"full streams of {span or 'no'} messages, more for faster ones, drained by the consumer alone;"
        f" {p['CODEC']} from {formatting.counted(p['WORKERS'], 'worker')}, {formatting.counted(p['REPEATS'], 'repeat')}"
    )


def waterfall(run: Run) -> HTML:
    """From `baseline` to `optimised`, step by step."""
    by_measure = results.found(run)
    if not by_measure:
        return nothing("No valid trial: there is nothing to draw.")
    caption = (
        "Each bar reaches from the median of the step before to the step's own; on a log axis its length is its factor,"
        f" and the lengths add up to the whole way.{_left_out(run)}"
    )
    return HTML(figure_html(plots.waterfall(by_measure), caption))


def switched_off(run: Run) -> HTML:
    """`optimised` against itself without each choice."""
    by_measure = results.found(run)
    if not by_measure:
        return nothing("No valid trial: there is nothing to draw.")
    bands = "; ".join(f"{measure.title} {formatting.floor(steps[0].band)}" for measure, steps in by_measure.items())
    caption = (
        "Large: one choice taken off optimised, with its interval. Small: the same choice on the way up; where the two"
        " lie apart, what the choice brings depends on the others, and of the choice that is switched on last they are"
        f" the same trials. Shaded: the noise floor either way ({bands}).{_left_out(run)}"
    )
    return HTML(figure_html(plots.taken_off(by_measure), caption))


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
    rows, record = [], of_run(run)
    for name in queries.names(run):
        medians, spread = record.summary.get(name, {}), record.spread.get(name, {})
        cells = [
            hinted(formatting.figure(medians.get(m.name)), formatting.spread(spread.get(m.name))) for m in MEASURES
        ]
        rows.append([hinted(short(name), name), *cells])
    return table(["Configuration", *(f"{m.title}, {m.unit}" for m in MEASURES)], rows)


def _left_out(run: Run) -> str:
    bad = [str(o.plan.number) for o in queries.outcomes(run) if not o.valid]
    return f" Invalid and left out: trial {formatting.joined(bad)}." if bad else ""


# -- memory ---------------------------------------------------------------------------------------------------------


def memory(run: Run) -> HTML:
    """Which modules allocate in each configuration; memray's own pages."""
    memories = queries.memories(run)
    if not run.data["parameters"]["MEMRAY"]:
        return nothing("Memory was not measured: MEMRAY=False.")
    if not memories:
        return nothing(f"No valid memory trial: there is nothing to show.{_left_out(run)}")
    heads = ["Bytes per message by module", *(hinted(short(name), name) for name in memories)]
    note = f"memray, every request with its full size, freed or not; n = 1 trial each.{_left_out(run)}"
    parts = [table(heads, _modules(memories), class_="dense"), tag("p", note, class_="notes"), _pages(run, memories)]
    return HTML(together(parts, "\n"))


def _modules(memories: Mapping[str, Mapping[str, Any]]) -> list[list[str]]:
    columns = [summary["modules"] for summary in memories.values()]
    largest = {name: max(column.get(name, 0.0) for column in columns) for column in columns for name in column}
    names = sorted(largest, key=lambda name: -largest[name])[:MODULES]
    totals = [formatting.figure(summary["bytes_per_message"]) for summary in memories.values()]
    return [[name, *(formatting.figure(column.get(name)) for column in columns)] for name in names] + [["all", *totals]]


def _pages(run: Run, memories: Mapping[str, object]) -> Markup:
    beside = f"../../{run.profiles.relative_to(run.root).as_posix()}"
    links = [
        tag("a", f"{short(name)}: {called}", href=f"{beside}/{quote(f'{name}-{kind}.html')}")
        for name in memories
        for kind, called in profiling.PAGES.items()
        if (run.profiles / f"{name}-{kind}.html").exists()
    ]
    if not links:
        return tag("p", "memray's pages are not beside this run.", class_="notes")
    return tag("p", together(["memray's pages, beside the run's folder: ", together(links, " · ")]), class_="notes")
