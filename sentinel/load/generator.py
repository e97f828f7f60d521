"""The load generator: plays many sources against the bus.

Open loop (`constant`, `poisson`): what is sent when is fixed beforehand (`schedule`), each message carries its
*intended* time, and what left late shows as send delay instead of vanishing. `closed` is the original's way, for
comparison: each source waits for Redis before it sends again. With `count`, so many messages leave as fast as Redis
takes them, to fill a stream.
"""

from __future__ import annotations

import logging
import math
import random
import time
from bisect import bisect_right
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from sentinel.bus import Sender
from sentinel.errors import BusError, SettingsError
from sentinel.load.payloads import encoder
from sentinel.load.report import LoadReport
from sentinel.load.schedule import LOOPS, Schedule
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import SenderLedger
from sentinel.model.sample import first_number
from sentinel.runtime.outage import Outage
from sentinel.runtime.record import INTERVAL, Record
from sentinel.runtime.stop import StopSignal, backoff
from sentinel.settings import CODEC_NAMES, TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from sentinel.settings import BusSettings, LoadSettings

log = logging.getLogger(__name__)

CHUNK = 500
"""Messages sent at once when filling a stream."""
LEAD = 0.05
"""Seconds between the decision to start and the schedule's first message."""
AHEAD, PIECE = 1000, 50
"""Messages encoded before they fall due, and at once: a piece takes less than a tick."""
COLLECT, MOST_OWED = 200, 10_000
"""Answers owed from which it is worth asking for them; and when filling, from which nothing more is sent."""
MOST = 20 * CHUNK
"""Messages of one send at most, however many are late: the grace, a stop and the answers are looked at in between."""


def check(settings: LoadSettings) -> None:
    """Refuse settings that cannot be played, naming the value and what is allowed."""
    if settings.transport not in TRANSPORTS:
        raise SettingsError(f"transport={settings.transport!r}: expected one of {', '.join(TRANSPORTS)}")
    if settings.codec not in CODEC_NAMES:
        raise SettingsError(f"codec={settings.codec!r}: expected one of {', '.join(CODEC_NAMES)}")
    if settings.loop not in LOOPS:
        raise SettingsError(f"loop={settings.loop!r}: expected one of {', '.join(LOOPS)}")
    for name in ("workers", "rate", "duration", "connections", "tick"):
        if not 0 < getattr(settings, name) < math.inf:
            raise SettingsError(f"{name}={getattr(settings, name)}: expected a finite number above 0")
    if settings.count < 0:
        raise SettingsError(f"count={settings.count}: expected 0 (by rate and duration) or a number of messages")


class LoadGenerator:
    """Plays one load. Construct (connects), `run`, done."""

    def __init__(
        self, settings: LoadSettings, bus: BusSettings, record: str | Path | None = None, stop: StopSignal | None = None
    ) -> None:
        check(settings)
        self._settings = settings
        self._stop = stop or StopSignal()
        self._connections = min(settings.connections, settings.workers)
        self._sender = Sender(bus, settings.transport, self._connections)
        self._encode = encoder(settings)
        self._next = np.full(settings.workers, first_number(random.randrange))  # noqa: S311 - no secret
        self._ledger = SenderLedger()
        self._outage = Outage("Redis", log)
        self._give_up = math.inf
        """When to stop trying for a connection, by the monotonic clock; set with the schedule, or by an outage."""
        self._gone = False
        """Whether that was given up: nothing more is sent."""
        self._wake = 0
        """Moment before which nothing more leaves (monotonic, ns)."""
        self._epoch = time.time_ns() - time.monotonic_ns()
        """ns since the epoch at which the monotonic clock was 0. The load is played by that clock, so that a wall clock
        that is set neither ends nor prolongs it; messages carry its times, counted from the epoch."""
        self._delay = Recorder()
        self._total_delay = Recorder()
        self._record = Record(record)
        self._noted = time.monotonic()
        self._record.ready()

    def run(self) -> LoadReport:
        """Send everything, collect the answers, report."""
        start = time.monotonic_ns() + (0 if self._settings.count else int(LEAD * 1e9))
        if self._settings.count:
            self._fill()
        elif self._settings.loop == "closed":
            self._closed_loop()
        else:
            self._open_loop(start)
        self._finish()
        elapsed = (time.monotonic_ns() - start) / 1e9
        self._note(force=True)
        report = LoadReport(self._ledger, start + self._epoch, elapsed, self._total_delay.to_dict())
        self._record.close(asdict(report) | {"settings": asdict(self._settings)})
        self._sender.close()
        return report

    def _open_loop(self, start: int) -> None:
        s = self._settings
        schedule = Schedule(s.loop, s.workers, s.rate, s.duration, s.seed + s.first_source)
        give_up = start + int((s.duration + s.grace) * 1e9)
        self._give_up = time.monotonic() + s.duration + s.grace
        for end in schedule.slices():
            times, sources = schedule.until(end)
            self._ledger.scheduled += len(times)
            self._play(times + start, sources, give_up)

    def _play(self, times: NDArray[np.int64], sources: NDArray[np.int64], give_up: int) -> None:
        """Send one slice as it falls due; what is not sent by `give_up` stays unsent. Times are monotonic, in ns.

        What a message says is known before it falls due: between two sends a few of the next are encoded.
        """
        if self._stop.requested or time.monotonic_ns() >= give_up:
            return
        when, numbers = times.tolist(), self._numbered(sources)

        def payloads(start: int, end: int) -> list[bytes]:
            return self._payloads(sources[start:end], numbers[start:end], times[start:end])

        sent, ready, departures = 0, list[bytes](), list[tuple[int, int]]()
        while sent < len(when) and not self._stop.requested and (now := time.monotonic_ns()) < give_up:
            upto = sent + len(ready)
            if now < max(when[sent], self._wake):
                if len(ready) < AHEAD and upto < len(when):
                    ready += payloads(upto, upto + PIECE)
                else:
                    time.sleep(min((max(when[sent], self._wake) - now) / 1e9, 0.1))
                continue
            due = min(bisect_right(when, now, lo=sent), sent + MOST)
            if upto < due:
                ready += payloads(upto, due)
            departures.append((time.monotonic_ns(), due - sent))
            self._send(ready[: due - sent], sources[sent:due])
            ready, sent = ready[due - sent :], due
            self._wake = now + int(self._settings.tick * 1e9)
            self._look_after(departures, times[:sent])
        self._look_after(departures, times[:sent], force=True)

    def _numbered(self, sources: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sequence number of each message, its source's next."""
        numbers = np.empty_like(sources)
        order = np.argsort(sources, kind="stable")
        counts = np.bincount(sources, minlength=len(self._next))
        starts = np.repeat(np.cumsum(counts) - counts, counts)
        numbers[order] = np.repeat(self._next, counts) + np.arange(len(sources)) - starts
        self._next += counts
        return numbers

    def _payloads(
        self, sources: NDArray[np.int64], numbers: NDArray[np.int64], times: NDArray[np.int64]
    ) -> list[bytes]:
        return self._encode(sources + self._settings.first_source, numbers, times + self._epoch)

    def _send(self, payloads: list[bytes], sources: NDArray[np.int64]) -> None:
        """Messages that leave together; those of one source over one connection."""
        self._ledger.bytes += sum(map(len, payloads))
        lanes = self._connections
        for number in range(lanes):
            lane = payloads
            if lanes > 1:
                lane = [p for p, source in zip(payloads, sources.tolist(), strict=True) if source % lanes == number]
            if lane:
                self._attempt(lambda number=number, lane=lane: self._sender.send(number, lane))  # type: ignore[misc]

    def _look_after(self, departures: list[tuple[int, int]], times: NDArray[np.int64], *, force: bool = False) -> None:
        """Collect answers when there are some, and twice a second note what was sent how late.

        `departures`: (moment, messages) of sends not noted yet; the last of `times` are when they should have left.
        """
        noting = time.monotonic() - self._noted >= INTERVAL
        if noting or self._sender.owed >= COLLECT:
            self._collect()
        if departures and (noting or force):
            moments, counts = np.array(departures, dtype=np.int64).T
            self._delay.record(np.repeat(moments, counts) - times[-int(counts.sum()) :])
            departures.clear()
        if noting:
            self._note()

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do it; if the connection breaks, make it anew and send again what Redis has not answered."""
        if self._gone:
            return
        try:
            action()
        except BusError as error:
            self._reconnect(error)

    def _reconnect(self, error: BusError) -> None:
        """Make the connections anew until that works, a stop is asked for, or the load's time and grace are over."""
        give_up = min(self._give_up, time.monotonic() + self._settings.duration + self._settings.grace)
        while True:
            self._outage.failed(error, "reconnecting")
            if self._stop.requested or time.monotonic() >= give_up:
                self._gone = True
                log.error("Redis stayed away: %d messages have no answer, and the rest is not sent", self._sender.owed)
                return
            if self._outage.attempts > 1:
                self._pause(backoff(self._outage.attempts - 1, random.random()), give_up)  # noqa: S311 - jitter
            try:
                self._sender.reconnect()
            except BusError as now:
                error = now
            else:
                self._outage.over(f"{self._sender.owed} messages were sent again")
                return

    def _pause(self, seconds: float, until: float) -> None:
        """Wait for so long, but no longer than `until` (monotonic) or a stop."""
        end = min(time.monotonic() + seconds, until)
        while (rest := end - time.monotonic()) > 0 and not self._stop.requested:
            time.sleep(min(rest, 0.1))

    def _collect(self, timeout: float = 0.0) -> None:
        if self._gone:
            return
        try:
            answers = self._sender.collect(timeout)
        except BusError as error:
            self._reconnect(error)
            return
        self._ledger.sent += answers.accepted - answers.refused
        self._ledger.failed += answers.refused
        self._ledger.receivers += answers.receivers
        self._ledger.unheard += answers.unheard
        if answers.refused and self._ledger.failed == answers.refused:
            log.warning("messages are refused: %s", answers.reason)

    def _fill(self) -> None:
        """`count` messages, in turn over the sources, as if each had sent one a millisecond until now.

        A store that keeps milliseconds, such as VictoriaMetrics, would take closer ones for one and the same point.
        """
        s = self._settings
        self._ledger.scheduled = s.count
        base = time.monotonic_ns() - (s.count // s.workers + 1) * 1_000_000
        for first in range(0, s.count, CHUNK):
            if self._stop.requested or self._gone:
                return
            turns = np.arange(first, min(first + CHUNK, s.count))
            sources = turns % s.workers
            times = base + turns // s.workers * 1_000_000 + sources
            self._send(self._payloads(sources, self._numbered(sources), times), sources)
            while self._sender.owed > MOST_OWED and not (self._stop.requested or self._gone):
                self._collect(0.05)
            self._note()

    def _closed_loop(self) -> None:
        """Every source sends, waits for the answer, sends again: a round at a time, over all sources."""
        s = self._settings
        end = time.monotonic() + s.duration
        sources, last = np.arange(s.workers), 0
        self._give_up = end + s.grace
        while time.monotonic() < end and not (self._stop.requested or self._gone):
            # Times must increase within a source, and a round can be shorter than the clock's step.
            last = max(time.monotonic_ns(), last + 1)
            self._ledger.scheduled += s.workers
            payloads = self._payloads(sources, self._numbered(sources), np.full(s.workers, last))
            self._delay.record(time.monotonic_ns() - last, s.workers)
            self._send(payloads, sources)
            while self._sender.owed and not (self._stop.requested or self._gone):
                self._collect(0.1)
            self._note()

    def _finish(self) -> None:
        """Wait for the last answers; what has none by then is unsent."""
        end = time.monotonic() + self._settings.grace
        self._give_up = min(self._give_up, end)
        while self._sender.owed and not self._gone and self._stop.left > 0 and time.monotonic() < end:
            self._collect(0.05)
        self._ledger.failed += self._sender.owed if self._gone else 0
        self._ledger.unsent = self._ledger.scheduled - self._ledger.sent

    def _note(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._noted < INTERVAL:
            return
        self._noted = now
        self._total_delay.merge(self._delay)
        counts = {"scheduled": self._ledger.scheduled, "sent": self._ledger.sent, "cpu_seconds": time.process_time()}
        self._record.interval({"at": time.time_ns(), **counts, "delay": self._delay.take().to_dict()})
