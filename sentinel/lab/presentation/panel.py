"""A small figure as SVG: lines over the seconds before now, each with its name and latest value beside its end. Pure.

Written by hand, of one size whatever it shows: matplotlib's panels take too long for a view that is drawn every second.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab import formatting
from sentinel.lab.presentation.style import GRID
from sentinel.lab.presentation.tables import tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup
    from numpy.typing import NDArray

    from sentinel.lab.interactive.chart import Mark

LEFT, RIGHT, TOP, BOTTOM, APART = 40, 98, 26, 26, 13.0
"""px around the lines of a panel, for numbers, for names and values, the title and seconds; and between two names."""
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
DASHES, DOTS = "5 3", "1.5 3"
STYLE = """.title { font-weight: 700; font-size: 12px } .number { text-anchor: end } .second { text-anchor: middle }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }"""
"""What the classes and lines of a panel look like."""


@dataclass(frozen=True)
class Line:
    """One line of a panel."""

    name: str
    values: NDArray[np.float64]
    """One for each of the panel's seconds, NaN where there is none."""
    colour: str = BLUE
    dashes: str = ""
    """As `stroke-dasharray` takes them, px; empty for a line without gaps."""

    @property
    def finite(self) -> NDArray[np.float64]:
        """The values that there are."""
        return self.values[np.isfinite(self.values)]


@dataclass(frozen=True)
class Panel:
    """A title with its unit, and lines over the same seconds."""

    title: str
    seconds: NDArray[np.float64]
    """Before now: negative, rising."""
    lines: Sequence[Line]
    top: float | None = None
    """The scale's end, where it does not follow the lines."""
    logarithmic: bool = False
    marks: Sequence[Mark] = ()
    """What happened, at seconds before now, negative."""
    unit: str = ""
    """Of a value that is read off; what is counted has none."""


@dataclass(frozen=True)
class Scale:
    """The vertical scale of a panel."""

    ticks: Sequence[float]
    """Rising, in the unit of the lines; the scale goes from 0 to the last, or from the first if logarithmic."""
    logarithmic: bool = False

    def share(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """How high values lie.

        Args:
            values: In the unit of the ticks.

        Returns:
            0 at the lowest end of the scale, 1 at the highest; NaN where a logarithmic scale has no place.
        """
        ends = np.array([self.ticks[0] if self.logarithmic else 0.0, self.ticks[-1]])
        if self.logarithmic:
            values, ends = np.log10(np.where(values > 0, values, math.nan)), np.log10(ends)
        return np.asarray((values - ends[0]) / (ends[1] - ends[0]))


class Frame:
    """One panel's scales, and its parts as SVG.

    Args:
        panel: What to draw.
        scale: Of its values.
        window: Seconds that it reaches back.
        width: Of the whole, px.
        height: Of the whole, px.
    """

    def __init__(self, panel: Panel, scale: Scale, window: float, width: float, height: float) -> None:
        self._panel = panel
        self._scale = scale
        self._window = window
        self._right, self._bottom = width - RIGHT, height - BOTTOM

    def draw(self) -> Markup:
        """Title, grid, lines, names."""
        title = tag("text", self._panel.title, class_="title", x=str(LEFT), y="16")
        lines = [line for line in self._panel.lines if len(line.finite)]
        drawn = (part for line in lines for part in self._line(line))
        parts = [title, *self._grid(), *drawn, *self._names(lines), *map(self._mark, self._panel.marks)]
        return together(parts, "\n")

    def _x(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._right + seconds * (self._right - LEFT) / self._window)

    def _y(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._bottom - self._scale.share(values) * (self._bottom - TOP))

    def _grid(self) -> list[Markup]:
        parts = []
        for tick, y in zip(self._scale.ticks, self._y(np.array(self._scale.ticks)).tolist(), strict=True):
            ends = {"x1": str(LEFT), "x2": f"{self._right:.1f}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
            parts.append(tag("line", "", stroke=GRID, **ends))
            parts.append(tag("text", formatting.plain(tick), class_="number", x=str(LEFT - 5), y=f"{y + 4:.1f}"))
        for ago, note in ((self._window, " s ago"), (self._window / 2, ""), (0.0, "")):
            x, y = f"{float(self._x(np.array(-ago))):.1f}", f"{self._bottom + 16:.1f}"
            parts.append(tag("text", f"{formatting.plain(ago)}{note}", class_="second", x=x, y=y))
        return parts

    def _line(self, line: Line) -> list[Markup]:
        """Its stretches between missing values; a lone value is a dot."""
        x, y = self._x(self._panel.seconds), self._y(line.values)
        stretches = np.split(np.column_stack([x, y]), np.flatnonzero(np.isnan(y)))
        style = {"stroke": line.colour, "stroke-dasharray": line.dashes}
        drawn = []
        for stretch in stretches:
            points = [f"{a:.1f},{b:.1f}" for a, b in stretch.tolist() if math.isfinite(b)]
            if points:
                drawn.append(tag("polyline", "", points=" ".join(points if len(points) > 1 else 2 * points), **style))
        return drawn

    def _mark(self, mark: Mark) -> Markup:
        """A short stroke at the upper edge."""
        x = f"{float(self._x(np.array(mark.at))):.1f}"
        look = {"stroke": mark.colour, "stroke-width": "2"}
        return tag("line", "", x1=x, x2=x, y1=str(TOP - 4), y2=str(TOP + 4), **look)

    def _names(self, lines: Sequence[Line]) -> list[Markup]:
        """Each line's name and latest value beside its end, pushed apart where they would overlap."""
        latest = [(line, float(line.finite[-1])) for line in lines]
        ends = [(y, line, value) for line, value in latest if math.isfinite(y := float(self._y(np.array(value))))]
        ends.sort(key=lambda end: end[0])
        places = spread([y for y, _, _ in ends], APART, self._bottom)
        return [
            tag(
                "text",
                f"{line.name} {formatting.figure(value)}",
                x=f"{self._right + 6:.1f}",
                y=f"{place + 4:.1f}",
                style=f"fill:{line.colour}",
            )
            for place, (_, line, value) in zip(places, ends, strict=True)
        ]


def spread(wanted: Sequence[float], apart: float, most: float) -> list[float]:
    """Places that keep their distance, near to those wanted.

    Args:
        wanted: Rising.
        apart: The least distance between two.
        most: The largest place allowed.

    Returns:
        As many places, rising.
    """
    places = list(wanted)
    for n in range(1, len(places)):
        places[n] = max(places[n], places[n - 1] + apart)
    for n in reversed(range(len(places))):
        places[n] = min(places[n], most)
        most = places[n] - apart
    return places
