"""A run's key measures as github-action-benchmark's own JSON: a file of what is better smaller, and one of the rest.

They are for its tools `customSmallerIsBetter` and `customBiggerIsBetter`. Pure: run.json in, text out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sentinel.errors import RunError
from sentinel.lab import formatting
from sentinel.lab.exports.key_measures import figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.exports.key_measures import Figure
    from sentinel.lab.run.run import Run

FILES = {False: "smaller-is-better.json", True: "bigger-is-better.json"}
"""Names by whether more is better: the same for every run, so that a workflow can name them."""


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`.

    Raises:
        RunError: there are several runs, and the action takes one at a time; or the run has nothing to export.
    """
    if len(runs) > 1:
        raise RunError(f"github-action-benchmark keeps the history itself: export one run, not {len(runs)}")
    (run,) = runs
    parts: dict[str, list[dict[str, Any]]] = {}
    for item in figures(run):
        parts.setdefault(FILES[item.measure.higher], []).append(_entry(run, item))
    return {name: json.dumps(entries, indent=1, ensure_ascii=False) + "\n" for name, entries in parts.items()}


def _entry(run: Run, item: Figure) -> dict[str, Any]:
    """One benchmark of the action: name, unit, value; how far trials lie from their median, and where it is from."""
    commit = (run.data.machine.git or {}).get("commit", "unknown")
    entry: dict[str, Any] = {
        "name": f"{item.column}: {item.measure.title}",
        "unit": item.measure.unit,
        "value": item.value,
    }
    extra = [f"run {run.id}", f"commit {commit}"]
    if item.spread and item.spread.n > 1:
        farthest = max(item.spread.high - item.value, item.value - item.spread.low)
        entry["range"] = f"± {farthest:.6g}"
        extra.insert(0, f"median of {formatting.counted(item.spread.n, 'trial')}")
    return {**entry, "extra": "\n".join(extra)}
