"""The live view: this host and the pipeline over the last seconds, a panel for each of their figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from sentinel.lab.events.event import kinds_of, told
from sentinel.lab.experiments.live.figures import described
from sentinel.lab.interactive.chart import Mark
from sentinel.lab.interactive.small_panels import chart_of
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.panel import BLUE, DASHES, DOTS, GREEN, ORANGE, STYLE, Frame, Line, Panel, Scale
from sentinel.lab.presentation.style import GROUND, INK, dark
from sentinel.lab.presentation.tables import tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentinel.lab.events.event import Event
    from sentinel.lab.experiments.live.window import Host, Pipeline
    from sentinel.lab.interactive.chart import Chart

SIZE = WIDTH, HEIGHT = 1000, 510
"""Of the whole, px."""
COLUMNS = {
    "panel": "its title, with the unit of its values",
    "line": "its name",
    "seconds": "before now, s: negative",
    "value": "in the panel's unit",
}
ACROSS, DOWN = 3, 3
UNITS = ((1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s"))
FONT = 'text { font: 11px "DejaVu Sans", system-ui, "Segoe UI", Helvetica, Arial, sans-serif }'


@dataclass(frozen=True)
class Drawing:
    """An SVG, and in words what it shows."""

    svg: str
    alt: str
    panels: Sequence[Panel]
    chart: Chart | None = None
    """The same, to be zoomed and hovered; None while it is replaced every second."""

    def render(self) -> tuple[str, bytes]:
        """MIME type and bytes."""
        return "image/svg+xml", self.svg.encode()

    @property
    def data(self) -> FigureData:
        """What the lines show, a value a row."""
        rows = [
            (panel.title, line.name, float(at), float(value))
            for panel in self.panels
            for line in panel.lines
            for at, value in zip(panel.seconds, line.values, strict=True)
        ]
        return FigureData(COLUMNS, rows)


def live(host: Host, pipeline: Pipeline, window: float, events: Sequence[Event] | None = None) -> Drawing:
    """The live view.

    Args:
        host: This host over the window.
        pipeline: The pipeline over the window.
        window: Seconds that it reaches back.
        events: What happened within the window, at seconds before now, once the watch is over and can be looked at
            closer; else None.
    """
    inside = events or ()
    marks = [Mark(event.at, event.kind.name, event.text, event.kind.colour) for event in inside]
    panels = [*_host(host), *(replace(panel, marks=marks) for panel in _pipeline(pipeline))]
    width, height = WIDTH / ACROSS, HEIGHT / DOWN
    drawn = []
    for n, panel in enumerate(panels):
        place = f"translate({n % ACROSS * width:.1f} {n // ACROSS * height:.1f})"
        drawn.append(tag("g", Frame(panel, scale(panel), window, width, height).draw(), transform=place))
    ground = tag("rect", "", width="100%", height="100%", fill=GROUND)
    content = together([tag("style", Markup(f"{FONT}\n{STYLE}\n{dark()}")), ground, *drawn], "\n")
    size = {"width": str(WIDTH), "height": str(HEIGHT), "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    svg = tag("svg", content, xmlns="http://www.w3.org/2000/svg", fill=INK, **size)
    alt = " ".join([described(host, pipeline, window), *([f"Marked: {told(inside)}."] if inside else [])])
    kinds = [(kind.name, kind.colour) for kind in kinds_of(inside)]
    return Drawing(svg, alt, panels, None if events is None else chart_of(panels, window, ACROSS, kinds))


def _host(host: Host) -> list[Panel]:
    v = host.values
    disk, disk_unit = scaled(v["disk_read_bytes_per_s"], v["disk_write_bytes_per_s"])
    net, net_unit = scaled(v["net_sent_bytes_per_s"], v["net_recv_bytes_per_s"])
    return [
        Panel(
            "This host: CPU and memory, %",
            host.seconds,
            [Line("CPU", v["cpu"]), Line("memory", v["mem"], ORANGE, DASHES)],
            top=100.0,
            unit="%",
        ),
        Panel("Load, tasks (mean of a minute)", host.seconds, [Line("load", v["load1"])]),
        Panel(
            f"Disk, {disk_unit}",
            host.seconds,
            [Line("read", disk[0]), Line("write", disk[1], ORANGE, DASHES)],
            unit=disk_unit,
        ),
        Panel(
            f"Network, {net_unit}",
            host.seconds,
            [Line("sent", net[0]), Line("received", net[1], ORANGE, DASHES)],
            unit=net_unit,
        ),
    ]


def _pipeline(pipeline: Pipeline) -> list[Panel]:
    def panel(title: str, *lines: Line, unit: str = "", logarithmic: bool = False) -> Panel:
        return Panel(title, pipeline.seconds, lines, logarithmic=logarithmic, unit=unit)

    def latencies(q: float) -> list[Line]:
        styles = {"internal": (BLUE, DOTS), "e2e": (ORANGE, DASHES), "stored": (GREEN, "")}
        return [Line(kind, pipeline.latencies[kind, q], *style) for kind, style in styles.items()]

    lost, rejected, retries = pipeline.troubles.values()
    return [
        panel(
            "Pipeline: rate, msg/s",
            Line("sent", pipeline.sent, ORANGE, DASHES),
            Line("stored", pipeline.stored, GREEN),
            unit="msg/s",
        ),
        panel("Backlog, messages", Line("backlog", pipeline.backlog)),
        panel("Latency p50, ms", *latencies(0.5), unit="ms", logarithmic=True),
        panel(pipeline.tail, *latencies(0.99), unit="ms", logarithmic=True),
        panel(
            "Lost, rejected, tried again; so far",
            Line("lost", lost, ORANGE),
            Line("rejected", rejected, BLUE, DASHES),
            Line("retries", retries, GREEN, DOTS),
        ),
    ]


def scale(panel: Panel) -> Scale:
    """A scale with round ticks that holds every line.

    Args:
        panel: Values in one unit; those not above 0 have no place on a logarithmic scale.

    Returns:
        From 0 to the panel's `top` or beyond the highest value; a logarithmic one in whole decades, one at least.
    """
    values = np.concatenate([line.finite for line in panel.lines])
    if panel.logarithmic:
        values = values[values > 0]
        low = math.floor(math.log10(values.min(initial=1.0)))
        high = max(low + 1, math.ceil(math.log10(values.max(initial=0.1))))
        return Scale([10.0**n for n in range(low, high + 1)], logarithmic=True)
    top = panel.top or values.max(initial=0.0) or 1.0
    return Scale([float(tick) for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, top)])


def scaled(*series: NDArray[np.float64]) -> tuple[list[NDArray[np.float64]], str]:
    """Series in the largest unit of which there is at least one.

    Args:
        series: Bytes per second; NaN where a value is missing.

    Returns:
        The same series in that unit, and its name: `MB/s`, `kB/s` or `B/s`.
    """
    highest = max(values[np.isfinite(values)].max(initial=0.0) for values in series)
    factor, unit = next(((factor, unit) for factor, unit in UNITS if highest >= factor), UNITS[-1])
    return [values / factor for values in series], unit
