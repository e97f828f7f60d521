"""What linger costs and saves: CPU over stored p99, a panel a load, a point a linger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import Picture, grid, logarithmic, styled
from sentinel.lab.presentation.style import INK, KNOWN, MUTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sentinel.lab.experiments.linger.record import Answer, Point
    from sentinel.lab.statistics.compare import Ratio

LOOK = KNOWN["optimised"]
MOST = 3
"""Panels in a row."""


@styled
def trade(answer: Answer) -> Picture:
    """CPU, as a share of that with the shortest linger, over stored p99.

    Args:
        answer: With at least one point.
    """
    rates = sorted({point.rate for point in answer.points})
    rows = -(-len(rates) // MOST)
    figure, axes = grid(rows, min(len(rates), MOST), 3.3 * rows, sharey=True)
    times = [x for point in answer.points for x in (point.p99.value, *(point.p99.interval or ())) if x]
    for axis, rate in zip(axes.flat, rates, strict=False):
        curve = [point for point in answer.points if point.rate == rate]
        _curve(axis, curve, answer.knee.linger if answer.knee else None)
        logarithmic(axis, "x", 0.8 * min(times), 1.3 * max(times))
        axis.set_title(f"{formatting.plain(rate)} msg/s")
        axis.set_xlabel("stored p99, ms")
    for axis in axes.flat[len(rates) :]:
        axis.set_visible(False)
    for axis in axes[:, 0]:
        axis.set_ylabel(f"CPU a message ÷ that of {answer.points[0].linger:g} ms")
    axes[0, 0].set_ylim(bottom=0)
    return Picture(figure, described(answer))


def _curve(axis: Axes, curve: Sequence[Point], knee: float | None) -> None:
    x, y = [p.p99.value or 0.0 for p in curve], [p.cpu.value or 0.0 for p in curve]
    axis.errorbar(
        x, y, xerr=_ends([p.p99 for p in curve]), yerr=_ends([p.cpu for p in curve]), color=LOOK.colour,
        ecolor=MUTED, elinewidth=1, markersize=5, linewidth=1.5, **LOOK.dots,
    )  # fmt: skip
    for point, at in zip(curve, zip(x, y, strict=True), strict=True):
        axis.annotate(f"{point.linger:g} ms", at, (5, 6), textcoords="offset points", fontsize=8.5)
        if point.linger == knee:
            axis.plot(*at, marker="o", markersize=12, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.3)


def _ends(values: Sequence[Ratio]) -> list[list[float]]:
    """How far each interval reaches below and above its value; 0 where there is none."""
    spans = [(v.value or 0.0, *(v.interval or (v.value or 0.0, v.value or 0.0))) for v in values]
    return [[value - low for value, low, _ in spans], [high - value for value, _, high in spans]]


def coverage(points: Sequence[Point]) -> str:
    """What the intervals of p99 are: `96.9 %`; that there are none of too few rounds.

    Args:
        points: With at least one.
    """
    sure = [point.p99.confidence for point in points if point.p99.confidence]
    return f"{100 * min(sure):.1f} % each" if sure else "of which these rounds are too few"


def described(answer: Answer) -> str:
    """The ends of every curve, and the knee, in words: the figure's alt text.

    Args:
        answer: With at least one point.
    """
    sentences = []
    for rate in sorted({point.rate for point in answer.points}):
        curve = [point for point in answer.points if point.rate == rate]
        ends = [
            f"{formatting.times(p.cpu.value)} at {formatting.figure(p.p99.value)} ms with {p.linger:g} ms"
            for p in {p.linger: p for p in (curve[0], curve[-1])}.values()
        ]
        sentences.append(f"{formatting.plain(rate)} msg/s from {' to '.join(ends)}")
    knee = f" The knee is at {answer.knee.linger:g} ms." if answer.knee else ""
    return f"CPU a message over stored p99, a point a linger: {'; '.join(sentences)}.{knee}"
