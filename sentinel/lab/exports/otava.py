"""Runs as a table for Apache Otava: a row a run, oldest first, with the key measures of each. Pure.

Otava takes a number in every cell: a measure that some run has not is left out. docs/exports.md has its configuration.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.exports.key_measures import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run

ABOUT = ("time", "run", "commit")
"""Columns that hold no measure: the time column and the attributes."""


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`.

    Raises:
        RunError: the runs are of several notebooks, have no measure in common, or one has nothing to export.
    """
    ordered = sorted(runs, key=lambda run: run.data.created)
    if len(notebooks := {run.data.notebook for run in ordered}) > 1:
        raise RunError(f"runs of {' and '.join(sorted(notebooks))} have no history in common: export those of one")
    values = [{f"{item.column}.{item.measure.name}": item.value for item in figures(run)} for run in ordered]
    names = [name for name in values[0] if all(name in own for own in values)]
    if not names:
        raise RunError(f"these {len(ordered)} runs have no measure in common")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*ABOUT, *names])
    for run, own in zip(ordered, values, strict=True):
        commit = (run.data.machine.git or {}).get("commit", "")
        writer.writerow([run.data.created, run.id, commit, *(own[name] for name in names)])
    return {f"{ordered[-1].id}-otava.csv": text.getvalue()}
