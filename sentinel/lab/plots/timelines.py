"""Trials over time, a row each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from sentinel.lab import formatting
from sentinel.lab.events.event import kinds_of
from sentinel.lab.interactive.chart import Chart, Line, Mark, Panel, Row, Zone
from sentinel.lab.plots.canvas import Grid, Picture, draw_line, grid, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import MUTED, PROCESSES, Style
from sentinel.lab.run.series import SAMPLE_EVERY
from sentinel.lab.run.trial_record import WARM_UP

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sentinel.lab.events.timelines import Timeline

UNITS = {"Throughput, msg/s": "msg/s", "Backlog, messages": "msg", "CPU, % of one core¹": "%", "Memory (RSS), MB": "MB"}
"""Panels of a row, with the unit of a value."""
TOP = 1.02
"""Height of the marks of events against that of a panel: on its upper edge."""
NOTE = "shaded: warm-up, left out of the percentiles · dotted: end of the load · ¹ mean of one second"
COUNTS = {"sent": "msg/s", "written": "msg/s", "backlog": "messages"}
COLUMNS = {
    "configuration": "its label",
    "trial": "its rate, and which trial of how many",
    "measure": "sent, written, backlog; cpu (mean of one second) and rss of a process",
    "process": "whose; empty of messages",
    "seconds": "since the first send, s",
    "value": "in `unit`",
    "unit": "of `value`",
}


@styled
def over_time(timelines: Sequence[Timeline], styles: Mapping[str, Style]) -> Picture:
    """A row a trial: throughput, backlog, CPU and memory of every process over seconds; the warm-up is shaded.

    Args:
        timelines: One or more trials; see `events/timelines.py`.
        styles: The look of each column, by `Timeline.key`.
    """
    figure, axes = grid(len(timelines), 4, 0.9 + 1.75 * len(timelines), sharex="row")
    for title, axis in zip(UNITS, axes[0], strict=True):
        axis.set_title(title, pad=10)
    rows = []
    for line, row in zip(timelines, axes, strict=True):
        colour = styles[line.key].colour
        panels = _panels(line, styles[line.key])
        for axis, panel in zip(row, panels, strict=True):
            _draw(axis, line, panel)
        row[0].set_ylabel(f"{formatting.broken(line.label)}\n{line.note}", color=colour, fontsize=8.5)
        closer = [replace(panel, reach=row[0].get_xlim()) for panel in panels]
        rows.append(Row(closer, f"{line.label}: {', '.join(line.note.splitlines())}", colour))
    for axis in axes[-1]:
        axis.set_xlabel("seconds since the first send")
    _time_legend(figure, axes, timelines)
    kinds = [(kind.name, kind.colour) for kind in kinds_of(event for line in timelines for event in line.events)]
    chart = Chart(rows, columns=4, scrolls=True, height=150, kinds=kinds, note=f"{NOTE}.")
    return Picture(figure, alt_text.over_time(timelines), FigureData(COLUMNS, _rows(timelines)), chart)


def _rows(timelines: Sequence[Timeline]) -> list[tuple[object, ...]]:
    """What the lines show, a value a row."""
    rows: list[tuple[object, ...]] = []
    for line in timelines:
        head = line.label, " ".join(line.note.split())
        for measure, unit in COUNTS.items():
            rows += [(*head, measure, "", at, value, unit) for at, value in line.counts[measure].items()]
        for name, frame in line.resources.groupby("process"):
            for measure, values, unit in (("cpu", _smooth(frame), "% of one core"), ("rss", frame["rss"], "MB")):
                points = zip(frame["seconds"], values, strict=True)
                rows += [(*head, measure, name, at, value, unit) for at, value in points]
    return rows


def _smooth(frame: pd.DataFrame) -> pd.Series[float]:
    """CPU as the mean of one second."""
    return frame["cpu"].rolling(round(1 / SAMPLE_EVERY), min_periods=1).mean()


def _panels(line: Timeline, style: Style) -> list[Panel]:
    """What stands in a trial's row, in the order of `UNITS`."""
    marks = [Mark(event.at, event.kind.name, event.text, event.kind.colour) for event in line.events]
    zones = [
        Zone(0, WARM_UP, "warm-up", upright=True),
        Zone(line.load_ends, line.load_ends, "end of the load", upright=True),
    ]
    lines = [*_rates(line, style), *_processes(line)]
    return [
        Panel(title, unit, within, zones=zones, marks=marks)
        for (title, unit), within in zip(UNITS.items(), lines, strict=True)
    ]


def _rates(line: Timeline, style: Style) -> tuple[list[Line], list[Line]]:
    """Throughput, and backlog."""
    seconds, solid = line.counts.index, replace(style, line="solid")
    rates = [
        Line("sent", seconds, line.counts["sent"], PROCESSES["load"]),
        Line("written", seconds, line.counts["written"], solid),
    ]
    return rates, [Line("backlog", seconds, line.counts["backlog"], solid)]


def _processes(line: Timeline) -> tuple[list[Line], list[Line]]:
    """CPU and memory of every process."""
    cpu, rss = list[Line](), list[Line]()
    for name, frame in line.resources.groupby("process"):
        style = PROCESSES.get(str(name), Style(MUTED, "solid", ""))
        for lines, values in ((cpu, _smooth(frame)), (rss, frame["rss"])):
            lines.append(Line(str(name), frame["seconds"], values, style, width=1.5))
    return cpu, rss


def _draw(axis: Axes, line: Timeline, panel: Panel) -> None:
    for each in panel.lines:
        draw_line(axis, each, each.name)
    axis.axvspan(0, WARM_UP, color=MUTED, alpha=0.13, linewidth=0)
    axis.axvline(line.load_ends, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    axis.set_ylim(bottom=0)
    axis.set_xlim(left=0)
    axis.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: formatting.plain(value)))
    for kind in kinds_of(line.events):
        at = [event.at for event in line.events if event.kind == kind]
        heights = np.full(len(at), TOP)
        axis.plot(at, heights, transform=axis.get_xaxis_transform(), label="_", **_mark(kind.colour, kind.marker))


def _mark(colour: str, marker: str) -> dict[str, Any]:
    """A mark of an event: small, and over whatever lies there."""
    return {"linestyle": "none", "marker": marker, "markersize": 4, "color": colour, "clip_on": False}


def _time_legend(figure: Figure, axes: Grid, timelines: Sequence[Timeline]) -> None:
    lines = {line.get_label(): line for axis in (*axes[:, 0], *axes[:, 2]) for line in axis.get_lines()}
    order = {name: lines[name] for name in ("sent", "written", *PROCESSES) if name in lines}
    shown = {"written (colour of the row)" if name == "written" else name: line for name, line in order.items()}
    for kind in kinds_of(event for line in timelines for event in line.events):
        shown[kind.name] = Line2D([], [], **_mark(kind.colour, kind.marker))
    look: dict[str, Any] = {"ncols": min(6, len(shown)), "title": NOTE, "title_fontsize": 8.5}
    figure.legend(shown.values(), shown.keys(), loc="outside lower center", **look)
