"""What a consumer, a load generator or an agent leaves behind of one run: a folder of plain JSON.

`ready` (empty, made once it works), `intervals.jsonl` (one line per interval: counts so far, histograms of that
interval; of an agent one line per send: count so far, samples), `ledger.json` (the end). The laboratory reads them;
without a folder nothing is written.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sentinel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

INTERVAL = 0.5
"""Seconds between lines of `intervals.jsonl`."""
READY, INTERVALS, LEDGER = "ready", "intervals.jsonl", "ledger.json"


class Record:
    """Writes into a folder, or nowhere."""

    def __init__(self, directory: str | Path | None) -> None:
        self.directory = Path(directory) if directory else None
        if self.directory is not None:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                self._intervals = (self.directory / INTERVALS).open("wb")
            except OSError as error:
                raise SettingsError(f"cannot write the record to {self.directory}: {error.strerror}") from error

    def ready(self) -> None:
        """Say that the work can begin."""
        if self.directory is not None:
            (self.directory / READY).touch()

    def interval(self, line: dict[str, Any]) -> None:
        """Add one interval."""
        if self.directory is not None:
            self._intervals.write(msgspec.json.encode(line) + b"\n")
            self._intervals.flush()

    def close(self, ledger: dict[str, Any]) -> None:
        """Write the ledger, which ends the record."""
        if self.directory is not None:
            self._intervals.close()
            (self.directory / LEDGER).write_bytes(msgspec.json.format(msgspec.json.encode(ledger), indent=1) + b"\n")


class Publishes(Protocol):
    """What sends; `bus.Publisher` is one."""

    def publish(self, payloads: Sequence[bytes]) -> int:
        """Send all; returns receivers or entries. Raises BusError."""

    def close(self) -> None:
        """Close the connection."""


class Recorded:
    """A publisher that notes what it sent, once Redis has taken it; payloads are JSON."""

    def __init__(self, publisher: Publishes, record: Record) -> None:
        self._publisher = publisher
        self._record = record
        self._sent = 0

    def publish(self, payloads: Sequence[bytes]) -> int:
        """See Publishes."""
        receivers = self._publisher.publish(payloads)
        self._sent += len(payloads)
        line = {"at": time.time_ns(), "sent": self._sent, "samples": [msgspec.Raw(payload) for payload in payloads]}
        self._record.interval(line)
        return receivers

    def close(self) -> None:
        """See Publishes."""
        self._publisher.close()
