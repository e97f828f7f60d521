"""Small multiples of history for runs/index.html: by notebook, each key figure of the runs that are comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting, registry
from sentinel.lab.index.alike import Kind, commonest, kind, originals
from sentinel.lab.index.rows import told
from sentinel.lab.index.trend import INK, Dot, Trend, sparkline
from sentinel.lab.presentation.style import KNOWN
from sentinel.lab.presentation.tables import paragraphs, tag, together
from sentinel.lab.run.run_data import FINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

    from sentinel.lab.index.figures import KeyFigure
    from sentinel.lab.run.listing import Entry
    from sentinel.lab.run.run_data import RunData

MOST = 24
"""Small figures of a notebook; `make history` has all."""
LATEST = 60
"""Runs that each of them shows, at most."""

Series = dict[tuple[str, str], list[tuple["RunData", "KeyFigure"]]]
"""Runs with their figure, oldest first, by column and measure."""


def charts(entries: Sequence[Entry]) -> Markup:
    """A section a notebook, that with the most runs first.

    Args:
        entries: As `listing.entries` returns them.
    """
    runs = finished(entries)
    names = sorted({data.notebook for data, _ in runs}, key=lambda name: (-_count(name, runs), name))
    return together(_section(name, [run for run in runs if run[0].notebook == name]) for name in names)


def finished(entries: Sequence[Entry]) -> list[tuple[RunData, list[KeyFigure]]]:
    """The runs that came to their end and have key figures, each once.

    Args:
        entries: As `listing.entries` returns them.
    """
    sound = [(entry, entry.data) for entry in entries if entry.data and entry.state == FINISHED and entry.measured]
    first = originals([(entry.folder.name, data.id) for entry, data in sound])
    return [(data, entry.measured) for (entry, data), own in zip(sound, first, strict=True) if own]


def _count(name: str, runs: Iterable[tuple[RunData, object]]) -> int:
    return sum(data.notebook == name for data, _ in runs)


def _section(name: str, runs: Sequence[tuple[RunData, list[KeyFigure]]]) -> Markup:
    usual = registry.usual(name)
    kinds = [kind(data, usual) for data, _ in runs]
    chosen = commonest((data.created, each) for (data, _), each in zip(runs, kinds, strict=True))
    alike = [run for run, each in zip(runs, kinds, strict=True) if each == chosen]
    drawn = [pairs for pairs in series(alike).values() if len(pairs) > 1]
    cards = [_card(pairs[-LATEST:]) for pairs in drawn[:MOST]]
    heading = tag("h3", f"{name}: {formatting.counted(len(alike), 'comparable run')} of {len(runs)}")
    where = paragraphs([_where(chosen)] if chosen else [], "notes")
    few = [tag("p", "A figure over time takes two comparable runs.", class_="nothing")]
    parts = [heading, where, tag("div", together(cards), class_="cards") if cards else together(few)]
    if len(drawn) > MOST:
        parts.append(tag("p", f"{len(drawn) - MOST} more: make history NOTEBOOK={name}", class_="notes"))
    return tag("section", together(parts), **{"data-notebook": name})


def series(runs: Iterable[tuple[RunData, list[KeyFigure]]]) -> Series:
    """The key figures of comparable runs, in the order of the runs.

    Args:
        runs: Records with their figures, oldest first.
    """
    collected: Series = {}
    for data, figures in runs:
        for figure in figures:
            collected.setdefault((figure.column, figure.measure), []).append((data, figure))
    return collected


def _where(chosen: Kind) -> str:
    machine, stack = dict(chosen.machine), dict(chosen.stack)
    on = f" on {stack['bus']} and {stack['store']} ({stack['stack']})" if stack else ""
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}{on}"


def _card(pairs: Sequence[tuple[RunData, KeyFigure]]) -> Markup:
    figure, earliest = pairs[-1][1], pairs[0][1]
    colour = KNOWN[figure.column].colour if figure.column in KNOWN else INK
    alt = (
        f"{figure.name}, {figure.unit}, in {len(pairs)} runs: from {formatting.figure(earliest.value)} to"
        f" {formatting.figure(figure.value)}"
    )
    drawn = sparkline(Trend([_dot(data, each) for data, each in pairs], alt, colour))
    latest = tag("strong", f"{formatting.figure(figure.value)} {figure.unit}")
    caption = tag("figcaption", together([tag("span", figure.column), f"{figure.title} ", latest]))
    return tag("figure", together([drawn, caption]))


def _dot(data: RunData, figure: KeyFigure) -> Dot:
    return Dot(figure.value, figure.low, figure.high, "", f"{data.created[:10]} {data.id}: {told(figure)}")
