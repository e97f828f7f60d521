"""The report's section on memory: what a message allocates, where, and what changed between two configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.display import HTML

from sentinel.lab import plots
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.style import styles
from sentinel.lab.presentation.tables import Cell, figured, folded, percent, table, together
from sentinel.lab.profiling import memory as profiling
from sentinel.lab.report.answers import raw
from sentinel.lab.report.captions import left_out
from sentinel.lab.report.profiles import memray_pages
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from sentinel.lab.run.run import Run

MODULES, LOCATIONS = 8, 12
"""Rows of the tables of allocators."""
COUNTED = "memray, every request with its full size, freed or not"
"""How bytes are counted."""


def memory(run: Run) -> HTML:
    """Allocation per message: totals, where, and what changed; memray's own pages."""
    memories = queries.memories(run)
    if not run.data.parameters.get("MEMRAY", True):
        return nothing("Memory was not measured: MEMRAY=False.")
    if not memories:
        return nothing(f"No valid memory trial: there is nothing to show.{left_out(run, MEMORY)}")
    caption = f"{COUNTED}; one trial each.{left_out(run, MEMORY)}"
    picture = plots.memory(memories, styles(queries.names(run)))
    shown = [figure_html(picture, caption, data=raw.drawn(run, "memory", picture)), *_difference(run, memories)]
    shown.append(table(["Bytes per message by module", *memories], by_module(memories)))
    shown += [_locations(name, summary) for name, summary in memories.items()]
    return HTML(together([*shown, memray_pages(run, {name: name for name in memories})], "\n"))


def _difference(run: Run, memories: Mapping[str, Mapping[str, Any]]) -> list[Markup]:
    new, old = run.data.compared
    if new == old or not {new, old} <= set(memories):
        return []
    rows = profiling.difference(memories[old]["locations"], memories[new]["locations"])
    picture = plots.memory_difference(rows, (old, new), styles(queries.names(run)))
    body = [[place, *map(figured, (a, b, b - a))] for place, a, b in rows[: 2 * LOCATIONS]]
    heads = ["Place", f"{old}, B/message", f"{new}, B/message", "change"]
    return [
        figure_html(
            picture,
            f"Where bytes per message changed most from {old} to {new}.",
            data=raw.drawn(run, "memory-difference", picture),
        ),
        folded(f"The {len(body)} largest changes as a table", table(heads, body)),
    ]


def by_module(memories: Mapping[str, Mapping[str, Any]]) -> list[list[str | Cell]]:
    """The modules that allocate most.

    Args:
        memories: By configuration, the summary of its memory trial.

    Returns:
        Rows of a module's name and its bytes per message in each configuration.
    """
    columns = [summary["modules"] for summary in memories.values()]
    names = sorted({name for column in columns for name in column}, key=lambda n: -max(c.get(n, 0.0) for c in columns))
    return [[name, *(figured(column.get(name)) for column in columns)] for name in names[:MODULES]]


def _locations(name: str, summary: Mapping[str, Any]) -> Markup:
    total = summary["bytes_per_message"]
    top = sorted(summary["locations"].items(), key=lambda place: -place[1])[:LOCATIONS]
    rows = [[place, figured(size), percent(size / total)] for place, size in top]
    return folded(f"{name}: largest allocators by location", table(["Place", "B/message", "% of all"], rows))
