"""What one process uses: any by its number, or this one since the last look."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import psutil

from sentinel.probe.known import known


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """One reading of one process, its children not included."""

    cpu_seconds: float
    """User and system time since it started, in steps of 10 ms on Linux."""
    rss_bytes: int
    threads: int


class ProcessProbe:
    """Reads one process.

    Args:
        pid: its number; this process by default.
    """

    def __init__(self, pid: int | None = None) -> None:
        self._process = known(lambda: psutil.Process(pid))

    def read(self) -> ProcessReading | None:
        """Read the process.

        Returns:
            None once it has ended (reaped or not, its number taken by another or not) or where it may not be read.
        """
        process = self._process
        return None if process is None else known(lambda: self._living(process))

    @staticmethod
    def _living(process: psutil.Process) -> ProcessReading | None:
        if not process.is_running():
            return None
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            cpu = process.cpu_times()
            return ProcessReading(cpu.user + cpu.system, process.memory_info().rss, process.num_threads())


class Use(NamedTuple):
    """What this process used between two readings."""

    cpu_percent: float
    """Of one core; counted in ns, where a ProcessReading counts in 10 ms."""
    rss_bytes: int
    """Resident memory at the second reading; 0 where it cannot be known."""


class OwnUse:
    """Reads what this process used since the reading before, or since this was made."""

    def __init__(self) -> None:
        self._probe = ProcessProbe()
        self._at, self._cpu = time.monotonic(), time.process_time()

    def read(self) -> Use:
        """CPU since the last call, and memory now."""
        now, cpu = time.monotonic(), time.process_time()
        percent = 100 * (cpu - self._cpu) / max(now - self._at, 1e-9)
        self._at, self._cpu = now, cpu
        reading = self._probe.read()
        return Use(percent, reading.rss_bytes if reading else 0)
