"""Capacity and memory: dots, bars and dumbbells, a row a configuration or a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import BESIDE, Picture, grid, logarithmic, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, MUTED
from sentinel.lab.statistics import published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.presentation.style import Style

PLACES = 12
"""Places of allocation in the figure of differences."""
CAPACITY = {"configuration": "its label", "trial": "which of its trials, from 1", "capacity": "msg/s"}
PLACE, PLACE_IS = ("place", "before", "after"), "function, file and line"
MEMORY = {"bytes_per_message": "allocated bytes per message", "allocations_per_message": "allocations per message"}


@styled
def capacity(rates: Mapping[str, Sequence[float]], styles: Mapping[str, Style]) -> Picture:
    """Every capacity trial as a dot, the median as a tick, a row a configuration.

    Args:
        rates: Messages per second of each trial by label; see `queries.capacities`.
        styles: The look of each label.
    """
    figure, axes = grid(1, 1, 1.2 + 0.5 * len(rates))
    axis = axes[0, 0]
    for row, (name, values) in enumerate(rates.items()):
        style, middle = styles[name], float(np.median(values))
        axis.plot([middle] * 2, [row - 0.28, row + 0.28], color=INK, linewidth=2.2)
        axis.plot(values, [row] * len(values), linestyle="none", markersize=8, alpha=0.85, **style.dots)
        text = f"{formatting.figure(middle)} msg/s"
        axis.annotate(text, (max(values), row), (10, 0), textcoords="offset points", va="center", fontweight="bold")
    everything = [value for values in rates.values() for value in values]
    bar = published.HIGHEST_RATE
    axis.axvline(bar, color=INK, linewidth=1, linestyle=(0, (1, 2)))
    low, high = 0.6 * min(*everything, bar), 4 * max(*everything, bar)
    # The note stands where there is more room.
    note: dict[str, Any] = {**BESIDE, "ha": "left"} if bar**2 < low * high else BESIDE
    aside = 5 if note["ha"] == "left" else -5
    axis.annotate(f"SentinelStream, published: {published.RATE} msg/s", (bar, -0.45), (aside, 0), **note)
    logarithmic(axis, "x", low, high)
    axis.set_yticks(
        range(len(rates)),
        [f"{formatting.broken(name)}\nn = {formatting.counted(len(v), 'trial')}" for name, v in rates.items()],
    )
    axis.set_ylim(len(rates) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("capacity, msg/s (a full stream drained by the consumer alone; the tick is the median)")
    rows = [(name, n, value) for name, values in rates.items() for n, value in enumerate(values, 1)]
    return Picture(figure, alt_text.capacity(rates), FigureData(CAPACITY, rows))


@styled
def memory(summaries: Mapping[str, Mapping[str, Any]], styles: Mapping[str, Style]) -> Picture:
    """Bytes and allocations per message, a bar a configuration, the value at its end.

    Args:
        summaries: memray's summaries by configuration; see `trial_record.Memory`.
        styles: The look of each configuration.
    """
    figure, axes = grid(1, 2, 1.1 + 0.5 * len(summaries), sharey=True)
    for axis, (measure, title) in zip(axes[0], MEMORY.items(), strict=True):
        values = [summary[measure] for summary in summaries.values()]
        low = min(values) / 10
        for row, (name, value) in enumerate(zip(summaries, values, strict=True)):
            axis.barh(row, value - low, left=low, height=0.55, color=styles[name].colour)
            text = formatting.figure(value)
            axis.annotate(text, (value, row), (5, 0), textcoords="offset points", va="center", fontweight="bold")
        logarithmic(axis, "x", low, 6 * max(values))
        axis.set_xlabel(f"{title} (log)")
        axis.grid(visible=False, axis="y")
    seen = [
        f"{formatting.broken(name)}\n1 trial, n = {formatting.count(summary['messages'])} messages"
        for name, summary in summaries.items()
    ]
    axes[0, 0].set_yticks(range(len(seen)), seen)
    axes[0, 0].set_ylim(len(seen) - 0.5, -0.5)
    rows = [(name, *(summary[measure] for measure in MEMORY)) for name, summary in summaries.items()]
    return Picture(figure, alt_text.memory(summaries), FigureData({"configuration": "its name"} | MEMORY, rows))


@styled
def memory_difference(
    rows: Sequence[tuple[str, float, float]], pair: tuple[str, str], styles: Mapping[str, Style]
) -> Picture:
    """Where bytes per message changed most from one configuration to another: a dumbbell a place.

    Args:
        rows: Place, and bytes per message before and after; largest change first, of which `PLACES` are shown.
        pair: The configurations before and after.
        styles: The look of each configuration.
    """
    shown = rows[:PLACES]
    figure, axes = grid(1, 1, 1.2 + 0.3 * len(shown))
    axis = axes[0, 0]
    for row, (_, before, after) in enumerate(shown):
        axis.plot([before, after], [row, row], color=MUTED, linewidth=1.6, zorder=1)
    for side, name in enumerate(pair, 1):
        values = [place[side] for place in shown]
        axis.plot(values, range(len(shown)), linestyle="none", markersize=7, label=name, **styles[name].dots)
    axis.set_yticks(range(len(shown)), [_short(place) for place, _, _ in shown])
    axis.set_ylim(len(shown) - 0.5, -0.5)
    axis.set_xlim(left=min(0.0, -0.02 * max([max(row[1:]) for row in shown], default=1.0)))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.plain(value)))
    axis.set_xlabel("bytes per message allocated there (n = one memray trial each)")
    figure.legend(loc="outside upper center", ncols=2)
    data = FigureData(dict(zip(PLACE, (PLACE_IS, *map(_allocated, pair)), strict=True)), shown)
    return Picture(figure, alt_text.memory_difference(shown, pair), data)


def _allocated(name: str) -> str:
    return f"bytes per message allocated there by {name}"


def _short(place: str, longest: int = 58) -> str:
    """`function:file:line` as `file:line  function`, from the left cut to what a label can hold."""
    function, _, where = place.partition(":")
    text = f"{where}  {function}" if where else place
    return text if len(text) <= longest else "…" + text[-longest + 1 :]
