"""The report's sections, each a function of a run: notebooks call one per cell. Every sentence is computed.

A section without data says so in words instead of failing: an invalid trial, a configuration left out, memray switched
off, an empty series are results too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting, plots, registry
from sentinel.lab.events import timelines
from sentinel.lab.events.event import told
from sentinel.lab.presentation import shift as words
from sentinel.lab.presentation import tables
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.phrase import Phrase
from sentinel.lab.presentation.style import styles
from sentinel.lab.presentation.tables import (
    PUBLISHED,
    Cell,
    counted,
    folded,
    paragraphs,
    stressed,
    table,
    tag,
    together,
)
from sentinel.lab.report import contenders, heading, results
from sentinel.lab.report.answers import raw
from sentinel.lab.report.answers.asked import asked
from sentinel.lab.report.answers.trust import trust
from sentinel.lab.report.captions import left_out, missing
from sentinel.lab.report.cpu import cpu
from sentinel.lab.report.limits import limits
from sentinel.lab.report.memory import memory
from sentinel.lab.report.results import key_figures
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Outcome
from sentinel.lab.statistics import published
from sentinel.lab.statistics.rounds.shift import between

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.statistics.rounds.shift import Shift

__all__ = [
    "answer", "capacity", "cpu", "figure_html", "header", "key_figures", "key_results", "latency", "ledgers", "limits",
    "memory", "over_time", "shift",
]  # fmt: skip


def header(run: Run, load: str = "") -> HTML:
    """What was measured, on what, when; everything else folded away.

    `load` says what was offered, where it was not a benchmark's.
    """
    return HTML(heading.heading(run, load))


# -- results --------------------------------------------------------------------------------------------------------


def key_results(run: Run) -> HTML:
    """The table in the original's shape."""
    several = len(queries.names(run)) > 1
    new, old = run.data.compared
    ratio = [f"{new} ÷ {old}"] if several else []
    heads = ["Measure, unit", *(contenders.label(run, key) for key in queries.keys(run)), *ratio, PUBLISHED]
    body = [
        [
            row.head,
            *row.shown,
            *([row.factored(raw.record(run))] if several else []),
            row.published,
        ]
        for row in results.rows(run)
    ]
    whole = table(heads, body, class_="dense wraps" if len(heads) > tables.AIRY else "")
    marks = results.marks(run)
    more = folded("How to read the table", tag("div", paragraphs(results.notes(run)), class_="notes"))
    return HTML(together([whole, tag("div", paragraphs(marks), class_="notes"), more]))


def latency(run: Run) -> HTML:
    """Percentile spectra."""
    panels = queries.latencies(run)
    if not panels:
        return nothing("No valid latency trial left a histogram behind: there is nothing to draw.")
    trials = [o for o in queries.outcomes(run) if o.plan.kind == LATENCY and o.valid]
    below = sum(int(kind.get("zero", 0) + kind.get("negative", 0)) for o in trials for kind in o.latencies.values())
    caption = (
        "Latency over percentile, the axis spread towards the tail; configurations at"
        f" {formatting.plain(queries.rates(run)['latency'])} msg/s. Thick: all repeats together; thin: single repeats;"
        f" a curve ends where its data end. Marked “published”: the p99 of {published.SOURCE}. Zero or negative, so"
        f" not drawn: {formatting.count(below)}."
    )
    picture = plots.spectrum(panels, styles(queries.names(run)), queries.percentiles(run))
    data = raw.drawn(run, "latency", picture)
    return HTML(figure_html(picture, f"{caption}{left_out(run, LATENCY)}", data=data))


def shift(run: Run, new: str = "", old: str = "") -> HTML:
    """Where in the tail two configurations differ, by how much, and how surely.

    Args:
        run: A benchmark, or any run whose rounds measure both under one load.
        new: A configuration's label; without it, the two that the run compares.
        old: The other's.
    """
    new, old = (new, old) if new else run.data.compared
    if not old or new == old:
        return nothing("There is a single configuration: nothing to compare along the tail.")
    panels = _shifts(run, new, old)
    if not panels:
        return nothing(
            f"No round left the latencies of both {new} and {old} under a load that both sustained: there is nothing to"
            " compare along the tail."
        )
    picture = plots.shift(panels, new, old, styles(queries.names(run))[new], queries.percentiles(run))
    told = paragraphs(map(stressed, words.sentences(panels, new, old)))
    drawn = figure_html(picture, words.caption(panels, new, old), data=raw.drawn(run, "shift", picture))
    return HTML(together([drawn, told]))


def _shifts(run: Run, new: str, old: str) -> dict[str, Shift]:
    """new ÷ old by kind of latency; kinds without a common round or a percentile that messages carry are left out."""
    rounds = {kind: [queries.by_round(run, key, kind) for key in (new, old)] for kind in words.TITLES}
    values = {kind: between(*sides) for kind, sides in rounds.items()}
    return {kind: value for kind, value in values.items() if value.n and len(value.shares)}


def over_time(run: Run) -> HTML:
    """One trial of every column over time."""
    lines = timelines.of_run(run)
    if not lines:
        return nothing("No valid latency trial left a series behind: there is nothing to draw over time.")
    labels = [queries.label(run, key) for key in queries.keys(run)]
    without = missing(labels, {queries.label(run, line.key) for line in lines}, "series")
    events = told(event for line in lines for event in line.events)
    marked = f" Marked at the upper edges: {events}." if events else ""
    caption = f"One trial each, the one whose stored tail is the middle of its repeats'.{marked}{without}"
    picture = plots.over_time(lines, styles(queries.names(run)))
    return HTML(figure_html(picture, caption, data=raw.drawn(run, "over-time", picture)))


def capacity(run: Run) -> HTML:
    """Every capacity trial, and how far the same configuration measured twice lies apart."""
    rates = queries.capacities(run)
    if not rates:
        return nothing("No valid capacity trial: there is nothing to draw.")
    noise, last = run.data.noise, queries.names(run)[-1]
    text = (
        f"One dot per trial. {last} was measured twice: its run-to-run variation (A/A) makes a noise floor of"
        f" {formatting.floor(noise.band)}{_counted_twice(run)}."
        if noise.again and (noise.band or "capacity" in noise.bands)
        else "One dot per trial. There is no valid second leg (A/A), so that no noise floor is known."
    )
    picture = plots.capacity(rates, styles(queries.names(run)))
    data = raw.drawn(run, "capacity", picture)
    return HTML(figure_html(picture, f"{text}{left_out(run, CAPACITY)}", data=data))


def _counted_twice(run: Run) -> str:
    """That both legs count, unless the run was made before they did."""
    capacity = run.data.ratios.get("capacity")
    return ", and both legs count in its ratios" if capacity and capacity.of_rounds else ""


# -- ledgers --------------------------------------------------------------------------------------------------------

SENDER = ("scheduled", "sent", "unsent")
CONSUMER = ("received", "written", "rejected", "retries", "duplicated")
RARE = {
    "unheard": "sent while nobody was subscribed",
    "skipped": "numbers that never came on the stream: refused by Redis, and unsent",
    "jumped": "numbers further ahead than their source can have sent",
    "unfollowed": "of more sources than are followed, so that losses among them are not known",
    "overwritten": "on one series and time with another message, so not stored; senders must set host or source",
}
"""Counts of either ledger that are told below the table where any trial has some, and what they are."""


def ledgers(run: Run) -> HTML:
    """What became of every message of every trial."""
    trials = queries.outcomes(run)
    if not trials:
        return nothing("No trial was carried out.")
    heads = ["Trial", "Kind", "Configuration", *SENDER, *CONSUMER, "unread", "lost", "store's count", "verdict"]
    rows = [_ledger(run, o) for o in trials]
    notes = [
        "scheduled = sent + unsent; received = written + rejected; stored = written - duplicated; counts are messages."
    ]
    notes += [f"Trial {o.plan.number} ({o.plan.label}): {'; '.join(o.problems)[:1000]}" for o in trials if not o.valid]
    whole = table(heads, rows, words=(1, 2, len(heads) - 1), class_="dense")
    told = tag("div", paragraphs([*notes, *_rare(trials)]), class_="notes")
    return HTML(together([whole, told, *contenders.section(run)]))


def _rare(outcomes: Sequence[Outcome]) -> list[str]:
    """A sentence for each rare count of which any trial has some; the table has no room for them."""
    notes = []
    for name, meaning in RARE.items():
        counts = {o.plan.number: n for o in outcomes if (n := o.consumer.get(name, o.sender.get(name)))}
        if counts:
            trials = formatting.joined([str(number) for number in counts])
            notes.append(f"{formatting.count(sum(counts.values()))} {name} (trial {trials}): {meaning}.")
    return notes


def _ledger(run: Run, o: Outcome) -> list[object]:
    kind = f"{o.plan.kind}, {formatting.plain(o.plan.load.rate)}/s" if o.plan.kind == LATENCY else o.plan.kind
    counts = [*(o.sender.get(name) for name in SENDER), *(o.consumer.get(name) for name in CONSUMER)]
    verdict = tag("span", "✓ accounted for", class_="good") if o.valid else tag("span", "✗ invalid", class_="bad")
    kept = map(counted, (*counts, o.unread, o.lost, o.stored))
    number = Cell(str(o.plan.number), o.plan.number, raw.trial(run, o.plan.number))
    return [number, kind, tables.breakable(o.plan.label.replace(" ", "\N{NO-BREAK SPACE}")), *kept, verdict]


# -- answer ---------------------------------------------------------------------------------------------------------


def answer(run: Run) -> HTML:
    """The verdict, the most prominent text of the page, what was asked of the run, and how far to trust both.

    Where the store was no InfluxDB, that stands first.
    """
    sentences = registry.answer(run) or [Phrase(["There is no verdict: no trial was summed up."])]
    verdict = tag("div", paragraphs(map(stressed, sentences)), class_="answer")
    return HTML(together([heading.badge(run), verdict, asked(run), trust(run)], "\n"))
