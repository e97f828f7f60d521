"""The live view: this host and the pipeline over the last seconds, each line with its name and latest value.

Written as SVG by hand, of one size whatever it shows: a view that is drawn every second must not compete with what it
watches, as matplotlib's panels would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from sentinel.lab import formatting
from sentinel.lab.experiments.live.figures import described
from sentinel.lab.presentation.style import GRID, GROUND, INK, dark
from sentinel.lab.presentation.tables import tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sentinel.lab.experiments.live.window import Host, Pipeline

SIZE = WIDTH, HEIGHT = 1000, 510
"""Of the whole, px."""
ACROSS, DOWN = 3, 3
LEFT, RIGHT, TOP, BOTTOM, APART = 40, 98, 26, 26, 13.0
"""px around the lines of a panel, for numbers, for names and values, the title and seconds; and between two names."""
BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
DASHES, DOTS = "5 3", "1.5 3"
UNITS = ((1e6, "MB/s"), (1e3, "kB/s"), (1.0, "B/s"))
STYLE = """text { font: 11px "DejaVu Sans", system-ui, "Segoe UI", Helvetica, Arial, sans-serif }
.title { font-weight: 700; font-size: 12px } .number { text-anchor: end } .second { text-anchor: middle }
polyline { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round }"""


@dataclass(frozen=True)
class Drawing:
    """An SVG, and in words what it shows."""

    svg: str
    alt: str

    def render(self) -> tuple[str, bytes]:
        """MIME type and bytes."""
        return "image/svg+xml", self.svg.encode()


@dataclass(frozen=True)
class Line:
    """One line of a panel."""

    name: str
    values: NDArray[np.float64]
    colour: str = BLUE
    dashes: str = ""


@dataclass(frozen=True)
class Panel:
    """A title with its unit, and lines over the same seconds."""

    title: str
    seconds: NDArray[np.float64]
    lines: Sequence[Line]
    top: float | None = None
    """The scale's end, where it does not follow the lines."""
    logarithmic: bool = False


def live(host: Host, pipeline: Pipeline, window: float) -> Drawing:
    """The live view.

    Args:
        host: This host over the window.
        pipeline: The pipeline over the window.
        window: Seconds that it reaches back.
    """
    panels = [*_host(host), *_pipeline(pipeline)]
    width, height = WIDTH / ACROSS, HEIGHT / DOWN
    drawn = []
    for n, panel in enumerate(panels):
        place = f"translate({n % ACROSS * width:.1f} {n // ACROSS * height:.1f})"
        drawn.append(tag("g", _Frame(panel, window, width, height).draw(), transform=place))
    ground = tag("rect", "", width="100%", height="100%", fill=GROUND)
    content = together([tag("style", Markup(f"{STYLE}\n{dark()}")), ground, *drawn], "\n")
    size = {"width": str(WIDTH), "height": str(HEIGHT), "viewBox": f"0 0 {WIDTH} {HEIGHT}"}
    return Drawing(
        tag("svg", content, xmlns="http://www.w3.org/2000/svg", fill=INK, **size), described(host, pipeline, window)
    )


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
        ),
        Panel("Load, tasks (mean of a minute)", host.seconds, [Line("load", v["load1"])]),
        Panel(f"Disk, {disk_unit}", host.seconds, [Line("read", disk[0]), Line("write", disk[1], ORANGE, DASHES)]),
        Panel(f"Network, {net_unit}", host.seconds, [Line("sent", net[0]), Line("received", net[1], ORANGE, DASHES)]),
    ]


def _pipeline(pipeline: Pipeline) -> list[Panel]:
    def panel(title: str, *lines: Line, logarithmic: bool = False) -> Panel:
        return Panel(title, pipeline.seconds, lines, logarithmic=logarithmic)

    def latencies(q: float) -> list[Line]:
        styles = {"internal": (BLUE, DOTS), "e2e": (ORANGE, DASHES), "stored": (GREEN, "")}
        return [Line(kind, pipeline.latencies[kind, q], *style) for kind, style in styles.items()]

    lost, rejected, retries = pipeline.troubles.values()
    return [
        panel(
            "Pipeline: rate, msg/s", Line("sent", pipeline.sent, ORANGE, DASHES), Line("stored", pipeline.stored, GREEN)
        ),
        panel("Backlog, messages", Line("backlog", pipeline.backlog)),
        panel("Latency p50, ms", *latencies(0.5), logarithmic=True),
        panel(pipeline.tail, *latencies(0.99), logarithmic=True),
        panel(
            "Lost, rejected, tried again; so far",
            Line("lost", lost, ORANGE),
            Line("rejected", rejected, BLUE, DASHES),
            Line("retries", retries, GREEN, DOTS),
        ),
    ]


def scaled(*series: NDArray[np.float64]) -> tuple[list[NDArray[np.float64]], str]:
    """Series of bytes a second in the largest unit of which there is at least one, and the name of that unit."""
    highest = max(_finite(values).max(initial=0.0) for values in series)
    factor, unit = next(((factor, unit) for factor, unit in UNITS if highest >= factor), UNITS[-1])
    return [values / factor for values in series], unit


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


def _finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


class _Frame:
    """One panel's scales, and its parts as SVG."""

    def __init__(self, panel: Panel, window: float, width: float, height: float) -> None:
        self._panel = panel
        self._window = window
        self._right, self._bottom = width - RIGHT, height - BOTTOM
        values = np.concatenate([_finite(line.values) for line in panel.lines])
        if panel.logarithmic:
            values = values[values > 0]
            low = math.floor(math.log10(values.min(initial=1.0)))
            self._low, self._high = float(low), float(max(low + 1, math.ceil(math.log10(values.max(initial=0.1)))))
            self._ticks = [10.0**n for n in range(int(self._low), int(self._high) + 1)]
        else:
            top = panel.top or values.max(initial=0.0) or 1.0
            self._ticks = [float(tick) for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, top)]
            self._low, self._high = 0.0, self._ticks[-1]

    def draw(self) -> Markup:
        """Title, grid, lines, names."""
        title = tag("text", self._panel.title, class_="title", x=str(LEFT), y="16")
        lines = [line for line in self._panel.lines if len(_finite(line.values))]
        parts = [title, *self._grid(), *(part for line in lines for part in self._line(line)), *self._names(lines)]
        return together(parts, "\n")

    def _x(self, seconds: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(self._right + seconds * (self._right - LEFT) / self._window)

    def _y(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._panel.logarithmic:
            values = np.log10(np.where(values > 0, values, math.nan))
        return np.asarray(self._bottom - (values - self._low) * (self._bottom - TOP) / (self._high - self._low))

    def _grid(self) -> list[Markup]:
        parts = []
        for tick, y in zip(self._ticks, self._y(np.array(self._ticks)).tolist(), strict=True):
            ends = {"x1": str(LEFT), "x2": f"{self._right:.1f}", "y1": f"{y:.1f}", "y2": f"{y:.1f}"}
            parts.append(tag("line", "", stroke=GRID, **ends))
            parts.append(tag("text", formatting.plain(tick), class_="number", x=str(LEFT - 5), y=f"{y + 4:.1f}"))
        for ago, note in ((self._window, " s ago"), (self._window / 2, ""), (0.0, "")):
            x = float(self._x(np.array(-ago)))
            parts.append(
                tag(
                    "text",
                    f"{formatting.plain(ago)}{note}",
                    class_="second",
                    x=f"{x:.1f}",
                    y=f"{self._bottom + 16:.1f}",
                )
            )
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

    def _names(self, lines: Sequence[Line]) -> list[Markup]:
        """Each line's name and latest value beside its end, pushed apart where they would overlap."""
        latest = [(line, float(_finite(line.values)[-1])) for line in lines]
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
