"""This host and its processes, read into plain records. The only home of psutil.

Rates come from differences of counters over monotonic time. What a platform does not tell, or what would be wrong for
one reading (a counter that was reset), is left out of `fields`, never written as zero. A `HostProbe` keeps its own
state: psutil's `cpu_percent` remembers per thread, so a reading from another thread would be its meaningless first 0.0.
"""

from __future__ import annotations

import math
import platform
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import psutil

from sentinel.agent.counters import rates
from sentinel.errors import SentinelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentinel.agent.counters import Counters

T = TypeVar("T")

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

_LACKING = (OSError, RuntimeError, ValueError, TypeError, LookupError, ArithmeticError, AssertionError, psutil.Error)
"""What is raised where a platform, a container or a permission keeps something from us, or a file of /proc is empty,
short or padded."""


class CpuTimes(NamedTuple):
    """Seconds since boot, summed over all CPUs: busy + idle + steal = total."""

    busy: float
    idle: float
    """Waiting for a disk included."""
    steal: float
    """Taken by the hypervisor for others."""
    total: float


def cpu_times() -> CpuTimes:
    """The machine's CPU seconds so far; differences of two tell the load, and the steal, of what lay between."""
    times = psutil.cpu_times()._asdict()
    idle = times.pop("idle") + times.pop("iowait", 0.0)
    steal = times.pop("steal", 0.0)
    # Linux counts a guest's time a second time, inside user and nice.
    busy = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    # Sums of hundredths in floats: unrounded, an idle second would differ from no time by 1e-13.
    return CpuTimes(round(busy, 6), round(idle, 6), steal, round(busy + idle + steal, 6))


class HostView(NamedTuple):
    """Where this host is seen from: inside a container, not all of /proc and / is the host's."""

    proc: Path | None = None
    """The host's /proc, where it is mounted elsewhere."""
    root: Path = Path("/")
    """Anything on the host's root file system."""


AT_HOME = HostView()
"""Outside a container."""


def host_counters(view: HostView = AT_HOME) -> Counters:
    """Counters that only grow: of each device, under the name of the rate that they yield."""
    counters: dict[str, dict[str, int]] = {}
    # nowrap=True would hide a reset behind state kept for the whole process, at twice the cost.
    if disks := _known(lambda: psutil.disk_io_counters(perdisk=True, nowrap=False)):
        whole = {name: disk for name, disk in disks.items() if _is_whole_disk(name)}
        for rate, count in _DISK_COUNTS.items():
            counters[rate] = {name: getattr(disk, count) for name, disk in whole.items()}
    if net := _known(lambda: _network(view.proc)):
        counters["net_sent_bytes_per_s"] = {name: sent for name, (sent, _) in net.items()}
        counters["net_recv_bytes_per_s"] = {name: received for name, (_, received) in net.items()}
    return counters


_DISK_COUNTS = {
    "disk_read_bytes_per_s": "read_bytes",
    "disk_write_bytes_per_s": "write_bytes",
    "disk_read_ops_per_s": "read_count",
    "disk_write_ops_per_s": "write_count",
}
_BLOCK_DEVICES = Path("/sys/block")


def _is_whole_disk(name: str) -> bool:
    """Whether it is no partition, and no loop, mapped or RAID device, whose bytes are those of disks once more."""
    return platform.system() != "Linux" or (_BLOCK_DEVICES / name.replace("/", "!") / "device").exists()


def _network(proc: Path | None) -> dict[str, tuple[int, int]]:
    """Bytes sent and received, by interface."""
    if proc is None:
        net = psutil.net_io_counters(pernic=True, nowrap=False)
        return {name: (each.bytes_sent, each.bytes_recv) for name, each in net.items()}
    # /proc/net is the reader's own network, wherever /proc is mounted; the host's is that of its first process.
    lines = (proc / "1/net/dev").read_text(encoding="utf-8").splitlines()[2:]
    counts = {name.strip(): rest.split() for name, _, rest in (line.rpartition(":") for line in lines)}
    return {name: (int(each[8]), int(each[0])) for name, each in counts.items()}


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
    """Reads this host. Made ready by its constructor, so that the first reading already covers the time since then.

    A reading within `CPU_WINDOW` of the constructor has the mean CPU since boot.
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
        """CPU, memory and all that this platform tells, as of now.

        Raises:
            SentinelError: not even CPU and memory can be read.
        """
        now = time.monotonic() if now_monotonic is None else now_monotonic
        try:
            cpu, mem = self._cpu_percent(now), _memory_percent()
        except _LACKING as error:
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


def _known(read: Callable[[], T]) -> T | None:
    """What `read` returns, or None where it cannot be known."""
    try:
        return read()
    except _LACKING:
        return None


def _gauges(view: HostView) -> dict[str, float]:
    """Fields that need no second reading."""
    fields: dict[str, float] = {}
    if (swap := _known(psutil.swap_memory)) and swap.total:
        fields["swap_percent"] = swap.percent
    if load := _known(psutil.getloadavg):
        fields["load1"], fields["load5"], fields["load15"] = load
    if disk := _known(lambda: psutil.disk_usage(str(view.root))):
        fields["disk_percent"] = disk.percent
    if processes := _known(lambda: _processes(view.proc)):
        fields["processes"] = processes
    if running := _known(_running):
        fields["processes_running"] = running
    return fields


def _processes(proc: Path | None) -> int:
    return len(psutil.pids()) if proc is None else sum(path.name.isdigit() for path in proc.iterdir())


_LOAD = Path("/proc/loadavg")


def _running() -> int:
    """`0.01 0.05 0.06 1/85 5886`: 1 of 85 tasks runs. One read, where asking every process would cost milliseconds."""
    return int(_LOAD.read_text(encoding="utf-8").split()[3].partition("/")[0])


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """One reading of one process, its children not included."""

    cpu_seconds: float
    """User and system time since it started, in steps of 10 ms on Linux."""
    rss_bytes: int
    threads: int


class ProcessProbe:
    """Reads one process, this one by default."""

    def __init__(self, pid: int | None = None) -> None:
        self._process = _known(lambda: psutil.Process(pid))

    def read(self) -> ProcessReading | None:
        """None once the process has ended (reaped or not, its number taken by another or not) or may not be read."""
        process = self._process
        return None if process is None else _known(lambda: self._living(process))

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
        """As of now."""
        now, cpu = time.monotonic(), time.process_time()
        percent = 100 * (cpu - self._cpu) / max(now - self._at, 1e-9)
        self._at, self._cpu = now, cpu
        reading = self._probe.read()
        return Use(percent, reading.rss_bytes if reading else 0)


def memory_bytes() -> int | None:
    """This machine's physical memory; None where it cannot be known."""
    return _known(lambda: int(psutil.virtual_memory().total)) or None


def machine() -> dict[str, Any]:
    """What this machine is, for the record of a run; None where it cannot be known."""
    load = _known(psutil.getloadavg)
    return {
        "cpu_model": _cpu_model(),
        "cpu_count_logical": _known(psutil.cpu_count),
        "cpu_count_physical": _known(lambda: psutil.cpu_count(logical=False)),
        "memory_bytes": memory_bytes(),
        "os": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_average": list(load) if load else None,
    }


def _cpu_model() -> str:
    """Linux names the model in /proc/cpuinfo (x86: `model name`); elsewhere the platform module knows."""
    text = _known(Path("/proc/cpuinfo").read_text) or ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(("model name", "Model"))]
    return next((name for name in names if name), platform.processor() or platform.machine())
