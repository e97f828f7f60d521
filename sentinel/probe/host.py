"""Readings of this host: CPU, memory, and all that the platform tells.

Rates come from differences of counters over monotonic time. What a platform does not tell, or what would be wrong for
one reading (a counter that was reset), is left out of `fields`, never written as zero. A `HostProbe` keeps its own
state: psutil's `cpu_percent` remembers per thread, so a reading from another thread would be its meaningless first 0.0.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sentinel.errors import SentinelError
from sentinel.probe.counters import rates
from sentinel.probe.cpu import CpuTimes, cpu_times
from sentinel.probe.devices import AT_HOME, HostView, host_counters
from sentinel.probe.known import LACKING, known

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentinel.probe.counters import Counters

FIELDS: Mapping[str, str] = {
    "swap_percent": "% of swap space; left out where there is none",
    "load1": "tasks, mean over 1 minute",
    "load5": "tasks, mean over 5 minutes",
    "load15": "tasks, mean over 15 minutes",
    "disk_percent": "% of the file system of /, as its users see it",
    "disk_read_bytes_per_s": "bytes/s, all whole disks",
    "disk_write_bytes_per_s": "bytes/s, all whole disks",
    "disk_read_ops_per_s": "requests/s, all whole disks",
    "disk_write_ops_per_s": "requests/s, all whole disks",
    "net_sent_bytes_per_s": "bytes/s, all interfaces, loopback included",
    "net_recv_bytes_per_s": "bytes/s, all interfaces, loopback included",
    "processes": "count, kernel threads included",
    "processes_running": "count of tasks (threads) running or runnable, the reader among them; Linux only",
}
"""Every field a reading may have, with its unit."""

CPU_WINDOW = 0.1
"""Seconds below which CPU time, counted in 10 ms ticks, says nothing: the last known value stands."""


@dataclass(frozen=True, slots=True)
class HostReading:
    """One reading of this host."""

    cpu: float
    """Percent of all cores since the reading before; as psutil, stolen time is busy, waiting for a disk is idle."""
    mem: float
    """Percent of physical memory that programs cannot get."""
    fields: dict[str, float]
    """Further readings; names and units in `FIELDS`."""


class HostProbe:
    """Reads this host. Its constructor takes a reading, so that the first one asked for covers the time since then.

    A reading within `CPU_WINDOW` of the constructor has the mean CPU since boot.

    Args:
        counters: reads the counters; `host_counters` by default.
        times: reads the CPU time.
        view: where the host's files are.
    """

    def __init__(
        self,
        counters: Callable[[], Counters] | None = None,
        times: Callable[[], CpuTimes] = cpu_times,
        view: HostView = AT_HOME,
    ) -> None:
        self._view = view
        self._read_counters = counters or partial(host_counters, view)
        self._read_times = times
        self._cpu = 0.0
        self._times = CpuTimes(0.0, 0.0, 0.0, 0.0)
        self._times_at = -math.inf
        self._counters: Counters = {}
        self._counters_at = -math.inf
        self.read()

    def read(self, now_monotonic: float | None = None) -> HostReading:
        """Read CPU, memory and all that this platform tells.

        Args:
            now_monotonic: time of the reading, seconds of the monotonic clock; now by default.

        Raises:
            SentinelError: not even CPU and memory can be read.
        """
        now = time.monotonic() if now_monotonic is None else now_monotonic
        try:
            cpu, mem = self._cpu_percent(now), _memory_percent()
        except LACKING as error:
            raise SentinelError(f"CPU and memory of this host cannot be read: {error} (is /proc mounted?)") from error
        counters = self._read_counters()
        fields = _gauges(self._view) | rates(self._counters, counters, now - self._counters_at)
        self._counters, self._counters_at = counters, now
        return HostReading(cpu, mem, {name: float(value) for name, value in fields.items() if math.isfinite(value)})

    def _cpu_percent(self, now: float) -> float:
        if now - self._times_at >= CPU_WINDOW:
            before, self._times = self._times, self._read_times()
            self._times_at = now
            total, idle = self._times.total - before.total, self._times.idle - before.idle
            if total > 0:
                # The kernel's counters may go back a tick when a CPU wakes from idle.
                self._cpu = min(100.0, max(0.0, 100.0 * (total - idle) / total))
        return self._cpu


def _memory_percent() -> float:
    memory = psutil.virtual_memory()
    if not memory.total:
        raise ValueError("a memory of 0 bytes")
    return float(memory.percent)


def _gauges(view: HostView) -> dict[str, float]:
    """Fields that need no second reading."""
    fields: dict[str, float] = {}
    if (swap := known(psutil.swap_memory)) and swap.total:
        fields["swap_percent"] = swap.percent
    if load := known(psutil.getloadavg):
        fields["load1"], fields["load5"], fields["load15"] = load
    if disk := known(lambda: psutil.disk_usage(str(view.root))):
        fields["disk_percent"] = disk.percent
    if processes := known(lambda: _processes(view.proc)):
        fields["processes"] = processes
    if running := known(_running):
        fields["processes_running"] = running
    return fields


def _processes(proc: Path | None) -> int:
    return len(psutil.pids()) if proc is None else sum(path.name.isdigit() for path in proc.iterdir())


_LOAD = Path("/proc/loadavg")


def _running() -> int:
    """`0.01 0.05 0.06 1/85 5886`: 1 of 85 tasks runs. One read, where asking every process would cost milliseconds."""
    return int(_LOAD.read_text(encoding="utf-8").split()[3].partition("/")[0])
