"""The percentile spectrum: latency over percentile, the axis spread towards the tail."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from sentinel.lab import formatting
from sentinel.lab.interactive.chart import PERCENTILES as BY_PERCENTILE
from sentinel.lab.interactive.chart import Chart, Line, Panel, Row, Zone
from sentinel.lab.plots.canvas import BESIDE, Grid, Picture, draw_line, grid, logarithmic, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, SOLID
from sentinel.lab.run.queries import KINDS
from sentinel.lab.statistics import published, tails
from sentinel.model.histogram import middles

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sentinel.lab.presentation.style import Style
    from sentinel.lab.run.queries import Curve
    from sentinel.model.histogram import Recorder

Numbers: TypeAlias = "NDArray[np.float64]"
SHOWN = tails.KEPT
DECADES = {10.0: "90", 100.0: "99", 1e3: "99.9", 1e4: "99.99", 1e5: "99.999", 1e6: "99.9999"}
"""Marks beyond the last that is asked for: 1 ÷ (1 - p) → p in percent."""


def ticks(percentiles: Sequence[str]) -> dict[float, str]:
    """The marks of a percentile axis: 0, those asked for, and the decades beyond.

    Args:
        percentiles: Names, rising, such as `p99.9`.

    Returns:
        p in percent by 1 ÷ (1 - p), rising.
    """
    asked = {1 / (1 - tails.share(name)): name[1:] for name in percentiles}
    return {1.0: "0"} | asked | {at: name for at, name in DECADES.items() if at > 1.5 * max(asked)}


COLUMNS = {
    "latency": "its kind",
    "configuration": "its label",
    "trial": "which of its trials, from 1; all: together",
    "rarity": "1 ÷ (1 - p), no unit: one message in so many takes as long or longer",
    "percentile": "100 × p, %",
    "value": "latency, ms",
}


def tail(recorder: Recorder, points: int = 120) -> tuple[Numbers, Numbers]:
    """The spectrum of one histogram; it ends at its largest value, at p = 1 - 1/n.

    Args:
        recorder: Durations in ns, at least one.
        points: Shares at which the histogram is read, evenly spaced on a log axis; inner points of flat stretches are
            dropped.

    Returns:
        1 ÷ (1 - p) and the latency there in ms, both of shape (k,) with k ≤ `points`; latencies of zero and less are
        left out.
    """
    n = len(recorder)
    at = np.geomspace(1, n, points)
    ranks = np.append(np.clip(np.ceil((1 - 1 / at[:-1]) * n), 1, n), n)
    below = recorder.zero + recorder.negative
    buckets = np.searchsorted(np.cumsum(recorder.counts), ranks - below)
    latency = np.where(ranks > below, middles()[np.minimum(buckets, len(recorder.counts) - 1)] / 1e6, np.nan)
    # The inside of a flat stretch needs no points of its own.
    turns = np.diff(latency, prepend=np.nan, append=np.nan)
    seen = (ranks > below) & ((turns[:-1] != 0) | (turns[1:] != 0))
    return at[seen], latency[seen]


@styled
def spectrum(
    panels: Mapping[str, Sequence[Curve]], styles: Mapping[str, Style], percentiles: Sequence[str] = SHOWN
) -> Picture:
    """Percentile spectrum: latency over percentile, spread towards the tail; a panel a kind, a curve a column.

    Args:
        panels: Curves by kind of latency; see `queries.latencies`.
        styles: The look of each column, by `Curve.key`.
        percentiles: Names of those that are marked on the axis, rising.
    """
    rows = (len(panels) + 1) // 2
    figure, axes = grid(rows, 2, 0.8 + 2.7 * rows, sharex=True)
    most = max(100, *(len(curve.whole) for curves in panels.values() for curve in curves))
    closer = []
    for axis, (kind, curves) in zip(axes.flat, panels.items(), strict=False):
        lines = [line for curve in curves for line in _lines(curve, styles[curve.key])]
        for line in lines:
            draw_line(axis, line, "_" if line.within else line.name)
        reach = _reach(lines)
        low, high = _published(axis, kind) or reach
        logarithmic(axis, "y", 0.6 * min(low, reach[0]), 1.9 * max(high, reach[1]))
        closer.append(replace(_panel(kind, lines, 1.2 * most, axis.get_ylim()), ticks=ticks(percentiles)))
        axis.set_title(KINDS[kind])
        axis.set_ylabel("latency, ms")
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    _percentile_axis(axes, most, ticks(percentiles))
    named = {line.get_label(): line for axis in axes.flat for line in axis.get_lines() if line.get_label()[0] != "_"}
    figure.legend(named.values(), named.keys(), loc="outside lower center", ncols=min(2, len(named)), handlelength=3)
    data, chart = FigureData(COLUMNS, _rows(panels)), Chart([Row(closer)])
    return Picture(figure, alt_text.spectrum(panels, percentiles), data, chart)


def _rows(panels: Mapping[str, Sequence[Curve]]) -> list[tuple[object, ...]]:
    """What the curves show: of all repeats together, and of each by itself."""
    rows: list[tuple[object, ...]] = []
    for kind, curves in panels.items():
        for curve in curves:
            repeats = {str(n): repeat for n, repeat in enumerate(curve.repeats, 1)} if len(curve.repeats) > 1 else {}
            for name, recorder in {"all": curve.whole, **repeats}.items():
                points = zip(*tail(recorder), strict=True)
                rows += [(kind, curve.label, name, float(at), 100 - 100 / float(at), float(ms)) for at, ms in points]
    return rows


def _lines(curve: Curve, style: Style) -> list[Line]:
    """The curve of all repeats together, behind those of single ones where there are several."""
    n = len(curve.repeats)
    name = f"{curve.label} (n = {formatting.counted(n, 'trial')})"
    thin = replace(style, line=SOLID)
    single = [Line(name, *tail(repeat), thin, width=0.8, alpha=0.35, within=name) for repeat in curve.repeats]
    return [*(single if n > 1 else []), Line(name, *tail(curve.whole), style)]


def _reach(lines: Sequence[Line]) -> tuple[float, float]:
    """The smallest and the largest latency of the curves of all repeats."""
    reach = []
    for at, latency in [(np.asarray(line.x), np.asarray(line.y)) for line in lines if not line.within]:
        # The fastest tenth may leave the panel: the tail is what it is about.
        reach += [latency[at > 1.1].min(initial=np.inf), latency.max(initial=0.0)]
    known = [value for value in reach if 0 < value < np.inf] or [0.1, 1.0]
    return min(known), max(known)


def _panel(kind: str, lines: Sequence[Line], end: float, high: tuple[float, float]) -> Panel:
    """What of a panel can be looked at closer."""
    bar = published.LATENCIES.get(f"{kind}_p99")
    zones = [Zone(bar.low or bar.high, bar.high, f"published p99: {bar} ms")] if bar and bar.high else []
    title = f"{KINDS[kind]}, ms"
    return Panel(title, "ms", lines, BY_PERCENTILE, (1.0, end), high, logarithmic=True, zones=zones)


def _published(axis: Axes, kind: str) -> tuple[float, float] | None:
    """The original's published p99, marked where it belongs."""
    bar = published.LATENCIES.get(f"{kind}_p99")
    if bar is None or bar.high is None:
        return None
    high, low = bar.high, bar.low or bar.high
    if bar.low is None:
        axis.plot([40, 250], [high, high], color=INK, linewidth=2, label="_")
        axis.plot(100, high / 1.22, marker="v", color=INK, markersize=5, label="_")
    else:
        axis.fill_between([60, 167], low, high, color=INK, alpha=0.75, linewidth=0, zorder=3)
    middle, box = (low * high) ** 0.5, {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    axis.annotate(f"published {bar} ms", (40, middle), (-4, 0), bbox=box, **BESIDE)
    return low, high


def _percentile_axis(axes: Grid, n: int, marks: Mapping[float, str]) -> None:
    ticks = {at: name for at, name in marks.items() if at <= n}
    for axis in axes.flat:
        if axis.figure is None:
            continue
        axis.set_xscale("log")
        axis.set_xlim(1, 1.2 * n)
        axis.xaxis.set_major_locator(FixedLocator(list(ticks)))
        axis.xaxis.set_major_formatter(FixedFormatter(list(ticks.values())))
        axis.xaxis.set_minor_locator(NullLocator())
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("percentile, %")
