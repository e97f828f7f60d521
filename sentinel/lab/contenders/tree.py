"""CPU and memory of a process with all its children."""

from __future__ import annotations

import time

from sentinel.lab.contenders.leash import descendants
from sentinel.probe import ProcessProbe, ProcessReading

NEW_CHILDREN = 1.0
"""Seconds between two looks for children that it started meanwhile: a look reads all of /proc."""


class TreeProbe:
    """Reads a process and all below it, as one; the leash itself does not count.

    CPU of a child that has ended stays as it was last read.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._probes: dict[int, ProcessProbe] = {}
        self._last: dict[int, ProcessReading] = {}
        self._looked = 0.0

    def look(self) -> ProcessReading:
        """The sum over all that run, or have run, now."""
        self._looked = 0.0
        return self.read() or ProcessReading(0.0, 0, 0)

    def read(self) -> ProcessReading | None:
        """The sum; None once none of them runs."""
        if time.monotonic() - self._looked > NEW_CHILDREN:
            self._looked = time.monotonic()
            for pid in descendants(self._pid) - self._probes.keys():
                self._probes[pid] = ProcessProbe(pid)
        values = {pid: reading for pid, probe in self._probes.items() if (reading := probe.read()) is not None}
        self._last |= values
        if not values:
            return None
        cpu = sum(reading.cpu_seconds for reading in self._last.values())
        rss, threads = (sum(getattr(r, name) for r in values.values()) for name in ("rss_bytes", "threads"))
        return ProcessReading(cpu, rss, threads)
