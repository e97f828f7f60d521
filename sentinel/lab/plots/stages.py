"""Where a message's CPU goes: a panel a configuration, a bar a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import Picture, grid, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.figure_data import FigureData
from sentinel.lab.presentation.style import INK, STAGE_COLOURS
from sentinel.lab.profiling.stacks import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from sentinel.lab.profiling.stacks import Breakdown

COLUMNS = {
    "configuration": "its name",
    "stage": "of the consumer",
    "share": "of the samples, %",
    "cpu": "µs per message",
}
ACROSS = 3
"""Panels beside each other."""
ROOM = 1.95
"""The axis's length against the longest bar: the bar's text follows it."""


@styled
def stages(breakdowns: Mapping[str, Breakdown]) -> Picture:
    """Where CPU time goes: a panel a configuration, a bar a stage.

    The bars are shares on one common axis, since microseconds differ by orders of magnitude; these stand at the bars'
    ends.

    Args:
        breakdowns: Shares by stage, by configuration.
    """
    columns = min(ACROSS, len(breakdowns))
    rows = -(-len(breakdowns) // columns)
    figure, axes = grid(rows, columns, 0.4 + 2.9 * rows, sharex=True, sharey=True)
    longest = max(100 * share for breakdown in breakdowns.values() for share in breakdown.shares.values())
    for axis, (name, breakdown) in zip(axes.flat, breakdowns.items(), strict=False):
        _panel(axis, name, breakdown)
        ticks = [tick for tick in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(0, longest) if tick <= 100]
        axis.set_xticks(ticks, [formatting.plain(tick) for tick in ticks])
        axis.set_xlim(0, ROOM * longest)
    for axis in axes.flat[len(breakdowns) :]:
        axis.remove()
    axes[0, 0].set_ylim(len(STAGES) - 0.5, -0.5)
    values = [
        (name, stage, 100 * breakdown.shares[stage], breakdown.us(stage))
        for name, breakdown in breakdowns.items()
        for stage in STAGES
    ]
    return Picture(figure, alt_text.stages(breakdowns), FigureData(COLUMNS, values))


def _panel(axis: Axes, name: str, breakdown: Breakdown) -> None:
    for row, stage in enumerate(STAGES):
        share = 100 * breakdown.shares[stage]
        axis.barh(row, share, height=0.66, color=STAGE_COLOURS[stage], edgecolor=INK, linewidth=0.4)
        us = "" if (cost := breakdown.us(stage)) is None else f"{formatting.figure(cost)} µs, "
        text = f"{us}{share:.1f} %"
        axis.annotate(text, (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
    whole = (
        f"{formatting.figure(breakdown.cpu_us)} µs of CPU per message"
        if breakdown.cpu_us is not None
        else "CPU was not measured"
    )
    axis.set_title(
        f"{formatting.broken(name)}\n{whole}\nn = {formatting.count(breakdown.samples)} samples", fontsize=9.5
    )
    axis.set_yticks(range(len(STAGES)), STAGES)
    axis.tick_params(labelbottom=True)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("share of samples, %")
