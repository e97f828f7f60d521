"""The consumer's reports on itself, written to the store now and then over a connection of their own.

Best effort: a report that cannot be written is counted, said once, and its interval becomes part of the next one. It
holds up the thread that writes it by no more than `TIMEOUT` at each step, and the reader and the writer not at all.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from sentinel.bus import Lag
from sentinel.consumer.measuring.measurement import KINDS
from sentinel.errors import BusError, StoreError
from sentinel.model.health import consumer_line, latencies, rates
from sentinel.model.histogram import Recorder
from sentinel.settings import NO_SYNC
from sentinel.store import StoreClient, durability, write_target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.settings import BusSettings, ConsumerSettings, StoreSettings
    from sentinel.store import Server

TIMEOUT = 1.0
"""Seconds that the store or Redis may take for each step of a report: to connect, to answer."""

LONGEST = 4 * TIMEOUT
"""Seconds that a report may take."""

_log = logging.getLogger(__name__)


class Reports(Protocol):
    """Takes a consumer's counts and histograms, and reports on it."""

    def interval(self, counts: Mapping[str, int], histograms: Mapping[str, Any]) -> None:
        """Take in one interval, and report if that is due.

        Args:
            counts: messages so far, by name.
            histograms: of the interval by kind of latency, as `Recorder.to_dict` gives them.
        """

    def close(self, left: float) -> None:
        """Report what is left, if the store took the report before and time is left for it.

        Args:
            left: seconds that a stop leaves.
        """


class NoReports:
    """Reports nothing and costs nothing: for a consumer that is measured."""

    def interval(self, counts: Mapping[str, int], histograms: Mapping[str, Any]) -> None:
        """See Reports."""

    def close(self, left: float) -> None:
        """See Reports."""


class Reporter:
    """Writes a line every `settings.health` seconds. For one thread at a time.

    Args:
        settings: The consumer's, with the seconds between two reports.
        bus: Whose backlog is reported.
        store: Where the reports go.
        server: What it is.
    """

    def __init__(self, settings: ConsumerSettings, bus: BusSettings, store: StoreSettings, server: Server) -> None:
        from sentinel.probe import OwnUse  # psutil: not for the silent ones, who are being measured

        self._settings = settings
        self._store = StoreClient(replace(store, timeout=min(store.timeout, TIMEOUT)))
        # A flush of the store's log may take longer than a report has.
        quick = replace(store, durability=NO_SYNC) if durability(store, server) else store
        self._target = write_target(quick, server)
        self._lag = Lag(bus, TIMEOUT) if settings.transport == "stream" else None
        self._use = OwnUse()
        self._since = time.monotonic()
        self._due = self._since + settings.health
        self._before: Mapping[str, int] = {}
        self._counts: Mapping[str, int] | None = None
        self._recorders = {kind: Recorder() for kind in KINDS}
        self._failed = 0
        self._well = True

    def interval(self, counts: Mapping[str, int], histograms: Mapping[str, Any]) -> None:
        """See Reports."""
        self._counts = counts
        for kind, recorder in self._recorders.items():
            recorder.merge(Recorder.from_dict(histograms[kind]))
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._settings.health
            self._report(counts)

    def close(self, left: float) -> None:
        """See Reports."""
        if self._counts is not self._before and self._counts is not None and self._well and left > LONGEST:
            self._report(self._counts)
        self._store.close()
        if self._lag is not None:
            self._lag.close()

    def _report(self, counts: Mapping[str, int]) -> None:
        now, at = time.monotonic(), time.time_ns()
        use = self._use.read()
        readings: dict[str, float | None] = {
            **rates(self._before, counts, now - self._since),
            **latencies(self._recorders),
            "backlog": self._unread(),
            "cpu_percent": use.cpu_percent,
            "rss_bytes": use.rss_bytes or None,
            "health_failed": self._failed,
        }
        line = consumer_line(self._settings.host, self._settings.name, at, counts, readings)
        try:
            self._store.write(self._target, line.encode(errors="replace"))
        except StoreError as error:
            self._failed += 1
            if self._well:
                _log.warning("this consumer's health could not be written: %s", error)
            self._well = False
            return
        self._well = True
        self._before, self._since = counts, now
        for recorder in self._recorders.values():
            recorder.take()

    def _unread(self) -> int | None:
        """The backlog of a stream."""
        try:
            return self._lag.ask() if self._lag is not None else None
        except BusError:
            return None  # the reader meets the same and says so


def open_reports(settings: ConsumerSettings, bus: BusSettings, store: StoreSettings, server: Server) -> Reports:
    """Reports every `settings.health` seconds, or none where that is 0.

    Args:
        settings: The consumer's, with the seconds between two reports.
        bus: Whose backlog is reported.
        store: Where the reports go.
        server: What it is.
    """
    return Reporter(settings, bus, store, server) if settings.health else NoReports()
