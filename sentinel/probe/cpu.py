"""The machine's CPU time."""

from __future__ import annotations

from typing import NamedTuple

import psutil


class CpuTimes(NamedTuple):
    """Seconds since boot, summed over all CPUs: busy + idle + steal = total."""

    busy: float
    idle: float
    """Waiting for a disk included."""
    steal: float
    """Taken by the hypervisor for others."""
    total: float


def cpu_times() -> CpuTimes:
    """The machine's CPU time so far; the difference of two shows load and steal of the time between."""
    times = psutil.cpu_times()._asdict()
    idle = times.pop("idle") + times.pop("iowait", 0.0)
    steal = times.pop("steal", 0.0)
    # Linux counts a guest's time a second time, inside user and nice.
    busy = sum(times.values()) - times.get("guest", 0.0) - times.get("guest_nice", 0.0)
    # Sums of hundredths in floats: unrounded, an idle second would differ from no time by 1e-13.
    return CpuTimes(round(busy, 6), round(idle, 6), steal, round(busy + idle + steal, 6))
