"""The small panels that are written by hand (`presentation/panel.py`) as a chart. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.interactive.chart import AGO, Chart, Line, Panel, Row
from sentinel.lab.presentation.style import SOLID, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.presentation import panel

WIDTH = 1.8
"""Of a line, px."""


def chart_of(panels: Sequence[panel.Panel], window: float, columns: int, kinds: Sequence[tuple[str, str]]) -> Chart:
    """The same panels, to be zoomed and hovered.

    Args:
        panels: All of one figure; those without any second are left out.
        window: Seconds that they reach back.
        columns: Panels beside each other.
        kinds: Names of the marks' kinds, with their colours.
    """
    known = [_panel(each, window) for each in panels if len(each.seconds)]
    return Chart([Row(known)] if known else [], columns=columns, height=150, kinds=kinds)


def _panel(panel: panel.Panel, window: float) -> Panel:
    lines = [Line(line.name, panel.seconds, line.values, _style(line), width=WIDTH) for line in panel.lines]
    high = (0.0, panel.top) if panel.top else None
    reach = (-window, 0.0)
    return Panel(panel.title, panel.unit, lines, AGO, reach, high, logarithmic=panel.logarithmic, marks=panel.marks)


def _style(line: panel.Line) -> Style:
    """Its look, with dashes in widths of the line."""
    widths = tuple(float(px) / WIDTH for px in line.dashes.split())
    return Style(line.colour, (0, widths) if widths else SOLID, "")
