"""Figures taken apart: the texts that a reader sees, and where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.text import Text

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox


def labels(axis: Axis) -> list[Text]:
    """The tick labels that are drawn: those of ticks within the view."""
    low, high = sorted(axis.get_view_interval())
    actual = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
    return [label for label in actual if label.get_text() and label.get_visible()]


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """All texts that are drawn, with their place on the canvas."""
    axes = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    ticks = {id(part) for axis in axes for tick in axis.get_major_ticks() for part in (tick.label1, tick.label2)}
    others = [text for text in figure.findobj(Text) if isinstance(text, Text) and id(text) not in ticks]
    shown = [*others, *(label for axis in axes for label in labels(axis))]
    return [(text.get_text(), text.get_window_extent()) for text in shown if text.get_text().strip()]
