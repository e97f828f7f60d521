"""A series of runs as a small SVG: a dot a run, a bar for its interval, levels between change points. Pure.

It has the colours of the page that it is part of, and is told to those who cannot see it by its alt text.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.presentation.tables import tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

INK, MUTED, GRID, BAD = (
    f"var(--{name},currentColor)" for name in ("ink", "muted", "line", "bad")
)  # of the page's own style sheet
APART = 50.0
"""px that two labels of runs need between their beginnings."""
MARGIN = 0.06
"""Share of the scale that is left free above and below."""
LEAST = 0.02
"""Share of a value that the scale reaches at least: figures that hardly differ look alike."""


@dataclass(frozen=True)
class Dot:
    """One run."""

    value: float
    low: float | None
    high: float | None
    label: str
    """Below the axis: its commit."""
    told: str
    """What its tooltip says."""


@dataclass(frozen=True)
class Level:
    """The runs between two change points."""

    first: int
    """Number of the first, from 0."""
    end: int
    """Number of the last, and one."""
    value: float


@dataclass(frozen=True)
class Trend:
    """A series, ready to be drawn."""

    dots: Sequence[Dot]
    """In the order of time; at least one."""
    alt: str
    colour: str = INK
    levels: Sequence[Level] = ()
    """Of all dots, where change points were looked for; a line marks where each but the first begins."""
    marks: dict[int, str] = field(default_factory=dict)
    """What stands at a change point, by the number of the first run after it."""


@dataclass(frozen=True)
class Frame:
    """Where things lie, px."""

    width: float
    height: float
    left: float
    top: float
    bottom: float
    right: float = 8.0
    n: int = 1
    ends: tuple[float, float] = (0.0, 1.0)
    """Of the scale."""

    def x(self, number: float) -> float:
        """Of the dot with that number."""
        inside = self.width - self.left - self.right
        return self.left + inside * (number + 0.5) / self.n

    def y(self, value: float) -> float:
        """Of a value."""
        low, high = self.ends
        share = (value - low) / (high - low)
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


def panel(trend: Trend, width: float = 340, height: float = 190) -> Markup:
    """The whole: scale, bars, levels, change points, the runs' labels.

    Args:
        trend: What is drawn.
        width: Of the SVG, px.
        height: Likewise.
    """
    frame = Frame(width, height, left=52, top=20, bottom=22, n=len(trend.dots), ends=_ends(trend))
    parts = [*_scale(frame), *_changes(trend, frame), *_levels(trend, frame), *_bars(trend, frame)]
    return _svg(trend, frame, [*parts, *_dots(trend, frame, 3.2), *_labels(trend, frame)])


def sparkline(trend: Trend, width: float = 200, height: float = 44) -> Markup:
    """The series alone, as small as a word.

    Args:
        trend: What is drawn.
        width: Of the SVG, px.
        height: Likewise.
    """
    frame = Frame(width, height, left=6, top=5, bottom=5, right=6, n=len(trend.dots), ends=_ends(trend))
    points = " ".join(f"{frame.x(n):.1f},{frame.y(dot.value):.1f}" for n, dot in enumerate(trend.dots))
    line = tag("polyline", "", points=points, style=f"fill:none;stroke:{trend.colour};stroke-width:1.2;opacity:.6")
    return _svg(trend, frame, [*_bars(trend, frame), line, *_dots(trend, frame, 2.2)])


def _svg(trend: Trend, frame: Frame, parts: Sequence[Markup]) -> Markup:
    size = {"width": f"{frame.width:g}", "height": f"{frame.height:g}"}
    box = {"viewBox": f"0 0 {frame.width:g} {frame.height:g}", "style": "max-width:100%;height:auto;display:block"}
    return tag("svg", together(parts), role="img", **{"aria-label": trend.alt}, **size, **box)


def _ends(trend: Trend) -> tuple[float, float]:
    values = [value for dot in trend.dots for value in (dot.value, dot.low, dot.high) if value is not None]
    low, high = min(values), max(values)
    half = max((high - low) * (0.5 + MARGIN), LEAST * abs(high), 1e-12)
    middle = (low + high) / 2
    return (max(0.0, middle - half) if low >= 0 else middle - half), middle + half


def _scale(frame: Frame) -> list[Markup]:
    """Lines at round values, and the values."""
    parts = []
    for value in ticks(*frame.ends):
        y = frame.y(value)
        ends = {"x1": f"{frame.left:g}", "x2": f"{frame.width - frame.right:g}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
        parts.append(tag("line", "", style=f"stroke:{GRID}", **ends))
        parts.append(_text(formatting.plain(value), frame.left - 5, y + 3.5, "end"))
    return parts


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values between two ends, at most so many.

    Args:
        low: The lower end.
        high: The upper end, above it.
        most: Values at most; at least three.
    """
    rough = (high - low) / most
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * k for k in (1, 2, 2.5, 5, 10) if unit * k >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{n * step:.6g}") for n in range(first, last + 1)]


def _bars(trend: Trend, frame: Frame) -> list[Markup]:
    parts = []
    for number, dot in enumerate(trend.dots):
        if dot.low is not None and dot.high is not None:
            x = f"{frame.x(number):.1f}"
            ends = {"x1": x, "x2": x, "y1": f"{frame.y(dot.low):.1f}", "y2": f"{frame.y(dot.high):.1f}"}
            parts.append(tag("line", "", style=f"stroke:{trend.colour};stroke-width:2;opacity:.45", **ends))
    return parts


def _dots(trend: Trend, frame: Frame, radius: float) -> list[Markup]:
    return [
        tag(
            "circle",
            tag("title", dot.told),
            cx=f"{frame.x(number):.1f}",
            cy=f"{frame.y(dot.value):.1f}",
            r=f"{radius:g}",
            style=f"fill:{trend.colour}",
        )
        for number, dot in enumerate(trend.dots)
    ]


def _levels(trend: Trend, frame: Frame) -> list[Markup]:
    parts = []
    for level in trend.levels:
        y = f"{frame.y(level.value):.1f}"
        ends = {"x1": f"{frame.x(level.first - 0.5):.1f}", "x2": f"{frame.x(level.end - 0.5):.1f}", "y1": y, "y2": y}
        parts.append(tag("line", "", style=f"stroke:{INK};stroke-width:1;opacity:.75", **ends))
    return parts


def _changes(trend: Trend, frame: Frame) -> list[Markup]:
    """A dashed line between the last run before and the first after, and what it is by."""
    parts = []
    for level in trend.levels[1:]:
        x = frame.x(level.first - 0.5)
        ends = {
            "x1": f"{x:.1f}",
            "x2": f"{x:.1f}",
            "y1": f"{frame.top - 4:g}",
            "y2": f"{frame.height - frame.bottom:g}",
        }
        parts.append(tag("line", "", style=f"stroke:{BAD};stroke-dasharray:4 3;stroke-width:1.3", **ends))
        inside = min(max(x, frame.left + 18), frame.width - frame.right - 18)
        parts.append(
            _text(trend.marks.get(level.first, ""), inside, frame.top - 7, "middle", f"fill:{BAD};font-weight:600")
        )
    return parts


def _labels(trend: Trend, frame: Frame) -> list[Markup]:
    """Where each stretch of runs with one label begins, as far as there is room; change points first."""
    labels = [dot.label for dot in trend.dots]
    begins = [n for n, label in enumerate(labels) if n == 0 or label != labels[n - 1]]
    after = [level.first for level in trend.levels[1:]]
    placed: list[int] = []
    for number in [*after, *(n for n in begins if n not in after)]:
        if all(abs(frame.x(number) - frame.x(other)) >= APART for other in placed):
            placed.append(number)
    y = frame.height - 6
    ends = [min(max(frame.x(n), 22), frame.width - 24) for n in placed]
    return [_text(labels[number], x, y, "middle") for number, x in zip(placed, ends, strict=True)]


def _text(content: str, x: float, y: float, anchor: str, style: str = "") -> Markup:
    look = f"font:11px ui-monospace,Menlo,Consolas,monospace;fill:{MUTED};{style}"
    return tag("text", content, x=f"{x:.1f}", y=f"{y:.1f}", style=look, **{"text-anchor": anchor})
