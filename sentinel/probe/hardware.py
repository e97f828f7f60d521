"""What this machine is: processor, memory, system."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import psutil

from sentinel.probe.known import known


def memory_bytes() -> int | None:
    """This machine's physical memory in bytes; None where it cannot be known."""
    return known(lambda: int(psutil.virtual_memory().total)) or None


def machine() -> dict[str, Any]:
    """Processor, memory, system and Python of this machine, for the record of a run; None for what cannot be known."""
    load = known(psutil.getloadavg)
    return {
        "cpu_model": _cpu_model(),
        "cpu_count_logical": known(psutil.cpu_count),
        "cpu_count_physical": known(lambda: psutil.cpu_count(logical=False)),
        "memory_bytes": memory_bytes(),
        "os": platform.system(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_average": list(load) if load else None,
    }


def _cpu_model() -> str:
    """Linux names the model in /proc/cpuinfo (x86: `model name`); elsewhere the platform module knows."""
    text = known(Path("/proc/cpuinfo").read_text) or ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith(("model name", "Model"))]
    return next((name for name in names if name), platform.processor() or platform.machine())
