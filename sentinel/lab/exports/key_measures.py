"""The measures of a run that are followed over time: a median a column and measure. Pure: run.json in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.statistics.metrics import measure
from sentinel.lab.statistics.regressions import KEY, KINDS

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.statistics.compare import Spread
    from sentinel.lab.statistics.metrics import Measure

NAMES = ("capacity", "throughput", *(name for name in KEY if name != "capacity"), "lost")
"""Besides the latencies."""
PERCENTILES = ("p50", "p99")


@dataclass(frozen=True)
class Figure:
    """One median, and the trials behind it."""

    column: str
    """A configuration's label, or `headline`."""
    measure: Measure
    value: float
    """In the measure's unit."""
    spread: Spread | None
    """Smallest, largest, and number of trials; None where the record has none."""


def figures(run: Run) -> list[Figure]:
    """Every key measure of every column.

    Args:
        run: A run that was summed up.

    Raises:
        RunError: it has no such value: no valid trial, or none that measured one.
    """
    names = [*NAMES, *(f"{kind}_{percentile}" for kind in KINDS for percentile in PERCENTILES)]
    collected = [
        Figure(column, known, float(values[name] or 0), run.data.spread.get(column, {}).get(name))
        for column, values in run.data.summary.items()
        for name in names
        if values.get(name) is not None and (known := measure(name)) is not None
    ]
    if not collected:
        raise RunError(f"run {run.id} has nothing to export: no valid trial measured anything")
    return collected
