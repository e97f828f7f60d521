"""This host and its processes, read into plain records. The only home of psutil."""

from __future__ import annotations

from sentinel.probe.cpu import CpuTimes, cpu_times
from sentinel.probe.devices import HostView
from sentinel.probe.hardware import machine, memory_bytes
from sentinel.probe.host import CPU_WINDOW, FIELDS, HostProbe, HostReading
from sentinel.probe.process import OwnUse, ProcessProbe, ProcessReading, Use

__all__ = [
    "CPU_WINDOW",
    "FIELDS",
    "CpuTimes",
    "HostProbe",
    "HostReading",
    "HostView",
    "OwnUse",
    "ProcessProbe",
    "ProcessReading",
    "Use",
    "cpu_times",
    "machine",
    "memory_bytes",
]
