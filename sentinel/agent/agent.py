"""The agent: samples this host on a fixed schedule and publishes, whatever Redis is doing.

Two threads: the caller's takes samples and pushes them on a `Backlog`; a `BacklogSender` carries them to Redis, oldest
first. So a Redis that hangs delays no sample and no stop. Deciding is pure (`Backlog`, `next_tick`); the loop acts.
Now and then a message about the agent itself goes the same way, on the same account.

Delivery: a send that broke off is made again whole, so some of its samples may be on the bus twice. They are the same
points and overwrite themselves. What fell out of the full backlog leaves a gap in the sequence numbers.
"""

from __future__ import annotations

import logging
import math
import random
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.agent.backlog import Backlog
from sentinel.agent.backlog_sender import BacklogSender
from sentinel.agent.health import AgentHealth
from sentinel.agent.report import AgentReport
from sentinel.bus import open_publisher
from sentinel.errors import SettingsError
from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample, first_number, validation_error
from sentinel.model.timestamps import Timestamps
from sentinel.probe import HostProbe, HostView, ProcessProbe
from sentinel.runtime.heartbeat import Heartbeat
from sentinel.runtime.record import Record, Recorded
from sentinel.runtime.stop import StopSignal
from sentinel.settings import TRANSPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.probe import HostReading
    from sentinel.runtime.record import Publishes
    from sentinel.settings import AgentSettings, BusSettings

LAST_ATTEMPT = 2.0
"""Seconds that sending may still take after the stop."""

_log = logging.getLogger(__name__)
_encode = CODECS["json"].encode


def next_tick(tick: int, elapsed: float, interval: float) -> int:
    """The tick to wait for next; tick n is due n × `interval` after the start.

    Args:
        tick: number of the tick that was waited for last.
        elapsed: seconds since the start.
        interval: seconds between two ticks.

    Returns:
        The first number after `tick` that is not past; those in between are skipped.
    """
    return max(tick + 1, math.ceil(elapsed / interval))


class Agent:
    """Takes samples of this host and hands them to a publisher, which it closes at the end.

    It numbers its samples from a number drawn for its run, so that the samples of a restarted agent are no repetition.
    Its source is its `host` alone: a number for each run would make a series of each in the store.

    Args:
        settings: how often to sample, and how much to keep while Redis is away.
        publisher: takes the encoded samples, from a thread of the agent's own.
        read: reads the host; a `HostProbe` by default.
        clock: wall clock, ns since the epoch.

    Raises:
        SettingsError: a setting is out of range.
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
        self._backlog_sender = BacklogSender(
            self._backlog, publisher, Heartbeat(settings.heartbeat), counts_receivers=settings.transport == "pubsub"
        )

    def run(self, count: int = 0, stop: StopSignal | None = None) -> AgentReport:
        """Sample until a stop is asked for, or `count` samples are taken. Once per agent.

        The first sample is taken one interval after the start, so that it, too, describes an interval.

        Args:
            count: samples to take; 0: no limit.
            stop: ends the sampling; its deadline also bounds the last attempt to send.

        Raises:
            Exception: whatever ended the sending thread.
        """
        start, cpu = time.monotonic(), time.process_time()
        stop = stop or StopSignal()
        self._backlog_sender.start()
        try:
            skipped = self._sample(start, count, stop)
        finally:
            self._backlog_sender.finish(LAST_ATTEMPT, stop)
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
            self._backlog_sender.wake()
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

    Args:
        settings: how often to sample, and how much to keep while Redis is away.
        bus: where samples go.
        count: samples to take; 0: until a stop is asked for.
        stop: ends the sampling.
        record: folder for intervals and ledger; None: nothing is written.

    Raises:
        SettingsError: a setting is out of range, the URL is not a Redis address, or the record cannot be written.
    """
    kept, started = Record(record), time.time_ns()
    agent = Agent(settings, Recorded(open_publisher(bus, settings.transport), kept))
    kept.ready()
    report = agent.run(count, stop)
    kept.close({"started": started, **asdict(report)})
    return report
