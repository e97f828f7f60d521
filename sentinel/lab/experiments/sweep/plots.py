"""A rising load: latency percentiles and the achieved rate over the offered one, a curve a configuration."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep.knee import FAILS, HOLDS, SILENT
from sentinel.lab.plots.canvas import Picture, grid, logarithmic, styled
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, MUTED
from sentinel.lab.statistics import published

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from matplotlib.axes import Axes

    from sentinel.lab.experiments.sweep.knee import Knee
    from sentinel.lab.experiments.sweep.results import Point
    from sentinel.lab.presentation.style import Style

LATENCIES = {
    "stored_p50": "Stored p50",
    "stored_p90": "Stored p90",
    "stored_p99": "Stored p99",
    "e2e_p99": "End to end p99",
    "send_delay_p99": "Send delay p99 (generator)",
}
ACHIEVED = "throughput"
COLUMNS = {
    "configuration": "its name",
    "offered": "msg/s",
    "measure": "latency and percentile, or throughput: what was achieved",
    "value": "in `unit`",
    "unit": "of `value`",
    "verdict": "on the trial",
}
DECADES = 10.0
"""Range from which there is room for powers of ten only."""


@styled
def climb(
    points: Mapping[str, Sequence[Point]], knees: Mapping[str, Knee], slo: float, styles: Mapping[str, Style]
) -> Picture:
    """Latency and achieved rate over the offered rate; filled dots meet the SLO, hollow ones do not.

    Args:
        points: The valid trials, by configuration.
        knees: What was found, by configuration.
        slo: The most that stored p99 may be, ms.
        styles: How each configuration is drawn.
    """
    figure, axes = grid(2, 3, 6.2, sharex=True)
    every = [point for some in points.values() for point in some]
    rates = [*(point.rate for point in every), published.HIGHEST_RATE]
    wide = 0.7 * min(rates), 1.5 * max(rates)
    latencies = [value for point in every for name in LATENCIES if (value := point.values.get(name, 0.0)) > 0]
    tall = 0.6 * min(*latencies, slo), 1.8 * max(*latencies, slo)
    for axis, measure in zip(axes.flat, (*LATENCIES, ACHIEVED), strict=True):
        for name, some in points.items():
            _knee(axis, knees[name], styles[name])
            _curve(axis, measure, some, styles[name])
        axis.axvline(published.HIGHEST_RATE, color=INK, linewidth=1, linestyle=(0, (1, 2)))
        axis.set_title(LATENCIES.get(measure, "Achieved"))
        axis.set_ylabel("latency, ms" if measure in LATENCIES else "achieved, msg/s")
        logarithmic(axis, "x", *wide)
        logarithmic(axis, "y", *(tall if measure in LATENCIES else wide))
        _sparse(axis, wide)
        axis.tick_params(labelbottom=True)
        axis.set_xlabel("offered, msg/s")
    axes[0, 2].axhline(slo, color=INK, linewidth=1.2, linestyle=(0, (6, 2)))
    axes[1, 2].plot(wide, wide, color=MUTED, linewidth=1, zorder=0)
    if measured := [v for point in every if (v := point.values.get(ACHIEVED, 0.0)) > 0]:
        axes[1, 2].set_ylim(0.6 * min(*measured, *rates), wide[1])
    handles = [_handle(name, some, knees[name], styles[name]) for name, some in points.items()] + _marks(slo)
    figure.legend(handles=handles, loc="outside lower center", ncols=2, handlelength=3)
    return Picture(figure, described(points, knees, slo), _data(points))


def _data(points: Mapping[str, Sequence[Point]]) -> FigureData:
    """Every dot."""
    shown = {**LATENCIES, ACHIEVED: "Achieved"}
    rows = [
        (name, point.rate, measure, point.values.get(measure), "msg/s" if measure == ACHIEVED else "ms", point.verdict)
        for name, some in points.items()
        for point in some
        for measure in shown
    ]
    return FigureData(COLUMNS, rows)


def _sparse(axis: Axes, wide: tuple[float, float]) -> None:
    if wide[1] / wide[0] > DECADES:
        axis.xaxis.set_major_locator(LogLocator(subs=(1.0,)))


def _curve(axis: Axes, measure: str, points: Sequence[Point], style: Style) -> None:
    """One dot per trial, a line through the medians."""
    known = [(point, value) for point in points if (value := point.values.get(measure, 0.0)) > 0]
    rates = sorted({point.rate for point, _ in known})
    middles = [statistics.median(value for point, value in known if point.rate == rate) for rate in rates]
    axis.plot(rates, middles, color=style.colour, linestyle=style.line, linewidth=1.5)
    for verdict in (HOLDS, FAILS, SILENT):
        some = [(point.rate, value) for point, value in known if point.verdict == verdict]
        axis.plot(
            *zip(*some, strict=True) if some else ((), ()), linestyle="none", markersize=5.5, **_dots(style, verdict)
        )


def _dots(style: Style, verdict: str) -> dict[str, Any]:
    """matplotlib's words for a trial's marker."""
    if verdict == SILENT:
        return {"marker": "x", "markeredgecolor": style.colour}
    return style.dots | ({"markerfacecolor": "white"} if verdict == FAILS else {})


def _knee(axis: Axes, knee: Knee, style: Style) -> None:
    if knee.low is not None and knee.high is not None:
        axis.axvspan(knee.low, knee.high, color=style.colour, alpha=0.13, linewidth=0)
    if knee.rate is not None:
        axis.axvline(knee.rate, color=style.colour, linewidth=1.2)


def _handle(name: str, points: Sequence[Point], knee: Knee, style: Style) -> Line2D:
    label = f"{name} {held(knee)} (n = {formatting.counted(len(points), 'trial')})"
    drawn: dict[str, Any] = {"color": style.colour, "linestyle": style.line, "markersize": 5.5, **style.dots}
    return Line2D([], [], label=label, **drawn)


def _marks(slo: float) -> list[Line2D]:
    """What stands for all configurations."""

    def dot(label: str, **more: Any) -> Line2D:
        return Line2D([], [], color=MUTED, linestyle="none", markeredgecolor=MUTED, label=label, **more)

    return [
        dot("the trial meets the SLO", marker="o", markerfacecolor=MUTED),
        dot("it fails", marker="o", markerfacecolor="white"),
        dot("inconclusive: the generator was the limit", marker="x"),
        Line2D(
            [], [], color=INK, linewidth=1.2, linestyle=(0, (6, 2)), label=f"SLO: stored p99 {formatting.plain(slo)} ms"
        ),
        Line2D([], [], color=INK, linewidth=1, linestyle=(0, (1, 2)), label=f"published: {published.RATE} msg/s"),
        Line2D([], [], color=MUTED, linewidth=1, label="achieved = offered"),
    ]


# -- alt text --------------------------------------------------------------------------------------------------------


def held(knee: Knee) -> str:
    """The highest rate at which a configuration meets the SLO, as a verb's phrase.

    Args:
        knee: What the sweep of the configuration found.
    """
    if knee.rate is None:
        return "is without an answer" if knee.at_least else "meets the SLO at no rate offered"
    return f"meets the SLO up to {'at least ' if knee.at_least else ''}{formatting.plain(knee.rate)} msg/s"


def described(points: Mapping[str, Sequence[Point]], knees: Mapping[str, Knee], slo: float) -> str:
    """The knee of every curve, and its ends, in words: the figure's alt text.

    Args:
        points: The valid trials, by configuration; rates rise.
        knees: What was found, by configuration.
        slo: The most that stored p99 may be, ms.
    """
    sentences = []
    for name, some in points.items():
        ends = [
            f"{_tail(point)} ms at {formatting.plain(point.rate)}"
            for point in {point.rate: point for point in (some[0], some[-1])}.values()
        ]
        sentences.append(
            f"{name} {held(knees[name])}, {formatting.joined(ends)} (n = {formatting.counted(len(some), 'trial')})"
        )
    return (
        "Latency percentiles and achieved rate over the offered rate in messages per second, on log axes, with a line"
        f" at {formatting.plain(slo)} ms: {'; '.join(sentences)}."
    )


def _tail(point: Point) -> str:
    name = "p99" if "stored_p99" in point.values else "max"
    return f"stored {name} {formatting.figure(point.values.get(f'stored_{name}'))}"
