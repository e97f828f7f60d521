"""The limits of a machine as bars, and what configurations reached as marks on the same axis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import Picture, grid, logarithmic, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, MUTED, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from sentinel.lab.limits.bounds import Throughput
    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.presentation.style import Style

BREAK, BROKEN = re.compile(r",(?=[^\d\s])"), ",\n"
"""Between the switches of a configuration's name."""
VALUE: dict[str, Any] = {"fontweight": "bold", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 0.8}}
"""Of a figure beside its mark, readable on the lines behind it."""
COLUMNS = {
    "kind": "limit: of the machine; reached: by a configuration",
    "name": "of the limit, or the configuration's label",
    "repeat": "which of the limit's measurements, from 1",
    "value": "in `unit`",
    "unit": "of `value` and `against`",
    "against": "the limit that it is held against",
}
LINE = 0.19
"""Inches that a line of a row's name takes."""
ROOM = 0.3
"""Length left free behind the longest bar for its figure, as a share of that bar's."""


@styled
def limits(measured: Sequence[Limit], reached: Sequence[Throughput], styles: Mapping[str, Style]) -> Picture:
    """A bar a limit, its median at the end, its range as a line; above them a mark for every throughput reached.

    Args:
        measured: The machine's limits.
        reached: What configurations reached, msg/s.
        styles: The look of each configuration, by `Throughput.key`.
    """
    heads = [
        *((throughput.label, throughput.trials) for throughput in reached),
        *((limit.name, len(limit.values)) for limit in measured),
    ]
    names, rows = [f"{BREAK.sub(BROKEN, name)} (n = {n})" for name, n in heads], len(heads)
    lines = 1 + max(name.count("\n") for name in names)
    figure, axes = grid(1, 1, 1.0 + max(0.33, LINE * lines) * rows)
    axis = axes[0, 0]
    values = [*(value for limit in measured for value in limit.values), *(throughput.value for throughput in reached)]
    low = min(values) / 3
    high = max(values) * (max(values) / low) ** ROOM
    logarithmic(axis, "x", low, high)
    for row, limit in enumerate(measured, len(reached)):
        _bar(axis, row, limit, low)
    for row, throughput in enumerate(reached):
        axis.plot(throughput.value, row, linestyle="none", markersize=8, **styles[throughput.key].dots)
        least = "≥ " if throughput.at_least else ""
        text = f"{least}{formatting.figure(throughput.value)} msg/s, {throughput.against}"
        # On the side that has more room.
        left = throughput.value**2 > low * high
        side: dict[str, Any] = {"ha": "right" if left else "left", "xytext": (-9 if left else 9, 0)}
        axis.annotate(text, (throughput.value, row), textcoords="offset points", va="center", **VALUE, **side)
    for limit in {throughput.limit.name: throughput.limit for throughput in reached}.values():
        axis.axvline(limit.highest, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), zorder=0.5)
    axis.set_yticks(range(rows), names)
    axis.set_ylim(rows - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("messages or points per second (log; bars: medians)")
    return Picture(figure, alt_text.limits(measured, reached), _data(measured, reached))


def _data(measured: Sequence[Limit], reached: Sequence[Throughput]) -> FigureData:
    """Every value of a limit; of a throughput the value, and the largest of the limit that it is held against."""
    rows: list[tuple[object, ...]] = [
        ("limit", limit.name, n, value, limit.unit, None)
        for limit in measured
        for n, value in enumerate(limit.values, 1)
    ]
    rows += [("reached", mark.label, None, mark.value, "msg/s", mark.limit.highest) for mark in reached]
    return FigureData(COLUMNS, rows)


def _bar(axis: Axes, row: int, limit: Limit, low: float) -> None:
    colour = PROCESSES["store" if limit.unit == "points/s" else "bus"].colour
    axis.barh(row, limit.median - low, left=low, height=0.6, color=colour)
    ends = min(limit.values), max(limit.values)
    axis.plot(ends, [row, row], color=INK, linewidth=1.4, marker="|", markersize=6)
    text = f"{formatting.figure(limit.median)} {limit.unit}"
    axis.annotate(text, (ends[1], row), (7, 0), textcoords="offset points", va="center", **VALUE)
