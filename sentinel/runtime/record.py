"""What a consumer, a load generator or an agent leaves behind of one run: a folder of plain JSON.

`ready` (empty, made once it works), `intervals.jsonl` (one line per interval: counts so far, histograms of that
interval; of an agent one line per send: count so far, samples), `ledger.json` (the end). The laboratory reads them;
without a folder nothing is written.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sentinel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

INTERVAL = 0.5
"""Seconds between lines of `intervals.jsonl`."""
READY, INTERVALS, LEDGER = "ready", "intervals.jsonl", "ledger.json"

_log = logging.getLogger(__name__)


class Record:
    """Writes a record into a folder, or nowhere. A record that cannot be written any more is given up with a warning.

    Args:
        directory: the folder, made if it is not there; None or empty: nothing is written.

    Raises:
        SettingsError: the folder cannot be written at the start.
    """

    def __init__(self, directory: str | Path | None) -> None:
        self.directory = Path(directory) if directory else None
        if self.directory is not None:
            try:
                self.directory.mkdir(parents=True, exist_ok=True)
                self._intervals = (self.directory / INTERVALS).open("wb")
            except OSError as error:
                raise SettingsError(f"cannot write the record to {self.directory}: {error.strerror}") from error

    def ready(self) -> None:
        """Mark the moment from which the program works."""
        with self._kept() as directory:
            if directory is not None:
                (directory / READY).touch()

    def interval(self, line: dict[str, Any]) -> None:
        """Add a line to `intervals.jsonl`."""
        with self._kept() as directory:
            if directory is not None:
                self._intervals.write(msgspec.json.encode(line) + b"\n")
                self._intervals.flush()

    def close(self, ledger: dict[str, Any]) -> None:
        """Write the ledger, which ends the record."""
        with self._kept() as directory:
            if directory is not None:
                self._intervals.close()
                text = msgspec.json.format(msgspec.json.encode(ledger), indent=1) + b"\n"
                (directory / LEDGER).write_bytes(text)

    @contextmanager
    def _kept(self) -> Iterator[Path | None]:
        """The folder, or None; a record that cannot be written, on a full disk, is given up, and the work goes on."""
        directory = self.directory
        try:
            yield directory
        except OSError as error:
            assert directory is not None
            _log.warning("cannot write the record to %s any more: %s; going on without", directory, error.strerror)
            self.directory = None
            with suppress(OSError):  # what could not be written is written no more
                self._intervals.close()
            with suppress(OSError):  # half a ledger is none
                (directory / LEDGER).unlink(missing_ok=True)


class Publishes(Protocol):
    """What publishes payloads; `bus.Publisher` does."""

    def publish(self, payloads: Sequence[bytes]) -> int:
        """Publish all payloads.

        Returns:
            The sum of the receivers (Pub/Sub), or the entries (stream).

        Raises:
            BusError: Redis is away or refused.
        """

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
