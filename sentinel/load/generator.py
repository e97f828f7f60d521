"""The load generator: plays many sources against the bus.

Open loop (`constant`, `poisson`, `bursts`, `ramp`): what is sent when is fixed beforehand (`schedule`), each message
carries its *intended* time, and what left late shows as send delay instead of vanishing. `closed` is the original's
way, for comparison: each worker waits for Redis before it sends again. With `count`, so many messages leave as fast as
Redis takes them, to fill a stream.
"""

from __future__ import annotations

import math
import random
import time
from bisect import bisect_right
from typing import TYPE_CHECKING

import numpy as np

from sentinel.errors import SettingsError
from sentinel.load.dispatch import Dispatcher
from sentinel.load.payloads import SequenceNumbers, encoder
from sentinel.load.recording import LoadRecord
from sentinel.load.replay import Replay
from sentinel.load.replay import check as check_replay
from sentinel.load.report import LoadReport
from sentinel.load.schedule import Schedule
from sentinel.model.sample import first_number
from sentinel.runtime.stop import StopSignal
from sentinel.settings import (
    BINARY_HOLDS,
    CLOSED,
    CODEC_NAMES,
    LEAST_FIELDS,
    LOOPS,
    MOST_FIELDS,
    MOST_SOURCES,
    MOST_TAGS,
    TRANSPORTS,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sentinel.settings import BusSettings, LoadSettings

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
    """Refuse settings that cannot be played.

    Raises:
        SettingsError: names the setting, its value and what is allowed.
    """
    if settings.transport not in TRANSPORTS:
        raise SettingsError(f"transport={settings.transport!r}: expected one of {', '.join(TRANSPORTS)}")
    if settings.codec not in CODEC_NAMES:
        raise SettingsError(f"codec={settings.codec!r}: expected one of {', '.join(CODEC_NAMES)}")
    if settings.loop not in LOOPS:
        raise SettingsError(f"loop={settings.loop!r}: expected one of {', '.join(LOOPS)}")
    check_message(settings)
    for name in ("workers", "rate", "duration", "connections", "tick"):
        if not 0 < getattr(settings, name) < math.inf:
            raise SettingsError(f"{name}={getattr(settings, name)}: expected a finite number above 0")
    if settings.count < 0:
        raise SettingsError(f"count={settings.count}: expected 0 (by rate and duration) or a number of messages")
    check_replay(settings)


def check_message(settings: LoadSettings) -> None:
    """Refuse messages that are no such, and sources that are none.

    Raises:
        SettingsError: names the setting, its value and what is allowed.
    """
    allowed = {"fields": (LEAST_FIELDS, MOST_FIELDS), "tags": (0, MOST_TAGS), "sources": (0, MOST_SOURCES)}
    for name, (low, high) in allowed.items():
        if not low <= (value := getattr(settings, name)) <= high:
            raise SettingsError(f"{name}={value}: expected a whole number from {low} to {high:,}")
    if settings.codec == "binary" and (settings.fields > LEAST_FIELDS or settings.tags):
        raise SettingsError(f"codec='binary' with fields={settings.fields} and tags={settings.tags}: {BINARY_HOLDS}")


class LoadGenerator:
    """Plays one load. Construct (connects), `run`, done.

    Args:
        settings: the load.
        bus: where messages go.
        record: folder for intervals and ledger; None: nothing is written.
        stop: ends the load early.

    Raises:
        SettingsError: a setting cannot be played, or the record cannot be written.
        RecordingError: the recording that is to be replayed cannot be played.
        BusError: Redis cannot be reached at the start.
    """

    def __init__(
        self, settings: LoadSettings, bus: BusSettings, record: str | Path | None = None, stop: StopSignal | None = None
    ) -> None:
        check(settings)
        self._settings = settings
        self._replay = Replay(settings) if settings.replay else None
        self._stop = stop or StopSignal()
        self._dispatcher = Dispatcher(settings, bus, self._stop)
        self._account = self._dispatcher.account
        self._encode = self._replay.encode if self._replay else encoder(settings)
        self._first = first_number(random.randrange)  # noqa: S311 - no secret
        self._numbers = SequenceNumbers(settings.emitters, self._first)
        self._wake = 0
        """Moment before which nothing more leaves (monotonic, ns)."""
        self._epoch = time.time_ns() - time.monotonic_ns()
        """ns since the epoch at which the monotonic clock was 0. The load is played by that clock, so that a wall clock
        that is set neither ends nor prolongs it; messages carry its times, counted from the epoch."""
        self._record = LoadRecord(record, self._account.ledger)

    def run(self) -> LoadReport:
        """Send everything, collect the answers, report. Once per generator."""
        start = time.monotonic_ns() + (0 if self._settings.count else int(LEAD * 1e9))
        if self._settings.count:
            self._fill()
        elif self._settings.loop == CLOSED:
            self._closed_loop()
        else:
            self._open_loop(start)
        self._dispatcher.finish()
        elapsed = (time.monotonic_ns() - start) / 1e9
        self._record.note()
        report = LoadReport(self._account.ledger, start + self._epoch, elapsed, self._record.total_delay())
        self._record.close(report, self._settings)
        self._dispatcher.close()
        return report

    def _open_loop(self, start: int) -> None:
        s = self._settings
        schedule = self._replay or Schedule(s.loop, s.emitters, s.rate, s.duration, s.seed + s.first_source)
        give_up = start + int((s.duration + s.grace) * 1e9)
        self._dispatcher.give_up = time.monotonic() + s.duration + s.grace
        for end in schedule.slices():
            times, sources = schedule.until(end)
            self._account.scheduled(len(times))
            self._play(times + start, sources, give_up)

    def _play(self, times: NDArray[np.int64], sources: NDArray[np.int64], give_up: int) -> None:
        """Send one slice as it falls due; what is not sent by `give_up` stays unsent. Times are monotonic, in ns.

        What a message says is known before it falls due: between two sends a few of the next are encoded.
        """
        if self._stop.requested or time.monotonic_ns() >= give_up:
            return
        when, numbers = times.tolist(), self._numbers.next_of(sources)

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
            self._dispatcher.send(ready[: due - sent], sources[sent:due])
            ready, sent = ready[due - sent :], due
            self._wake = now + int(self._settings.tick * 1e9)
            self._look_after(departures, times[:sent])
        self._look_after(departures, times[:sent], force=True)

    def _payloads(
        self, sources: NDArray[np.int64], numbers: NDArray[np.int64], times: NDArray[np.int64]
    ) -> list[bytes]:
        return self._encode(sources + self._settings.first_source, numbers, times + self._epoch)

    def _look_after(self, departures: list[tuple[int, int]], times: NDArray[np.int64], *, force: bool = False) -> None:
        """Collect answers when there are some, and twice a second note what was sent how late.

        `departures`: (moment, messages) of sends not noted yet; the last of `times` are when they should have left.
        """
        noting = self._record.due
        if noting or self._dispatcher.owed >= COLLECT:
            self._dispatcher.collect()
        if departures and (noting or force):
            moments, counts = np.array(departures, dtype=np.int64).T
            self._record.delay.record(np.repeat(moments, counts) - times[-int(counts.sum()) :])
            departures.clear()
        if noting:
            self._record.note()

    def _fill(self) -> None:
        """`count` messages, in turn over the sources or as recorded, as if each had sent one a millisecond until now.

        A store that keeps milliseconds, such as VictoriaMetrics, would take closer ones for one and the same point.
        """
        s = self._settings
        self._account.scheduled(s.count)
        deepest = self._replay.deepest(s.count) if self._replay else s.count // s.emitters
        base = time.monotonic_ns() - (deepest + 1) * 1_000_000
        for first in range(0, s.count, CHUNK):
            if self._dispatcher.over:
                return
            turns = np.arange(first, min(first + CHUNK, s.count))
            sources = self._replay.turns(len(turns)) if self._replay else turns % s.emitters
            numbers = self._numbers.next_of(sources)
            times = base + (numbers - self._first) * 1_000_000 + sources
            self._dispatcher.send(self._payloads(sources, numbers, times), sources)
            while self._dispatcher.owed > MOST_OWED and not self._dispatcher.over:
                self._dispatcher.collect(0.05)
            self._record.note_if_due()

    def _closed_loop(self) -> None:
        """Every worker sends, waits for the answer, sends again: a round at a time, over all sources in turn."""
        s = self._settings
        end = time.monotonic() + s.duration
        turns, last = np.arange(min(s.workers, s.emitters)), 0
        self._dispatcher.give_up = end + s.grace
        while time.monotonic() < end and not self._dispatcher.over:
            # Times must increase within a source, and a round can be shorter than the clock's step.
            last = max(time.monotonic_ns(), last + 1)
            self._account.scheduled(len(turns))
            sources, turns = turns % s.emitters, turns + len(turns)
            payloads = self._payloads(sources, self._numbers.next_of(sources), np.full(len(turns), last))
            self._record.delay.record(time.monotonic_ns() - last, len(turns))
            self._dispatcher.send(payloads, sources)
            while self._dispatcher.owed and not self._dispatcher.over:
                self._dispatcher.collect(0.1)
            self._record.note_if_due()
