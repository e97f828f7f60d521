"""CPU seconds and memory of a trial's processes over time, and the machine's pulse."""

from __future__ import annotations

import csv
import time
from typing import TYPE_CHECKING, Protocol

from sentinel.lab.events.event import PULSE
from sentinel.lab.events.pulse import Pulse
from sentinel.lab.process.beside import Beside
from sentinel.lab.run.series import SAMPLE_EVERY
from sentinel.probe import ProcessProbe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentinel.probe import ProcessReading


class Readable(Protocol):
    """What stands for several processes; `contenders.tree.TreeProbe` is one."""

    def read(self) -> ProcessReading | None:
        """The sum over them as of now; None once all have ended."""


class Sampler(Beside):
    """Reads CPU seconds and RSS of processes into a CSV file, four times a second, while its block runs.

    Args:
        path: The CSV file: `at` (ns since the epoch), `process`, `cpu_seconds`, `rss_bytes`; `PULSE` stands beside it.
        pids: Process ids, or what stands for several processes, by the names that the file has.
    """

    def __init__(self, path: Path, pids: Mapping[str, int | Readable]) -> None:
        super().__init__("sampler")
        self._path = path
        self._probes = {name: ProcessProbe(pid) if isinstance(pid, int) else pid for name, pid in pids.items()}

    def work(self) -> None:
        """Sample, and once more at the end."""
        pulse = Pulse(self._path.with_name(PULSE))
        with self._path.open("w", newline="", encoding="utf-8") as file, pulse:
            writer = csv.writer(file)
            writer.writerow(["at", "process", "cpu_seconds", "rss_bytes"])
            while True:
                last = self.done.wait(SAMPLE_EVERY)
                pulse.beat()
                for name, probe in self._probes.items():
                    if (reading := probe.read()) is not None:
                        writer.writerow([time.time_ns(), name, reading.cpu_seconds, reading.rss_bytes])
                if last:
                    return
