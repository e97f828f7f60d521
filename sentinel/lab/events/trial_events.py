"""The events of a trial, read from what it left in its folder. Older runs have fewer kinds."""

from __future__ import annotations

import csv
import statistics
from typing import TYPE_CHECKING, Any

from sentinel.consumer.measuring.stalls import COLLECTED, WRITTEN
from sentinel.lab.events.event import (
    COLLECTION,
    KINDS,
    PULSE,
    RECONNECT,
    RETRY,
    SLOW_WRITE,
    SLOWED,
    STOLEN,
    Event,
    Kind,
)
from sentinel.lab.formatting import counted, figure
from sentinel.lab.run import series

if TYPE_CHECKING:
    from pathlib import Path

MOST = 50
"""Events of one kind that are kept of a trial: the largest."""
LONG_COLLECTION = 5e6
"""ns from which a garbage collection is an event."""
SLOW, SLOWER = 20e6, 3
"""ns that a slow write takes at least, and times the usual: the median of the intervals' longest."""
STOLEN_FROM, SLOWED_FROM = 10.0, 1.5
"""Percent of CPU time, and times the usual CPU time of a fixed piece of work, from which it is an event."""


def of_trial(folder: Path, start: int) -> list[Event]:
    """What happened in a trial.

    Args:
        folder: The trial's folder.
        start: The moment 0, ns since the epoch.

    Returns:
        Events in the order of time; of a kind with more than `MOST` the largest.
    """
    lines = series.intervals(folder / series.CONSUMER)
    events = [
        *_stalls(lines, start, COLLECTED, COLLECTION, (LONG_COLLECTION, 0.0)),
        *_stalls(lines, start, WRITTEN, SLOW_WRITE, (SLOW, SLOWER)),
        *_counts(lines, start, "retries", RETRY),
        *_counts(lines, start, "reconnects", RECONNECT),
        *_machine(folder / PULSE, start),
    ]
    return sorted([event for kind in KINDS for event in _largest(events, kind)], key=lambda event: event.at)


def _largest(events: list[Event], kind: Kind) -> list[Event]:
    return sorted((event for event in events if event.kind == kind), key=lambda event: -event.size)[:MOST]


def _stalls(lines: list[dict[str, Any]], start: int, key: str, kind: Kind, limits: tuple[float, float]) -> list[Event]:
    """Of every interval the longest, where it is as long as `limits` say: in ns, and in times the usual."""
    longest = [line[key] for line in lines if key in line]
    if not longest:
        return []
    least = max(limits[0], limits[1] * statistics.median(took for _, took in longest))
    return [
        Event((began - start) / 1e9, kind, f"{kind.name} of {figure(took / 1e6)} ms", took)
        for began, took in longest
        if took >= least
    ]


def _counts(lines: list[dict[str, Any]], start: int, name: str, kind: Kind) -> list[Event]:
    """Where a count grew; when within the interval is not known."""
    counts = [line.get(name, 0) for line in lines]
    grown = [(line["at"], after - before) for line, before, after in zip(lines, [0, *counts], counts, strict=False)]
    return [
        Event((at - start) / 1e9, kind, f"{counted(1, kind.name) if n == 1 else f'{n} {kind.several}'} just before", n)
        for at, n in grown
        if n > 0
    ]


def _machine(path: Path, start: int) -> list[Event]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        beats = [(int(row["at"]), float(row["stolen_percent"]), float(row["work_us"])) for row in csv.DictReader(file)]
    usual = statistics.median(work for _, _, work in beats) if beats else 0.0
    every = f"{series.SAMPLE_EVERY:g} s"
    stolen = [
        Event((at - start) / 1e9, STOLEN, f"{share:.0f} % of CPU time went to other guests within {every}", share)
        for at, share, _ in beats
        if share >= STOLEN_FROM
    ]
    slowed = [
        Event((at - start) / 1e9, SLOWED, f"fixed work took {work / usual:.1f} times its usual CPU time", work)
        for at, _, work in beats
        if usual and work > SLOWED_FROM * usual
    ]
    return [*stolen, *slowed]
