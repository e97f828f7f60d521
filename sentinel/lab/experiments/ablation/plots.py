"""An ablation: the way from `baseline` to `optimised` step by step, and every choice taken off again.

Axes are logarithmic: there factors are lengths, and the lengths of the steps add up to the whole way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

from sentinel.consumer.configurations import BASELINE, OPTIMISED
from sentinel.lab import formatting
from sentinel.lab.experiments.ablation import alt_text
from sentinel.lab.experiments.ablation.contributions import trials
from sentinel.lab.plots.canvas import Picture, grid, logarithmic, styled
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, MUTED, styles
from sentinel.lab.statistics.compare import Word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from sentinel.lab.experiments.ablation.contributions import ByMeasure, Contribution
    from sentinel.lab.presentation.style import Style
    from sentinel.lab.statistics.compare import Ratio
    from sentinel.lab.statistics.metrics import Measure

COLUMNS = {
    "choice": "axis and what is chosen on it",
    "measure": "as run.json calls it",
    "unit": "of `before` and `after`",
    "before": "median of the step before, in `unit`",
    "after": "median of the step that switches it on, in `unit`",
    "on": "the step ÷ the step before, no unit",
    "on_low": "lower end of its interval",
    "on_high": "upper end",
    "off": "optimised ÷ optimised without it, no unit",
    "off_low": "lower end of its interval",
    "off_high": "upper end",
    "floor": "noise floor, the factor that a difference must exceed either way",
}
ROW = 0.5
"""Inches a row: a bar, and its factor above it."""
ABOVE = 0.27
"""Of a row, from its middle to the text above the bar."""
SIDES = 0.36
"""Share of a panel within which a text is set flush with the bar, lest it leave the panel."""
BOX: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8}
HOLLOW = "filled: better or worse · hollow: neither was shown"


def _styles(steps: Sequence[Contribution]) -> dict[str, Style]:
    """Of the two ends and of the axes: an axis has one colour in all panels."""
    return styles([BASELINE.name, *(contribution.choice.axis for contribution in steps), OPTIMISED.name])


@styled
def waterfall(by_measure: ByMeasure) -> Picture:
    """A panel a measure: from `baseline` to `optimised`, a floating bar a step, its factor and interval above it.

    Args:
        by_measure: A contribution for every choice, in the order of the steps, by measure; not empty.
    """
    shown = next(iter(by_measure.values()))
    rows = [BASELINE.name, *(contribution.choice.label for contribution in shown), OPTIMISED.name]
    figure, axes = grid(1, len(by_measure), 1.1 + ROW * len(rows), sharey=True)
    for axis, (measure, steps) in zip(axes[0], by_measure.items(), strict=True):
        values = [
            value
            for contribution in steps
            for value in (*contribution.medians.values(), *_interval(contribution))
            if value > 0
        ]
        _scale(axis, 0.55 * min(values), 1.8 * max(values))
        _ends(axis, measure, steps)
        for row, contribution in enumerate(steps, 1):
            _step(axis, row, contribution, _styles(steps)[contribution.choice.axis])
        axis.set_title(f"{measure.title}, {measure.unit}")
        axis.set_xlabel(f"{measure.unit} (log), {trials(steps)}")
        axis.grid(visible=False, axis="y")
    axes[0, 0].set_yticks(range(len(rows)), rows)
    axes[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    figure.supxlabel(f"{HOLLOW} · whisker: interval of the step's factor", fontsize=8.5)
    return Picture(figure, alt_text.waterfall(by_measure), _data(by_measure))


def _data(by_measure: ByMeasure) -> FigureData:
    """Every step, and every choice taken off again; both figures draw some of it."""
    rows = [
        (
            c.choice.label,
            measure.name,
            measure.unit,
            *(c.medians.get(name) for name in (c.choice.before, c.choice.after)),
            *(value for ratio in (c.on, c.off) for value in (ratio.value, ratio.low, ratio.high)),
            1 + c.band,
        )
        for measure, steps in by_measure.items()
        for c in steps
    ]
    return FigureData(COLUMNS, rows)


def _scale(axis: Axes, low: float, high: float) -> None:
    """Three panels share the width: few ticks each."""
    logarithmic(axis, "x", low, high)
    reach = high / low
    axis.xaxis.set_major_locator(
        LogLocator(subs=(1.0,) if reach > 60 else (1.0, 3.0) if reach > 8 else (1.0, 2.0, 5.0))
    )


def _ends(axis: Axes, measure: Measure, steps: Sequence[Contribution]) -> None:
    """Where the way begins and where it ends."""
    first, last = steps[0], steps[-1]
    for row, contribution, name in ((0, first, first.choice.before), (len(steps) + 1, last, last.choice.after)):
        if value := contribution.medians.get(name):
            axis.plot(value, row + 0.12, markersize=8, **_styles(steps)[name].dots)
            _write(axis, row, value, value, f"{formatting.figure(value)} {measure.unit}", fontweight="bold")


def _step(axis: Axes, row: int, contribution: Contribution, style: Style) -> None:
    before, after = (contribution.medians.get(name) for name in (contribution.choice.before, contribution.choice.after))
    if not before or not after:
        axis.annotate("not measured", (0.5, row), xycoords=("axes fraction", "data"), ha="center", color=MUTED)
        return
    y, sure = row + 0.12, contribution.on_is in (Word.BETTER, Word.WORSE)
    axis.barh(
        y, after - before, left=before, height=0.34, color=style.colour if sure else "white", edgecolor=style.colour
    )
    axis.plot([after, after], [y - 0.17, y + 1.17], color=MUTED, linewidth=0.9)
    if ends := _interval(contribution):
        axis.plot(ends, [y, y], color="white", linewidth=3)
        axis.plot(ends, [y, y], color=INK, linewidth=1.2, marker="|", markersize=6)
    _write(axis, row, before, after, formatting.ranged(contribution.on))


def _interval(contribution: Contribution) -> list[float]:
    """Where the step may end: the step before it times the bounds of the factor; empty where it has none."""
    before = contribution.medians.get(contribution.choice.before, 0.0)
    return [before * end for end in contribution.on.interval or ()]


def _write(axis: Axes, row: float, start: float, end: float, text: str, **more: Any) -> None:
    """Above what lies between `start` and `end`, within the panel."""
    low, high = (math.log(limit) for limit in axis.get_xlim())
    left, right = sorted((math.log(value) - low) / (high - low) for value in (start, end))
    middle = (left + right) / 2
    at, flush = (left, "left") if middle < SIDES else (right, "right") if middle > 1 - SIDES else (middle, "center")
    aside = {"left": 3, "right": -3}.get(flush, 0)
    where: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    how: dict[str, Any] = {"ha": flush, "va": "center", "fontsize": 8.5, "bbox": BOX}
    axis.annotate(text, (at, row - ABOVE), (aside, 0), **where, **how, **more)


@styled
def taken_off(by_measure: ByMeasure) -> Picture:
    """A panel a measure: every choice as `optimised` ÷ `optimised` without it, beside what it was on the way up.

    Args:
        by_measure: A contribution for every choice, in the order of the steps, by measure; not empty.
    """
    shown = next(iter(by_measure.values()))
    figure, axes = grid(1, len(by_measure), 1.5 + ROW * len(shown), sharey=True)
    for axis, (measure, steps) in zip(axes[0], by_measure.items(), strict=True):
        seen = [
            v
            for contribution in steps
            for r in (contribution.on, contribution.off)
            for v in (r.value, r.low, r.high)
            if v
        ]
        widest = 1 + max(contribution.band for contribution in steps)
        band = 1 / widest, widest
        _scale(axis, min(*band, *seen) / 1.6, max(*band, *seen) * 1.6)
        axis.axvspan(*band, color=MUTED, alpha=0.16, linewidth=0)
        axis.axvline(1, color=MUTED, linewidth=0.9)
        for row, contribution in enumerate(steps):
            style = _styles(steps)[contribution.choice.axis]
            _mark(axis, row + 0.3, contribution.on, style, marker="D", markersize=4, alpha=0.55)
            _mark(axis, row + 0.06, contribution.off, style, marker="o", markersize=8)
            at = 1.0 if contribution.off.value is None else contribution.off.value
            _write(axis, row, at, at, formatting.ranged(contribution.off))
        axis.set_title(measure.title)
        axis.set_xlabel(f"ratio, × (log), {trials(steps)}\n{'right' if measure.higher else 'left'} is better")
        axis.grid(visible=False, axis="y")
    axes[0, 0].set_yticks(range(len(shown)), [contribution.choice.label for contribution in shown])
    axes[0, 0].set_ylim(len(shown) - 0.4, -0.6)
    figure.legend(handles=_legend(), loc="outside lower center", ncols=3)
    return Picture(figure, alt_text.taken_off(by_measure), _data(by_measure))


def _mark(axis: Axes, y: float, ratio: Ratio, style: Style, **how: Any) -> None:
    if ratio.interval:
        axis.plot(ratio.interval, [y, y], color=style.colour, linewidth=1.4, alpha=how.get("alpha", 1))
    if ratio.value is not None:
        axis.plot(ratio.value, y, linestyle="none", color=style.colour, **how)


def _legend() -> list[Line2D | Patch]:
    plain: dict[str, Any] = {"color": INK, "linestyle": "none"}
    return [
        Line2D([], [], marker="o", markersize=8, label="optimised ÷ optimised without the choice", **plain),
        Line2D([], [], marker="D", markersize=4, alpha=0.55, label="step ÷ the step before it", **plain),
        Patch(color=MUTED, alpha=0.16, label="noise floor (run-to-run variation, A/A)"),
    ]
