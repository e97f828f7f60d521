"""What all figures share: the style, the picture with its alt text, axes with plain numbers."""

from __future__ import annotations

import functools
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, ParamSpec

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from sentinel.lab import formatting
from sentinel.lab.presentation.style import GRID, INK, MUTED, dark

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

    from sentinel.lab.interactive.chart import Chart, Line
    from sentinel.lab.presentation.figure_data import FigureData

WIDTH = 9.6
"""Inches; 72 SVG units each."""
LARGEST_SVG = 250_000
"""Bytes from which a PNG at twice the resolution is the better choice."""
STYLE: Any = {
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "sentinel",
}
BESIDE: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 8.5}
"""Of a note to the left of a point."""
LONG = re.compile(rb'(?<!scale\()(?<![\d.])(\d+\.\d\d)\d+(?=[ \n"])')
"""Coordinates finer than a hundredth of a point."""
STYLESHEET = f"\n{dark()}</style>".encode()
"""End of the style sheet that matplotlib writes into an SVG."""
P = ParamSpec("P")
Grid = np.ndarray[Any, Any]
"""Axes by row and column."""


def own_style() -> AbstractContextManager[None]:
    """Our style over matplotlib's defaults, whatever style an editor or a user's file has set."""
    return style.context(["default", STYLE])


@dataclass(frozen=True)
class Picture:
    """A figure, and in words what it shows."""

    figure: Figure
    alt: str
    data: FigureData | None = None
    """The numbers that it draws."""
    chart: Chart | None = None
    """The same, to be zoomed and hovered."""

    def render(self) -> tuple[str, bytes]:
        """The figure as a file.

        Returns:
            MIME type and bytes: SVG, or PNG at twice the resolution where the SVG would exceed `LARGEST_SVG`.
        """
        with own_style():
            file = io.BytesIO()
            self.figure.savefig(file, format="svg", metadata={"Date": None})
            drawn = LONG.sub(rb"\1", file.getvalue()).replace(b"</style>", STYLESHEET, 1)
            if len(drawn) <= LARGEST_SVG:
                return "image/svg+xml", drawn
            file = io.BytesIO()
            self.figure.savefig(file, format="png", dpi=192)
            return "image/png", file.getvalue()


def styled(draw: Callable[P, Picture]) -> Callable[P, Picture]:
    """Decorator: draw in our style, and restore the style in force before.

    Args:
        draw: A function that makes a figure.
    """

    @functools.wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> Picture:
        with own_style():
            return draw(*args, **kwargs)

    return inside


def grid(rows: int, columns: int, height: float, **more: Any) -> tuple[Figure, Grid]:
    """A figure with its axes by row and column.

    Args:
        rows: How many.
        columns: How many.
        height: Inches.
        **more: For `Figure.subplots`.

    Returns:
        The figure, and its axes with shape (rows, columns).
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **more)


def draw_line(axes: Axes, line: Line, label: str = "_") -> None:
    """Draw a line of a chart, without what is its own there alone.

    Args:
        axes: Where.
        line: What.
        label: In the legend; by default it stays out of it.
    """
    look: dict[str, Any] = {"linewidth": line.width, "alpha": line.alpha, "linestyle": line.style.line}
    axes.plot(np.asarray(line.x), np.asarray(line.y), color=line.style.colour, label=label, **look)


def logarithmic(axes: Axes, which: Literal["x", "y"], low: float, high: float) -> None:
    """Put plain numbers on a log axis; between the powers of ten too where there are few of those.

    Args:
        axes: Whose axis is set.
        which: The axis.
        low: Its lower end, above 0, in the unit of the data.
        high: Its upper end.
    """
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0,) if high / low > 300 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: formatting.plain(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())
