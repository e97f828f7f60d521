"""The report's section on limits: what the machine can do at best, and how near each configuration came to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
from IPython.display import HTML

from sentinel.consumer import configurations
from sentinel.lab import formatting, plots
from sentinel.lab.limits import bounds
from sentinel.lab.limits.bounds import Throughput
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.style import styles
from sentinel.lab.presentation.tables import figured, folded, paragraphs, table, tag, together
from sentinel.lab.report.answers import raw
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import HEADLINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.run.run import Run


class Knee(msgspec.Struct):
    """As far as limits are concerned, what a sweep found of a configuration."""

    rate: float | None
    """The highest rate that meets the SLO, msg/s."""
    held: tuple[int, int]
    """Trials that meet it there, of so many."""
    at_least: bool
    """Whether it may sustain more."""


class Knees(msgspec.Struct):
    """The section of a sweep's record, empty in others."""

    knees: dict[str, Knee] = {}
    """By configuration."""


def limits(run: Run) -> HTML:
    """What Redis alone and the store alone can do here, and every throughput as a share of the limit that bounds it."""
    measured, reached = run.data.limits, throughputs(run)
    if not measured:
        return nothing("The limits of Redis and of the store were not measured in this run.")
    picture = plots.limits(measured, reached, styles(queries.names(run)))
    caption = (
        "Each limit is measured alone, its client on the same machine; the line on a bar goes from the smallest to the"
        " largest. Dotted: what the marks are held against, the largest of its repeats."
    )
    prose = tag("div", paragraphs(sentences(run, measured, reached)), class_="prose")
    drawn = figure_html(picture, caption, data=raw.drawn(run, "limits", picture))
    return HTML(together([prose, drawn, _details(run, measured)]))


def _details(run: Run, measured: Sequence[Limit]) -> Markup:
    heads = ["Limit, unit", "median", "smallest", "largest", "n"]
    rows = [
        [
            f"{limit.name}, {limit.unit}",
            *(figured(value, raw.record(run)) for value in (limit.median, min(limit.values), max(limit.values))),
            len(limit.values),
        ]
        for limit in measured
    ]
    notes = tag("div", paragraphs(f"{limit.name}: {limit.words}." for limit in measured), class_="notes")
    return folded("The limits in words, with their ranges", table(heads, rows), notes)


def throughputs(run: Run) -> list[Throughput]:
    """Everything that can be held against a limit: capacities, a sweep's knees, the headline; medians."""
    p = run.data.parameters
    drained = bounds.bound_of(run, "stream", paced=False)
    offered = bounds.bound_of(run, p.get("TRANSPORT", "stream"), paced=True)
    if drained is None or offered is None:
        return []
    compared, knees = run.data, run.sections(Knees).knees
    reached = [
        Throughput(name, name, rate, compared.spread[name]["capacity"].n, drained)
        for name in queries.names(run)
        if (rate := compared.summary.get(name, {}).get("capacity")) is not None
    ]
    reached += [
        Throughput(name, name, knee.rate, knee.held[1], offered, knee.at_least)
        for name, knee in knees.items()
        if knee.rate
    ]
    headline = compared.summary.get(HEADLINE, {}).get("throughput")
    if headline is not None:
        n = compared.spread[HEADLINE]["throughput"].n
        reached.append(Throughput(HEADLINE, queries.label(run, HEADLINE), headline, n, offered))
    return reached


def sentences(run: Run, measured: Sequence[Limit], reached: Sequence[Throughput]) -> list[str]:
    """How near each configuration came, the nearest first.

    Args:
        run: The run.
        measured: Limits of its machine.
        reached: What its configurations reached.
    """
    own = sorted(
        (throughput for throughput in reached if throughput.key != HEADLINE), key=lambda throughput: -throughput.part
    )
    if not own:
        return []
    verb = "sustains" if run.sections(Knees).knees else "drains"
    below, beyond = (
        [throughput for throughput in own if not throughput.passes],
        [throughput for throughput in own if throughput.passes],
    )
    sentences = [_at_reference(throughput, verb) for throughput in beyond]
    if below:
        shares = [
            f"{throughput.label} {'at least ' if throughput.at_least else ''}{throughput.share}" for throughput in below
        ]
        shares[0] = shares[0].replace(below[0].label, f"{below[0].label} {verb}", 1)
        sentences.append(f"Of the {own[0].limit.words}, {formatting.joined(shares)}.")
    return sentences + _one_by_one(run, measured, own, verb)


def _at_reference(throughput: Throughput, verb: str) -> str:
    """With both figures: what was passed is no limit."""
    return (
        f"{throughput.label} {verb} {formatting.figure(throughput.value)} msg/s, {bounds.AT_REFERENCE}:"
        f" {formatting.figure(throughput.limit.highest)} {throughput.limit.words}. It is no upper bound here, for it"
        " was passed: the machine was slower while it was measured, or its client reaches less than the consumer."
    )


def _one_by_one(run: Run, measured: Sequence[Limit], own: Sequence[Throughput], verb: str) -> list[str]:
    """A configuration that posts every point alone meets another limit first."""
    single = next((limit for limit in measured if limit.name == bounds.store(1)), None)
    slow = [
        throughput for throughput in own if configurations.request_per_point(run.data.configurations[throughput.key])
    ]
    if single is None or not slow:
        return []
    shares = [f"{throughput.label} {verb} {replace(throughput, limit=single).share}" for throughput in slow]
    return [f"Where every point is a request of its own: of the {single.words}, {formatting.joined(shares)}."]
