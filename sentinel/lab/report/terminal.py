"""What a run says in a terminal: its table and verdict, and the few figures that tell runs apart, by notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.experiments.ablation import results as ablation_results
from sentinel.lab.experiments.sweep import results as sweep_results
from sentinel.lab.report import results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentinel.lab.run.run import Run

TABLES: Mapping[str, Callable[[Run], str]] = {
    "ablation": ablation_results.terminal_table,
    "benchmark": results.terminal_table,
    "sweep": sweep_results.terminal_table,
}
"""By notebook."""


def table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    known = TABLES.get(run.data.get("notebook", ""))
    return known(run) if known else "\n".join(run.data.get("verdict") or [f"run {run.id}: no results"])
