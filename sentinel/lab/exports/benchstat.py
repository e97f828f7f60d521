"""Runs in Go's benchmark format, for benchstat: a line a valid trial. Pure: run.json in, text out.

Keys at the top are those that two runs must share to be compared: benchstat makes a table of its own for each set of
values. What tells runs apart, such as the commit, is a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.exports.tidy import FIRST, split
from sentinel.lab.run.trial_record import CAPACITY, MEMORY
from sentinel.lab.statistics.measures import comparable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

HIGHER = "msg/s"
"""The unit of which more is better."""
UNITS = {
    "capacity": ("msg/s", 1.0),
    "throughput": ("msg/s", 1.0),
    "capacity_cpu_us": ("cpu-ns/op", 1e3),
    "cpu_us": ("cpu-ns/op", 1e3),
    "capacity_peak_rss_mb": ("peak-rss-B", 1e6),
    "peak_rss_mb": ("peak-rss-B", 1e6),
    "bytes_per_message": ("B/op", 1.0),
    "allocations_per_message": ("allocs/op", 1.0),
    "lost": ("lost-messages", 1.0),
}
"""Unit by measure, and how often it goes into the measure's own."""
NS = 1e6
"""Of a ms."""


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`."""
    return {f"{runs[0].id}.txt": "\n".join(line for run in runs for line in _lines(run))}


def _lines(run: Run) -> Iterator[str]:
    trials = [o for o in run.data.trials if comparable([o])]
    if not trials:
        raise RunError(f"run {run.id} has nothing to export: no valid trial measured anything")
    data, stack = run.data, run.data.stack
    commit = (data.machine.git or {}).get("commit", "unknown")
    yield f"# run {run.id}, commit {commit}"
    told = {"goos": data.machine.os, "cpu": data.machine.cpu_model, "notebook": data.notebook}
    told |= {"bus": stack.bus, "store": stack.store} if stack else {}
    yield from (f"{key}: {value}" for key, value in told.items() if value)
    yield f"Unit {HIGHER} better=higher"
    lines = [_line(outcome) for outcome in trials]
    units = sorted({unit for _, pairs in lines for unit in pairs} - {HIGHER})
    yield from (f"Unit {unit} better=lower" for unit in units)
    for head, pairs in lines:
        yield f"{head} {' '.join(f'{value:.9g} {unit}' for unit, value in pairs.items())}"
    yield ""


def _line(outcome: Outcome) -> tuple[str, dict[str, float]]:
    """What stands before a trial's values, and the values by unit."""
    pairs: dict[str, float] = {}
    for name, (value,) in comparable([outcome]).items():
        unit, times = UNITS.get(name) or (f"{name.replace('_', '-')}-ns", NS)
        pairs[unit] = value * times
    if rate := pairs.get(HIGHER) if outcome.plan.kind == CAPACITY else None:
        pairs = {"ns/op": 1e9 / rate, **pairs}
    return f"{_name(outcome)} {max(1, int(outcome.consumer.get('received', 1)))}", pairs


def _name(outcome: Outcome) -> str:
    """`BenchmarkLatency/configuration=optimised/rate=25000`; white space and slashes would end a part of it."""
    plan = outcome.plan
    configuration, leg = split(plan.label)
    keys = {"configuration": configuration}
    if plan.kind not in {CAPACITY, MEMORY}:
        keys["rate"] = f"{plan.load.rate:.0f}"
    if leg != FIRST:
        keys["leg"] = leg
    parts = (f"/{key}={'_'.join(value.replace('/', ' ').split())}" for key, value in keys.items())
    return f"Benchmark{plan.kind.capitalize()}{''.join(parts)}"
