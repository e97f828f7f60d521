"""What an interactive chart shows, and its JSON beside a figure: the arrays that the figure was drawn from. Pure."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from sentinel.lab.interactive.thinning import MOST, thinned
from sentinel.lab.presentation.style import DARK, Style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

MARK = 'class="chart-data"'
"""What tells a figure with a chart from others."""
DATA = f'<script {MARK} type="application/json">'
SECONDS, PERCENTILES, AGO = "seconds", "percentiles", "ago"
"""Kinds of horizontal axes: s since the first send; 1 ÷ (1 - p), logarithmic; s before now, negative."""
PLACES, VALUES = 5, 4
"""Significant digits of what a chart carries, across and upwards: more than can be seen of it."""
BEHIND = 120
"""Points of a line that stands behind another."""


@dataclass(frozen=True)
class Line:
    """One line of a panel."""

    name: str
    x: ArrayLike
    """Rising, in the unit of the panel's axis."""
    y: ArrayLike
    """As many; NaN where there is a gap."""
    style: Style
    unit: str = ""
    """Of a value that is read off, where the panel's is not its own."""
    width: float = 1.8
    """px."""
    alpha: float = 1.0
    """Opacity, 0 to 1."""
    within: str = ""
    """The name of the line that it is shown and hidden with; a line of its own where it is empty."""
    dots: bool = False
    """Whether it is its points, without a line between them."""


@dataclass(frozen=True)
class Band:
    """An area between two lines, shown and hidden with a line."""

    within: str
    """The name of that line."""
    x: ArrayLike
    low: ArrayLike
    high: ArrayLike
    colour: str


@dataclass(frozen=True)
class Zone:
    """A stretch of an axis with a meaning of its own."""

    low: float
    high: float
    name: str
    """Written beside it, but for an upright one."""
    upright: bool = False
    """Whether it is one of the horizontal axis."""


@dataclass(frozen=True)
class Mark:
    """Something that happened, at a place of the horizontal axis."""

    at: float
    kind: str
    """Its name in the legend."""
    text: str
    """What is told of it where the pointer is near."""
    colour: str


@dataclass(frozen=True)
class Panel:
    """Lines on common axes."""

    title: str
    unit: str
    """Of the values, such as `ms`; stands behind each that is read off."""
    lines: Sequence[Line]
    x: str = SECONDS
    """One of `SECONDS`, `PERCENTILES` and `AGO`."""
    reach: tuple[float, float] | None = None
    """Ends of the horizontal axis, unzoomed; None: of the lines."""
    high: tuple[float, float] | None = None
    """Ends of the vertical axis, unzoomed; None: of the lines, from 0 on unless logarithmic."""
    logarithmic: bool = False
    """The vertical axis."""
    bands: Sequence[Band] = ()
    zones: Sequence[Zone] = ()
    marks: Sequence[Mark] = ()
    ticks: Mapping[float, str] = field(default_factory=dict)
    """Names of places on the horizontal axis, unzoomed, rising; round ones where there are none."""


@dataclass(frozen=True)
class Row:
    """Panels with one horizontal axis: a pointer or a zoom in one of them is one in all."""

    panels: Sequence[Panel]
    heading: str = ""
    colour: str = ""
    """Of the heading; empty for the text's own."""


@dataclass(frozen=True)
class Chart:
    """All of one figure."""

    rows: Sequence[Row]
    columns: int = 2
    """Panels beside each other where there is room."""
    scrolls: bool = False
    """Whether a row that has no room scrolls within itself; else its panels go on below."""
    height: int = 220
    """Of a panel's plot, px."""
    note: str = ""
    """What is said above the panels."""
    kinds: Sequence[tuple[str, str]] = field(default=())
    """Names of the marks' kinds that any panel has, with their colours, for the legend."""


def embedded(chart: Chart) -> Markup:
    """The chart's data for a page, beside its figure.

    Args:
        chart: What the script of `page_charts` draws.

    Returns:
        An element that shows nothing by itself, whatever texts the chart holds.
    """
    text = json.dumps(_plain(chart), separators=(",", ":"), allow_nan=False)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(f"{DATA}{safe}</script>")


def _plain(chart: Chart) -> dict[str, Any]:
    rows = [
        {"heading": row.heading, **_colour(row.colour), "panels": [_panel(panel) for panel in row.panels]}
        for row in chart.rows
    ]
    kinds = [{"name": name, **_colour(colour)} for name, colour in chart.kinds]
    look = {"columns": chart.columns, "scrolls": chart.scrolls, "height": chart.height, "note": chart.note}
    return {**look, "rows": rows, "kinds": kinds}


def _panel(panel: Panel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "unit": panel.unit,
        "x": panel.x,
        "reach": panel.reach and numbers(panel.reach, PLACES),
        "high": panel.high and numbers(panel.high),
        "log": panel.logarithmic,
        "ticks": [[*numbers([at], PLACES), name] for at, name in panel.ticks.items()],
        "lines": [_line(line) for line in panel.lines],
        "bands": [_band(band) for band in panel.bands],
        "zones": [_zone(zone) for zone in panel.zones],
        "marks": [
            {"at": round(mark.at, 3), "kind": mark.kind, "text": mark.text, **_colour(mark.colour)}
            for mark in panel.marks
        ],
    }


def _zone(zone: Zone) -> dict[str, Any]:
    return {"ends": numbers((zone.low, zone.high), PLACES), "name": zone.name, "upright": zone.upright}


def _line(line: Line) -> dict[str, Any]:
    x, y = thinned(line.x, line.y, BEHIND if line.within else MOST)
    dashes = [] if isinstance(line.style.line, str) else [round(line.width * part, 2) for part in line.style.line[1]]
    look = {"width": line.width, "alpha": line.alpha, "dashes": dashes, "dots": line.dots, "hollow": line.style.hollow}
    named = {"name": line.name, "within": line.within, "unit": line.unit}
    return {**named, **_colour(line.style.colour), **look, "xs": numbers(x, PLACES), "ys": numbers(y)}


def _band(band: Band) -> dict[str, Any]:
    ends = {"xs": numbers(band.x, PLACES), "low": numbers(band.low), "high": numbers(band.high)}
    return {"within": band.within, **_colour(band.colour), **ends}


def _colour(colour: str) -> dict[str, str]:
    """On a light and on a dark ground."""
    return {"colour": colour, "dark": DARK.get(colour, colour)}


def numbers(values: ArrayLike, digits: int = VALUES) -> list[float | None]:
    """Values as JSON can hold them; None where there is none.

    Args:
        values: Numbers; NaN and infinities are none.
        digits: Significant ones that are kept.
    """
    flat = np.asarray(values, dtype=float).tolist()
    return [_short(float(f"{value:.{digits}g}")) if math.isfinite(value) else None for value in flat]


def _short(value: float) -> float:
    """A whole number without its decimal point."""
    return int(value) if value.is_integer() else value
