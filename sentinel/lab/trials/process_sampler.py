"""CPU seconds and memory of a trial's processes over time."""

from __future__ import annotations

import csv
import threading
import time
from typing import TYPE_CHECKING, Protocol, Self

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


class Sampler:
    """Reads CPU seconds and RSS of processes into a CSV file, four times a second, while its block runs."""

    def __init__(self, path: Path, pids: Mapping[str, int | Readable]) -> None:
        self._path = path
        self._probes = {name: ProcessProbe(pid) if isinstance(pid, int) else pid for name, pid in pids.items()}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sampler", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _work(self) -> None:
        with self._path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["at", "process", "cpu_seconds", "rss_bytes"])
            while True:
                last = self._done.wait(SAMPLE_EVERY)
                for name, probe in self._probes.items():
                    if (reading := probe.read()) is not None:
                        writer.writerow([time.time_ns(), name, reading.cpu_seconds, reading.rss_bytes])
                if last:
                    return
