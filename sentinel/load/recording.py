"""What a load generator notes of itself while it plays: counts so far, and how late messages left."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.model.histogram import Recorder
from sentinel.runtime.record import INTERVAL, Record

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.load.report import LoadReport
    from sentinel.model.ledger import SenderLedger
    from sentinel.settings import LoadSettings


class LoadRecord:
    """The record of a load: a line every `INTERVAL` seconds, the ledger at the end.

    Args:
        directory: the record's folder; None: nothing is written.
        ledger: the counts, as they grow.

    Raises:
        SettingsError: the folder cannot be written.
    """

    def __init__(self, directory: str | Path | None, ledger: SenderLedger) -> None:
        self.delay = Recorder()
        """Send delay (ns) of the messages since the last line."""
        self._total = Recorder()
        self._ledger = ledger
        self._record = Record(directory)
        self._noted = time.monotonic()
        self._record.ready()

    @property
    def due(self) -> bool:
        """Whether it is time for the next line."""
        return time.monotonic() - self._noted >= INTERVAL

    def note(self) -> None:
        """Write a line: counts so far, and the send delay of this interval."""
        self._noted = time.monotonic()
        self._total.merge(self.delay)
        counts = {"scheduled": self._ledger.scheduled, "sent": self._ledger.sent, "cpu_seconds": time.process_time()}
        self._record.interval({"at": time.time_ns(), **counts, "delay": self.delay.take().to_dict()})

    def note_if_due(self) -> None:
        """Write a line if `INTERVAL` has passed since the last one."""
        if self.due:
            self.note()

    def total_delay(self) -> dict[str, Any]:
        """Send delay (ns) of all messages noted: the buckets of a `histogram.Recorder`."""
        return self._total.to_dict()

    def close(self, report: LoadReport, settings: LoadSettings) -> None:
        """Write the ledger, which ends the record."""
        self._record.close(asdict(report) | {"settings": asdict(settings)})
