"""The shift figure: the ratio of two configurations' latencies over percentile, round by round."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter, LogLocator, NullLocator

from sentinel.lab import formatting
from sentinel.lab.interactive.chart import PERCENTILES as BY_PERCENTILE
from sentinel.lab.interactive.chart import Band, Chart, Line, Panel, Row, Zone
from sentinel.lab.plots.canvas import Picture, draw_line, grid, logarithmic, styled
from sentinel.lab.plots.spectrum import SHOWN, ticks
from sentinel.lab.presentation import shift as words
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import GROUND, INK, MUTED, SOLID
from sentinel.lab.run.queries import KINDS
from sentinel.lab.statistics.rounds.decision import MARGIN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from sentinel.lab.presentation.style import Style
    from sentinel.lab.statistics.rounds.shift import Shift

LEAST = 1.25
"""The axis reaches at least this far from 1, either way, so that small differences look small."""
DOTTED = (0, (1.0, 3.0))
TICKS = {
    300.0: (1.0,),
    12.0: (1.0, 2.0, 5.0),
    4.0: (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    0.0: (1.0, 1.1, 1.2, 1.4, 1.6, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
}
"""Multiples of powers of ten with a tick, by what the ends of the axis must at least lie apart."""
COLUMNS = {
    "latency": "its kind",
    "round": "its number from 1; median: of all rounds; low, high: the ends of the median's band, pointwise",
    "percentile": "%",
    "ratio": "of latencies, new ÷ old, no unit",
}


@styled
def shift(panels: Mapping[str, Shift], new: str, old: str, style: Style, percentiles: Sequence[str] = SHOWN) -> Picture:
    """Ratio over percentile, a panel a kind: thin lines the rounds, thick their median, with its pointwise band.

    Args:
        panels: new ÷ old by kind of latency, each of at least one round and percentile.
        new: A configuration's label.
        old: The other's.
        style: The look of the new one.
        percentiles: Names of those that are marked on the axis, rising.
    """
    figure, axes = grid(1, len(panels), 3.9)
    closer = []
    for axis, (kind, values) in zip(axes.flat, panels.items(), strict=True):
        axis.axhspan(1 / (1 + MARGIN), 1 + MARGIN, color=MUTED, alpha=0.16, linewidth=0)
        axis.axhline(1, color=INK, linewidth=1)
        lines = _lines(values, style)
        _draw(axis, values, lines, style)
        _ratio_axis(axis, values)
        _percentile_axis(axis, values, ticks(percentiles))
        axis.set_title(KINDS[kind])
        closer.append(replace(_panel(kind, values, lines, axis), ticks=ticks(percentiles)))
    axes[0, 0].set_ylabel(f"{formatting.broken(new)} ÷ {formatting.broken(old)}")
    handles = _legend(list(panels.values()), style)
    figure.legend(handles=handles, loc="outside lower center", ncols=3, handlelength=3)
    return Picture(figure, words.alt(panels, new, old), FigureData(COLUMNS, _rows(panels)), Chart([Row(closer)]))


def _rows(panels: Mapping[str, Shift]) -> list[tuple[object, ...]]:
    """Each round's ratios, their median and its band."""
    rows: list[tuple[object, ...]] = []
    for kind, values in panels.items():
        lines = {str(n): ratios for n, ratios in enumerate(values.rounds, 1)} | {"median": values.ratio}
        lines |= {"low": values.low, "high": values.high} if values.settled else {}
        for name, ratios in lines.items():
            points = zip(100 * values.shares, ratios, strict=True)
            rows += [(kind, name, float(percent), float(ratio)) for percent, ratio in points]
    return rows


def _names(panels: Sequence[Shift]) -> tuple[str, str]:
    """Of the thin lines, with how many there are, and of the thick one; of two sessions there are no rounds."""
    n = " and ".join(dict.fromkeys(str(values.n) for values in panels))
    paired = all(values.paired for values in panels)
    thin, thick = ("a round", "median of the rounds") if paired else ("a trial ÷ the other's median", "median ratio")
    return f"{thin} (n = {n})", thick


def _lines(values: Shift, style: Style) -> list[Line]:
    """Every round, and their median."""
    solid, (thin, thick) = replace(style, line=SOLID), _names([values])
    rounds = [Line(thin, values.axis, ratios, solid, width=0.8, alpha=0.6, within=thin) for ratios in values.rounds]
    return [*rounds, Line(thick, values.axis, values.ratio, solid, width=2.4)]


def _panel(kind: str, values: Shift, lines: list[Line], axis: Axes) -> Panel:
    """What of a panel can be looked at closer."""
    zones = [Zone(1, 1, ""), Zone(1 / (1 + MARGIN), 1 + MARGIN, f"within {100 * MARGIN:.0f} % of each other")]
    median, bands = lines[-1], []
    dotted = replace(median.style, line=DOTTED)
    if values.settled:
        edges = {"its band from": values.low, "its band to": values.high}
        lines = [*lines, *(Line(name, values.axis, edge, dotted, width=1.0) for name, edge in edges.items())]
        bands = [Band(median.name, values.axis, values.low, values.high, dotted.colour)]
    title, reach, high = f"{KINDS[kind]}, ratio", axis.get_xlim(), axis.get_ylim()
    return Panel(title, "×", lines, BY_PERCENTILE, reach, high, logarithmic=True, bands=bands, zones=zones)


def _draw(axis: Axes, values: Shift, lines: list[Line], style: Style) -> None:
    for line in lines:
        draw_line(axis, line)
    if values.settled:
        axis.fill_between(values.axis, values.low, values.high, color=style.colour, alpha=0.2, linewidth=0)
        for which, look in ((values.sure, _dot(style, sure=True)), (~values.sure, _dot(style, sure=False))):
            axis.plot(values.axis[which], values.ratio[which], **look)


def _dot(style: Style, *, sure: bool) -> dict[str, Any]:
    """Filled where the band excludes 1, hollow where it does not."""
    fill = style.colour if sure else GROUND
    return {"linestyle": "none", "marker": "o", "markersize": 5.5, "markeredgecolor": style.colour} | {
        "markerfacecolor": fill
    }


def _ratio_axis(axis: Axes, values: Shift) -> None:
    drawn = values.rounds[np.isfinite(values.rounds)]
    low, high = min(drawn.min(), 1 / LEAST) / 1.04, max(drawn.max(), LEAST) * 1.04
    logarithmic(axis, "y", low, high)
    ticks = next(multiples for apart, multiples in TICKS.items() if high / low >= apart)
    axis.yaxis.set_major_locator(LogLocator(subs=ticks))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{formatting.plain(value)}×"))


def _percentile_axis(axis: Axes, values: Shift, marks: Mapping[float, str]) -> None:
    shown = {at: name for at, name in marks.items() if 1 < at < 1.01 * values.axis[-1]}
    axis.set_xscale("log")
    axis.set_xlim(values.axis[0] / 1.1, values.axis[-1] * 1.15)
    axis.xaxis.set_major_locator(FixedLocator(list(shown)))
    axis.xaxis.set_major_formatter(FixedFormatter(list(shown.values())))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("percentile, %")


def _legend(panels: list[Shift], style: Style) -> list[Line2D | Patch]:
    colour: dict[str, Any] = {"color": style.colour}
    thin, thick = _names(panels)
    handles: list[Line2D | Patch] = [
        Line2D([], [], linewidth=0.8, alpha=0.6, label=thin, **colour),
        Line2D([], [], linewidth=2.4, label=thick, **colour),
    ]
    if settled := [values for values in panels if values.settled]:
        coverage = " and ".join(dict.fromkeys(f"{100 * values.coverage:.1f}" for values in settled))
        handles += [
            Patch(alpha=0.2, linewidth=0, label=f"its band, pointwise ({coverage} %)", **colour),
            Line2D([], [], label="the band excludes 1", **_dot(style, sure=True)),
            Line2D([], [], label="the band holds 1", **_dot(style, sure=False)),
        ]
    return [*handles, Patch(color=MUTED, alpha=0.16, linewidth=0, label=f"within {100 * MARGIN:.0f} % of each other")]
