"""The agent: samples this host on a fixed schedule and publishes, whatever Redis is doing.

Two threads: the caller's takes samples and pushes them on a `Backlog`; a `_BacklogSender` carries them to Redis, oldest
first. So a Redis that hangs delays no sample and no stop. Deciding is pure (`Backlog`, `next_tick`); the loop acts.
Now and then a message about the agent itself goes the same way, on the same account.

Delivery: a send that broke off is made again whole, so some of its samples may be on the bus twice. They are the same
points and overwrite themselves. What fell out of the full backlog leaves a gap in the sequence numbers.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.agent.backlog import Backlog
from sentinel.agent.health import AgentHealth
from sentinel.bus import open_publisher
from sentinel.errors import BusError, SettingsError
from sentinel.model.codecs import CODECS
from sentinel.model.ledger import as_line
from sentinel.model.sample import Sample, first_number, validation_error
from sentinel.model.timestamps import Timestamps
from sentinel.probe import HostProbe, HostView, ProcessProbe
from sentinel.runtime.heartbeat import Heartbeat
from sentinel.runtime.outage import Outage
from sentinel.runtime.record import Record, Recorded
from sentinel.runtime.stop import StopSignal
from sentinel.settings import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.model.ledger import SenderLedger
    from sentinel.probe import HostReading
    from sentinel.runtime.record import Publishes
    from sentinel.settings import AgentSettings, BusSettings

CHUNK = 500
"""Most samples in one send: some 0.25 MB, so that a long backlog leaves piece by piece."""
LAST_ATTEMPT = 2.0
"""Seconds that sending may still take after the stop."""

_log = logging.getLogger(__name__)
_encode = CODECS["json"].encode


class _BacklogSender(threading.Thread):
    """Carries the backlog to Redis at each call of `wake`; owns the connection."""

    def __init__(self, backlog: Backlog, publisher: Publishes, heartbeat: Heartbeat, *, counts_receivers: bool) -> None:
        super().__init__(name="sentinel-agent-courier", daemon=True)
        self._backlog = backlog
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._counts_receivers = counts_receivers
        self._due = threading.Event()
        self._last = False
        self._outage = Outage("Redis", _log)
        self._error: Exception | None = None

    def wake(self) -> None:
        """Send what waits. Raises what ended the courier, if something did."""
        if self._error:
            raise self._error
        self._due.set()

    def finish(self, timeout: float, stop: StopSignal) -> None:
        """One last attempt; returns when it is over, after `timeout` seconds, or at the stop's deadline.

        Raises as `wake`.
        """
        self._last = True
        self._due.set()
        stop.join(self, timeout)
        if self._error:
            raise self._error

    def run(self) -> None:
        """The thread."""
        try:
            last = False
            while not last:
                self._due.wait()
                self._due.clear()
                last = self._last
                self._flush()
        except Exception as error:  # noqa: BLE001 - handed to the thread that can raise it
            self._error = error
        finally:
            self._publisher.close()

    def _flush(self) -> None:
        while batch := self._backlog.take(CHUNK):
            try:
                receivers = self._publisher.publish(batch)
            except BusError as error:
                self._backlog.give_back()
                self._outage.failed(error, "samples are kept until it answers")
                return
            if self._counts_receivers:
                self._backlog.confirm(receivers, unheard=0 if receivers else len(batch))
            else:
                self._backlog.confirm()
            self._heartbeat.beat()
            self._outage.over(f"{len(self._backlog)} samples are still to be sent")


@dataclass(frozen=True)
class AgentReport:
    """What an agent did and what it cost."""

    ledger: SenderLedger
    elapsed: float
    """Seconds."""
    cpu_percent: float
    """Of one core, this process as a whole, over `elapsed`."""
    rss_bytes: int
    """Resident memory at the end."""
    skipped_ticks: int
    """Samples not taken because their time had passed (a machine too busy, or halted)."""
    health: int = 0
    """Messages about itself; the ledger counts them with the samples."""

    def __str__(self) -> str:
        line = as_line("agent", self.ledger)
        cost = f"cpu_percent={self.cpu_percent:.2f} rss_mib={self.rss_bytes / 2**20:.1f}"
        health = f" health={self.health}" if self.health else ""
        return f"{line}{health} skipped_ticks={self.skipped_ticks} elapsed_s={self.elapsed:.1f} {cost}"


def next_tick(tick: int, elapsed: float, interval: float) -> int:
    """Number of the next tick to wait for after `tick`; tick n is due n × interval after the start."""
    return max(tick + 1, math.ceil(elapsed / interval))


class Agent:
    """Takes samples of this host and hands them to a publisher, which it closes at the end.

    It numbers its samples from a number drawn for its run, so that the samples of a restarted agent are no repetition.
    Its source is its `host` alone: a number for each run would make a series of each in the store.
    """

    def __init__(
        self,
        settings: AgentSettings,
        publisher: Publishes,
        read: Callable[[], HostReading] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        _check(settings)
        self._settings = settings
        view = HostView(Path(settings.host_proc) if settings.host_proc else None, Path(settings.host_root))
        self._read = read or HostProbe(view=view).read
        self._clock = clock
        self._number = first_number(random.randrange)  # noqa: S311 - no secret
        self._taken = 0
        self._times = Timestamps()
        self._health = AgentHealth(settings)
        self._backlog = Backlog(settings.buffer)
        self._delivery = _BacklogSender(
            self._backlog, publisher, Heartbeat(settings.heartbeat), counts_receivers=settings.transport == "pubsub"
        )

    def run(self, count: int = 0, stop: StopSignal | None = None) -> AgentReport:
        """Sample until a stop is asked for, or `count` samples are taken if that is not 0. Once per agent.

        The first sample is taken one interval after the start, so that it, too, describes an interval.
        """
        start, cpu = time.monotonic(), time.process_time()
        stop = stop or StopSignal()
        self._delivery.start()
        try:
            skipped = self._sample(start, count, stop)
        finally:
            self._delivery.finish(LAST_ATTEMPT, stop)
        ledger = self._backlog.close()
        elapsed = time.monotonic() - start
        own = ProcessProbe().read()
        # process_time counts in ns; a ProcessReading in 10 ms, of which a small agent needs minutes to use one.
        percent = 100 * (time.process_time() - cpu) / elapsed
        return AgentReport(ledger, elapsed, percent, own.rss_bytes if own else 0, skipped, self._health.made)

    def _sample(self, start: float, count: int, stop: StopSignal) -> int:
        """Returns the number of skipped ticks."""
        interval = self._settings.interval
        tick = skipped = 0
        while not count or self._taken < count:
            following = next_tick(tick, time.monotonic() - start, interval)
            skipped += following - tick - 1
            tick = following
            if stop.wait(max(0.0, start + tick * interval - time.monotonic())):
                break
            begun = time.monotonic()
            reading = self._read()
            self._health.took(time.monotonic() - begun)
            self._push(reading)
            # Never at the expense of a sample: while Redis is away, the buffer is theirs.
            if self._health.due and 2 * len(self._backlog) < self._settings.buffer:
                self._send(self._health.message(self._next_time(), self._backlog))
            self._delivery.wake()
        return skipped

    def _next_time(self) -> int:
        """The next sample's time; only those of one ns are one point."""
        time_ns = self._times.next(self._clock(), time.monotonic_ns())
        if self._times.jump:
            _log.warning("the clock jumped by %+.1f s; samples follow it", self._times.jump / 1e9)
        return time_ns

    def _push(self, reading: HostReading) -> None:
        now = self._next_time()
        sample = Sample(
            timestamp=now // 1_000_000_000,
            cpu=reading.cpu,
            mem=reading.mem,
            sent=now,
            host=self._settings.host,
            seq=self._number,
            fields=reading.fields or None,
        )
        self._taken += 1
        self._number += self._send(sample)

    def _send(self, sample: Sample) -> bool:
        """Whether it is on its way; what is not takes no number, and leaves no gap that would count as a loss."""
        if problem := validation_error(sample):
            _log.error("a sample was not sent: %s", problem)
            self._backlog.refuse()
            return False
        self._backlog.push(_encode(sample))
        return True


def _check(settings: AgentSettings) -> None:
    if settings.transport not in TRANSPORTS:
        raise SettingsError(f"transport={settings.transport!r} is unknown: expected pubsub or stream")
    if not (math.isfinite(settings.interval) and settings.interval > 0):
        raise SettingsError(f"interval={settings.interval!r}: expected seconds above 0")
    if settings.buffer < 1:
        raise SettingsError(f"buffer={settings.buffer!r}: expected room for at least 1 sample")
    if not 0 < len(settings.host) <= 255:
        raise SettingsError(f"host={settings.host[:40]!r} ({len(settings.host)} characters): expected 1 to 255")


def run(
    settings: AgentSettings,
    bus: BusSettings,
    *,
    count: int = 0,
    stop: StopSignal | None = None,
    record: str | Path | None = None,
) -> AgentReport:
    """Sample this host and publish to `bus`, always as JSON (the binary layouts have no room for further fields).

    Raises:
        SettingsError: a setting is out of range, the URL is not a Redis address, or the record cannot be written.
    """
    kept, started = Record(record), time.time_ns()
    agent = Agent(settings, Recorded(open_publisher(bus, settings.transport), kept))
    kept.ready()
    report = agent.run(count, stop)
    kept.close({"started": started, **asdict(report)})
    return report
