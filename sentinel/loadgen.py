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
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field, fields
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.bus import Sender
from sentinel.delivery import StopSign, backoff
from sentinel.errors import BusError, SettingsError
from sentinel.latency import Recorder
from sentinel.ledger import SenderLedger, as_line
from sentinel.payloads import encoder
from sentinel.record import INTERVAL, Record
from sentinel.schedule import LOOPS, Schedule, shares
from sentinel.settings import CODEC_NAMES, TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.synchronize import Event
    from pathlib import Path

    from sentinel.settings import BusSettings, LoadSettings

log = logging.getLogger(__name__)

CHUNK = 500
"""Messages sent at once when filling a stream."""
LEAD = 0.05
"""Seconds between the decision to start and the schedule's first message."""
MOST = 20 * CHUNK
"""Messages of one send at most, however many are late: the grace, a stop and the answers are looked at in between."""


@dataclass(frozen=True)
class LoadReport:
    """How a load ended."""

    ledger: SenderLedger
    started: int
    """First intended send time, ns since the epoch."""
    elapsed: float
    """Seconds from there to the last answer."""
    delay: dict[str, int] = field(default_factory=dict)
    """Send delay (ns), a `latency.Recorder` as dict: actual minus intended send."""

    @property
    def rate(self) -> float:
        """Messages per second that Redis took."""
        return self.ledger.sent / self.elapsed if self.elapsed else 0.0

    def __str__(self) -> str:
        delay = Recorder.from_dict(self.delay)
        late = f" send_delay_p50_us={delay.quantile(0.5) / 1e3:.0f} send_delay_p99_us={delay.quantile(0.99) / 1e3:.0f}"
        return f"{as_line('load', self.ledger)} rate={self.rate:.0f}/s{late if len(delay) else ''}"


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
        self, settings: LoadSettings, bus: BusSettings, record: str | Path | None = None, stop: StopSign | None = None
    ) -> None:
        check(settings)
        self._settings = settings
        self._stop = stop or StopSign()
        self._sender = Sender(bus, settings.transport, min(settings.connections, settings.workers))
        self._connections = min(settings.connections, settings.workers)
        self._encode = encoder(settings)
        self._next = [0] * settings.workers
        self._ledger = SenderLedger()
        self._delay = Recorder()
        self._total_delay = Recorder()
        self._record = Record(record)
        self._noted = time.monotonic()
        self._record.ready()

    def run(self) -> LoadReport:
        """Send everything, collect the answers, report."""
        start = time.time_ns() + (0 if self._settings.count else int(LEAD * 1e9))
        if self._settings.count:
            self._fill()
        elif self._settings.loop == "closed":
            self._closed_loop()
        else:
            self._open_loop(start)
        self._finish()
        elapsed = (time.time_ns() - start) / 1e9
        self._note(force=True)
        report = LoadReport(self._ledger, start, elapsed, self._total_delay.to_dict())
        self._record.close(asdict(report) | {"settings": asdict(self._settings)})
        self._sender.close()
        return report

    def _open_loop(self, start: int) -> None:
        s = self._settings
        schedule = Schedule(s.loop, s.workers, s.rate, s.duration, s.seed + s.first_source)
        give_up = start + int((s.duration + s.grace) * 1e9)
        for end in schedule.slices():
            times, sources = schedule.until(end)
            self._ledger.scheduled += len(times)
            self._play((times + start), sources, give_up)

    def _play(self, times: Any, sources: Any, give_up: int) -> None:
        """Send one slice as it falls due; what is not sent by `give_up` (ns since the epoch) stays unsent."""
        position = 0
        while position < len(times) and not self._stop.requested:
            now = time.time_ns()
            if now >= give_up:
                return
            due = min(int(np.searchsorted(times, now, side="right")), position + MOST)
            if due > position:
                self._send(sources[position:due].tolist(), times[position:due].tolist(), now)
                position = due
                self._collect()
                self._note()
            rest = (int(times[position]) - time.time_ns()) / 1e9 if position < len(times) else 0.0
            if rest > 0:
                time.sleep(min(max(rest, self._settings.tick), 0.1))

    def _send(self, sources: Sequence[int], times: Sequence[int], now: int) -> None:
        """Messages of `sources`, intended at `times`, leave together; those of one source over one connection."""
        lanes: list[list[bytes]] = [[] for _ in range(self._connections)]
        encode, command, following, first = self._encode, self._sender.command, self._next, self._settings.first_source
        size = 0
        for source, sent in zip(sources, times, strict=True):
            seq = following[source]
            following[source] = seq + 1
            payload = encode(first + source, seq, sent, seq + source)
            size += len(payload)
            lanes[source % self._connections].append(command(payload))
        if not self._settings.count:
            self._delay.record(now - np.array(times, dtype=np.int64))
        self._ledger.bytes += size
        for number, lane in enumerate(lanes):
            if lane:
                self._attempt(lambda number=number, lane=lane: self._sender.send(number, lane))  # type: ignore[misc]

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do it; if the connection breaks, make it anew and send again what Redis has not answered."""
        try:
            action()
        except BusError as error:
            log.warning("%s; reconnecting", error)
            self._reconnect()

    def _reconnect(self) -> None:
        attempt = 0
        while not self._stop.requested:
            attempt += 1
            try:
                self._sender.reconnect()
            except BusError:
                self._stop.pause(backoff(attempt, random.random()))  # noqa: S311 - jitter
            else:
                return

    def _collect(self, timeout: float = 0.0) -> None:
        try:
            answers = self._sender.collect(timeout)
        except BusError as error:
            log.warning("%s; reconnecting", error)
            self._reconnect()
            return
        self._ledger.sent += answers.accepted - answers.refused
        self._ledger.failed += answers.refused
        self._ledger.receivers += answers.receivers
        if answers.refused and self._ledger.failed == answers.refused:
            log.warning("Redis refused messages: %s", answers.reason)

    def _fill(self) -> None:
        """`count` messages, in turn over the sources, with 1 ns between their times."""
        s = self._settings
        self._ledger.scheduled = s.count
        base = time.time_ns()
        for first in range(0, s.count, CHUNK):
            if self._stop.requested:
                return
            numbers = range(first, min(first + CHUNK, s.count))
            self._send([n % s.workers for n in numbers], [base + n for n in numbers], time.time_ns())
            while self._sender.owed > 20 * CHUNK:
                self._collect(0.05)
            self._note()

    def _closed_loop(self) -> None:
        """Every source sends, waits for the answer, sends again: a round at a time, over all sources."""
        s = self._settings
        end = time.monotonic() + s.duration
        last = 0
        while time.monotonic() < end and not self._stop.requested:
            # Times must increase within a source, and a round can be shorter than the clock's step.
            last = max(time.time_ns(), last + 1)
            self._ledger.scheduled += s.workers
            self._send(range(s.workers), [last] * s.workers, time.time_ns())
            while self._sender.owed and not self._stop.requested:
                self._collect(0.1)
            self._note()

    def _finish(self) -> None:
        """Wait for the last answers; what has none by then is unsent."""
        end = time.monotonic() + self._settings.grace
        while self._sender.owed and time.monotonic() < end:
            self._collect(0.05)
        self._ledger.unsent = self._ledger.scheduled - self._ledger.sent

    def _note(self, *, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._noted < INTERVAL:
            return
        self._noted = now
        self._total_delay.merge(self._delay)
        counts = {"scheduled": self._ledger.scheduled, "sent": self._ledger.sent, "cpu_seconds": time.process_time()}
        self._record.interval({"at": time.time_ns(), **counts, "delay": self._delay.take().to_dict()})


def run_load(
    settings: LoadSettings,
    bus: BusSettings,
    *,
    processes: int = 1,
    record: Path | None = None,
    stop: StopSign | None = None,
) -> LoadReport:
    """Play the load, over several processes if asked; with a record, each process has a folder of its own in it.

    Raises:
        SettingsError: a setting that cannot be played.
        BusError: Redis cannot be reached at the start.
    """
    check(settings)
    if processes < 1:
        raise SettingsError(f"processes={processes}: expected 1 or more")
    parts = shares(settings, processes)
    folders = [record / str(n) if record else None for n in range(len(parts))]
    if len(parts) == 1:
        return LoadGenerator(parts[0], bus, folders[0], stop).run()
    context = get_context("spawn")
    told = context.Event()
    with ProcessPoolExecutor(len(parts), mp_context=context, initializer=_listen, initargs=(told,)) as pool:
        futures = [pool.submit(_run_part, *each) for each in zip(parts, [bus] * len(parts), folders, strict=True)]
        while wait(futures, timeout=0.1).not_done:
            if stop is not None and stop.requested:
                told.set()
        return _merged([future.result() for future in futures])


_stop = StopSign()
"""In a process of several: the stop that its parent asks for."""


def _listen(told: Event) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent's business: it tells us
        signal.signal(number, signal.SIG_IGN)

    def obey() -> None:
        told.wait()
        _stop.request(5.0)

    threading.Thread(target=obey, daemon=True).start()


def _run_part(settings: LoadSettings, bus: BusSettings, record: Path | None) -> LoadReport:
    return LoadGenerator(settings, bus, record, _stop).run()


def _merged(reports: Sequence[LoadReport]) -> LoadReport:
    ledger = SenderLedger(**{f.name: sum(getattr(r.ledger, f.name) for r in reports) for f in fields(SenderLedger)})
    delay = Recorder()
    for report in reports:
        delay.merge(Recorder.from_dict(report.delay))
    start = min(r.started for r in reports)
    end = max(r.started + r.elapsed * 1e9 for r in reports)
    return LoadReport(ledger, start, (end - start) / 1e9, delay.to_dict())
