"""The last seconds of a watched pipeline: lines of its programs' records in, series and key figures out.

Pure: `feed.Feed` brings the lines, and the caller says what time it is. What is older than the window is forgotten, but
for the latencies and counts of the whole time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.lab.experiments.live.figures import (
    COUNTS,
    KEYS,
    NOTHING,
    QUANTILES,
    RARE,
    Figures,
    Interval,
    Latencies,
    between,
)
from sentinel.lab.statistics.backlog import backlog, sent_at, settled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

READINGS = (
    "cpu", "mem", "load1", "disk_read_bytes_per_s", "disk_write_bytes_per_s", "net_sent_bytes_per_s",
    "net_recv_bytes_per_s",
)  # fmt: skip
"""What is shown of a sample; units in `probe.FIELDS`, cpu and mem in percent."""
TROUBLES = ("lost", "rejected", "retries")
SMOOTH = 2.0
"""Seconds over which a rate is a mean."""
RECENT = 5.0
"""Seconds that count as now."""
AGENT = "agent"
BEAT = 500_000_000
"""ns from a load generator's start to its first line."""


@dataclass(frozen=True)
class Host:
    """This host over the window."""

    seconds: NDArray[np.float64]
    """Of each sample, from now: negative."""
    values: dict[str, NDArray[np.float64]]
    """By reading; NaN where a sample had none."""


@dataclass(frozen=True)
class Pipeline:
    """The pipeline over the window, a value each interval of the consumer's record."""

    seconds: NDArray[np.float64]
    """From now: negative."""
    sent: NDArray[np.float64]
    """Messages per second."""
    stored: NDArray[np.float64]
    """Messages per second."""
    backlog: NDArray[np.float64]
    """Messages sent, but neither stored nor rejected nor lost yet."""
    troubles: dict[str, NDArray[np.float64]]
    """Counts so far, by name; see `TROUBLES`."""
    latencies: dict[tuple[str, float], NDArray[np.float64]]
    """ms by kind and quantile; NaN where the messages are too few to carry it."""

    @property
    def tail(self) -> str:
        """What is shown of the tail, and why there is nothing to show where messages were stored, but too few."""
        middle, tail = (np.isfinite(self.latencies["stored", q]).any() for q in (0.5, 0.99))
        return "Latency p99, ms (too few messages)" if middle and not tail else "Latency p99, ms"


class Window:
    """What the programs recorded over the last seconds.

    Moments are ns since the epoch. A method's `now` is the moment that the window ends at; what is later is left out.

    Args:
        seconds: How far the window reaches back.
        quantiles: At which key figures have latencies, from 0 to 1; those of the view's lines besides.
    """

    def __init__(self, seconds: float, quantiles: Sequence[float] = QUANTILES) -> None:
        self.seconds = seconds
        self.shown = tuple(quantiles)
        self._quantiles = tuple(sorted({*QUANTILES, *quantiles}))
        self.samples = 0
        """Of the agent, so far."""
        self._whole = Latencies(quantiles=self._quantiles)
        self._first: Interval | None = None
        """The last one before anything was stored."""
        self._last: Interval
        """The last one in which something was stored."""
        self._host: deque[tuple[int, dict[str, float]]] = deque()
        self._intervals: deque[Interval] = deque()
        self._sent: dict[str, deque[tuple[int, int]]] = {}
        self._ended: set[str] = set()

    # -- in ------------------------------------------------------------------------------------------------------

    def consumer(self, line: Mapping[str, Any]) -> None:
        """Take a line of the consumer's record."""
        interval = Interval.of(line)
        self._whole.merge(interval.buckets)
        self._intervals.append(interval)
        if self._first is None or not interval.counts["written"]:
            self._first = self._last = interval
        elif interval.counts["written"] > self._last.counts["written"]:
            self._last = interval

    def load(self, name: str, line: Mapping[str, Any]) -> None:
        """Take a line of the record of one of the load generator's processes.

        Args:
            name: The process's folder in the trial's.
            line: `at` (ns since the epoch) and `sent` (messages so far).
        """
        self._sent.setdefault(name, deque([(line["at"] - BEAT, 0)])).append((line["at"], line["sent"]))

    def agent(self, line: Mapping[str, Any]) -> None:
        """Take a line of the agent's record.

        Args:
            line: `at` (ns since the epoch), `sent` (messages so far) and `samples`, as they travel.
        """
        self._sent.setdefault(AGENT, deque([(0, 0)])).append((line["at"], line["sent"]))
        for sample in line["samples"]:
            values = {"cpu": sample["cpu_usage"], "mem": sample["mem_usage"], **(sample.get("fields") or {})}
            self._host.append((sample["send_time_unix_nano"], values))
            self.samples += 1

    def ended(self, name: str) -> None:
        """Note that a sender will send no more.

        Args:
            name: `AGENT`, or the name that `load` was given.
        """
        self._ended.add(name)

    def forget(self, now: int) -> None:
        """Drop what has left the window; rates and counts keep one value before it to start from."""
        oldest = now - _ns(self.seconds + SMOOTH)
        series: list[deque[Any]] = [self._host, *self._sent.values()]
        for interval in series:
            while len(interval) > 1 and interval[1][0] < oldest:
                interval.popleft()
        while len(self._intervals) > 1 and self._intervals[1].at < min(oldest, self._intervals[-1].at - _ns(RECENT)):
            self._intervals.popleft()

    # -- out -----------------------------------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """The moment of the consumer's last line; 0 before its first."""
        return self._intervals[-1].at if self._intervals else 0

    def tally(self, now: int) -> dict[str, int]:
        """Messages so far, at the last moment for which the counts of every sender are known.

        Returns:
            Messages by name: `sent`, `COUNTS` and `RARE`.
        """
        known = self._known(now)
        if not known:
            return dict.fromkeys(("sent", *COUNTS, *RARE), 0)
        (sent,) = self._sent_at(np.array([known[-1].at], dtype=np.int64))
        counts = known[-1].counts
        return {"sent": max(round(sent), settled(counts)), **counts}

    def _known(self, now: int) -> list[Interval]:
        """The consumer's lines up to now, as far as all senders have told their counts."""
        told = (c[-1][0] for name, c in self._sent.items() if name not in {AGENT, *self._ended})
        horizon = min((now, *told))
        return [interval for interval in self._intervals if interval.at <= horizon]

    def _sent_at(self, at: NDArray[np.int64]) -> NDArray[np.float64]:
        """Messages that the bus had taken at each moment."""
        each = (sent_at(at, notes, steps=name == AGENT) for name, notes in self._sent.items())
        return sum(each, np.zeros(len(at)))

    def host(self, now: int) -> Host:
        """The agent's samples of the window."""
        seconds = _ago([at for at, _ in self._host], now)
        inside = (seconds >= -self.seconds) & (seconds <= 0)
        values = {name: np.array([v.get(name, math.nan) for _, v in self._host], dtype=float) for name in READINGS}
        return Host(seconds[inside], {name: array[inside] for name, array in values.items()})

    def pipeline(self, now: int) -> Pipeline:
        """Rates, latencies, backlog and losses of the window, as far as the counts of every sender are known."""
        known = self._known(now)
        at = np.array([interval.at for interval in known], dtype=np.int64)
        sent = self._sent_at(at)
        counts = {name: np.array([interval.counts[name] for interval in known], dtype=float) for name in COUNTS}
        seconds = _ago(at, now)
        inside = (seconds >= -self.seconds) & (seconds <= 0)
        rates = _rate(seconds, sent)[inside], _rate(seconds, counts["written"])[inside]
        waiting = backlog(sent, [interval.counts for interval in known])[inside]
        troubles = {name: counts[name][inside] for name in TROUBLES}
        latencies = {
            key: np.array([interval.latencies[key] for interval in known], dtype=float)[inside] for key in KEYS
        }
        return Pipeline(seconds[inside], *rates, waiting, troubles, latencies)

    def recent(self, now: int) -> Figures:
        """Figures of the last `RECENT` seconds before now."""
        known = self._known(now)
        if not known:
            return NOTHING
        last = known[-1]
        start = next((interval for interval in reversed(known) if interval.at <= last.at - _ns(RECENT)), known[0])
        lines = (interval.buckets for interval in known if interval.at > start.at)
        since = Latencies(lines, self._quantiles)
        return between(start, last, since)

    def whole(self) -> Figures:
        """Figures from the first message to the last."""
        if self._first is None:
            return NOTHING
        return between(self._first, self._last, self._whole)


def _ns(seconds: float) -> int:
    return int(seconds * 1e9)


def _ago(at: Sequence[int] | NDArray[np.int64], now: int) -> NDArray[np.float64]:
    return np.asarray((np.asarray(at, dtype=np.int64) - now) / 1e9)


def _rate(seconds: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Growth per second over the last `SMOOTH` seconds of each moment; NaN at the first."""
    since = np.searchsorted(seconds, seconds - SMOOTH)
    passed = seconds - seconds[since]
    unknown = np.full(len(seconds), math.nan)
    return np.asarray(np.divide(counts - counts[since], passed, out=unknown, where=passed > 0))
