"""Where a message's CPU goes: a panel a configuration, a bar a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from sentinel.lab import formatting
from sentinel.lab.plots.canvas import Picture, grid, styled
from sentinel.lab.presentation import alt_text
from sentinel.lab.presentation.style import INK, STAGE_COLOURS
from sentinel.lab.profiling.stacks import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes

    from sentinel.lab.profiling.stacks import Breakdown

ACROSS = 3
"""Panels beside each other."""
ROOM = 1.95
"""The axis's length against the longest bar: the bar's text follows it."""


@styled
def stages(found: Mapping[str, Breakdown]) -> Picture:
    """Shares on one common axis, since microseconds differ by orders of magnitude; these stand at the bars' ends."""
    columns = min(ACROSS, len(found))
    rows = -(-len(found) // columns)
    figure, axes = grid(rows, columns, 0.4 + 2.9 * rows, sharex=True, sharey=True)
    longest = max(100 * share for one in found.values() for share in one.shares.values())
    for axis, (name, one) in zip(axes.flat, found.items(), strict=False):
        _panel(axis, name, one)
        ticks = [tick for tick in MaxNLocator(3, steps=[1, 2, 5, 10]).tick_values(0, longest) if tick <= 100]
        axis.set_xticks(ticks, [formatting.plain(tick) for tick in ticks])
        axis.set_xlim(0, ROOM * longest)
    for axis in axes.flat[len(found) :]:
        axis.remove()
    axes[0, 0].set_ylim(len(STAGES) - 0.5, -0.5)
    return Picture(figure, alt_text.stages(found))


def _panel(axis: Axes, name: str, one: Breakdown) -> None:
    for row, stage in enumerate(STAGES):
        share = 100 * one.shares[stage]
        axis.barh(row, share, height=0.66, color=STAGE_COLOURS[stage], edgecolor=INK, linewidth=0.4)
        us = "" if (cost := one.us(stage)) is None else f"{formatting.figure(cost)} µs, "
        text = f"{us}{share:.1f} %"
        axis.annotate(text, (share, row), (4, 0), textcoords="offset points", va="center", fontsize=8.5)
    whole = (
        f"{formatting.figure(one.cpu_us)} µs of CPU per message" if one.cpu_us is not None else "CPU was not measured"
    )
    axis.set_title(f"{formatting.broken(name)}\n{whole}\nn = {formatting.count(one.samples)} samples", fontsize=9.5)
    axis.set_yticks(range(len(STAGES)), STAGES)
    axis.tick_params(labelbottom=True)
    axis.grid(visible=False, axis="y")
    axis.set_xlabel("share of samples, %")
