"""How the machine fares beside a trial: CPU time that others took, and what a fixed piece of work costs.

The work is timed in CPU time of its thread: waiting for a processor does not count, a slower processor does.
"""

from __future__ import annotations

import csv
import time
from typing import TYPE_CHECKING, Self

from sentinel.probe import cpu_times

if TYPE_CHECKING:
    from pathlib import Path

HEADS = ("at", "stolen_percent", "work_us")
TURNS, TRIES = 1500, 3
"""Of the work; and how often it is done, of which the quickest counts, as an interrupt makes it slower."""


class Pulse:
    """Writes a line at every beat, while its block lasts.

    Args:
        path: The CSV file: `at` (ns since the epoch), `stolen_percent` (of all CPUs' time since the beat before),
            `work_us` (CPU time of the work).
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        self._file = self._path.open("w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        self._writer.writerow(HEADS)
        self._before = cpu_times()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def beat(self) -> None:
        """Read the machine."""
        now = cpu_times()
        passed = now.total - self._before.total
        stolen = 100 * (now.steal - self._before.steal) / passed if passed > 0 else 0.0
        self._before = now
        self._writer.writerow([time.time_ns(), round(stolen, 2), min(_work() for _ in range(TRIES)) / 1000])


def _work() -> int:
    """CPU time of a piece of work that touches no memory, ns."""
    began = time.thread_time_ns()
    for _ in range(TURNS):
        pass
    return time.thread_time_ns() - began
