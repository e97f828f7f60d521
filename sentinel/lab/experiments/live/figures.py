"""Key figures of a stretch of a watch, out of the consumer's lines. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.statistics import tails
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from sentinel.lab.experiments.live.window import Host, Pipeline

KINDS = ("internal", "e2e", "stored")
QUANTILES = (0.5, 0.99)
KEYS = tuple((kind, q) for kind in KINDS for q in QUANTILES)
COUNTS = ("received", "written", "rejected", "lost", "duplicated", "retries", "reconnects")
RARE = ("skipped", "jumped", "overwritten")
"""Counts of a consumer that older records do not have, and that are not known of a shared stream."""


@dataclass(frozen=True)
class Figures:
    """Key figures of a stretch of time."""

    seconds: float
    stored: float
    """Messages per second."""
    latencies: dict[tuple[str, float], float]
    """ms by kind and quantile; NaN where the messages are too few to carry it."""


NOTHING = Figures(0.0, math.nan, dict.fromkeys(KEYS, math.nan))


class Latencies:
    """Histograms of every kind, merged from any number of lines.

    Args:
        lines: Lines to begin with: by kind, a `Recorder` as a dict.
        quantiles: At which they are read, from 0 to 1.
    """

    def __init__(
        self, lines: Iterable[Mapping[str, Mapping[str, int]]] = (), quantiles: Iterable[float] = QUANTILES
    ) -> None:
        self._quantiles = tuple(quantiles)
        self._recorders = {kind: Recorder() for kind in KINDS}
        for line in lines:
            self.merge(line)

    def merge(self, buckets: Mapping[str, Mapping[str, int]]) -> None:
        """Add the histograms of one line.

        Args:
            buckets: By kind, a `Recorder` as a dict.
        """
        for kind, recorder in self._recorders.items():
            recorder.merge(Recorder.from_dict(buckets[kind]))

    def milliseconds(self) -> dict[tuple[str, float], float]:
        """Latencies in ms by kind and quantile; NaN where the messages are too few to carry it."""
        return {(kind, q): _milliseconds(self._recorders[kind], q) for kind in KINDS for q in self._quantiles}


def named(q: float) -> str:
    """The name of a percentile: `p99.9`.

    Args:
        q: The quantile, from 0 to 1.
    """
    return f"p{100 * q:.10g}"


def _milliseconds(recorder: Recorder, q: float) -> float:
    carried = tails.carried(named(q), len(recorder))
    return recorder.quantile(q) / 1e6 if carried else math.nan


@dataclass(frozen=True)
class Interval:
    """One line of the consumer's record."""

    at: int
    """ns since the epoch."""
    counts: dict[str, int]
    """Of `COUNTS` and `RARE`, so far."""
    buckets: dict[str, Mapping[str, int]]
    """Histograms by kind; as they came, since recorders would take a hundred times the memory."""
    latencies: dict[tuple[str, float], float]
    """ms by kind and quantile, of this interval alone."""

    @classmethod
    def of(cls, line: Mapping[str, Any]) -> Interval:
        """The interval that a line of the record describes.

        Args:
            line: A line of the consumer's `intervals.jsonl`; those of older consumers lack `RARE`.

        Raises:
            KeyError: the line lacks a key.
        """
        buckets = {kind: line[kind] for kind in KINDS}
        counts = {name: line[name] for name in COUNTS} | {name: line.get(name, 0) for name in RARE}
        return cls(line["at"], counts, buckets, Latencies([buckets]).milliseconds())


def between(first: Interval, last: Interval, latencies: Latencies) -> Figures:
    """Figures of the time between the ends of two intervals.

    Args:
        first: The interval at whose end the time begins.
        last: The interval at whose end it ends.
        latencies: Of the messages in between.
    """
    seconds = (last.at - first.at) / 1e9
    stored = (last.counts["written"] - first.counts["written"]) / seconds if seconds > 0 else math.nan
    return Figures(seconds, stored, latencies.milliseconds())


def described(host: Host, pipeline: Pipeline, window: float) -> str:
    """The latest value of every line of the live view, in words: its alt text.

    Args:
        host: This host over the window.
        pipeline: The pipeline over the window.
        window: Seconds that it reaches back.
    """

    def last(values: NDArray[np.float64]) -> str:
        known = [value for value in values.tolist() if math.isfinite(value)]
        return formatting.figure(known[-1]) if known else formatting.NOTHING

    v = {name: last(values) for name, values in host.values.items()}
    p = {key: last(values) for key, values in pipeline.latencies.items()}
    return (
        f"The last {formatting.plain(window)} seconds of this host and of the pipeline, nine panels; latest values: CPU"
        f" {v['cpu']} %, memory {v['mem']} %, load {v['load1']}, disk read {v['disk_read_bytes_per_s']} and write"
        f" {v['disk_write_bytes_per_s']} bytes/s, network sent {v['net_sent_bytes_per_s']} and received"
        f" {v['net_recv_bytes_per_s']} bytes/s; {last(pipeline.sent)} messages sent and {last(pipeline.stored)} stored"
        f" per second, latency in ms internal p50 {p['internal', 0.5]}, p99 {p['internal', 0.99]}, end to end p50"
        f" {p['e2e', 0.5]}, p99 {p['e2e', 0.99]}, stored p50 {p['stored', 0.5]}, p99 {p['stored', 0.99]}; backlog"
        f" {last(pipeline.backlog)}, lost {last(pipeline.troubles['lost'])} messages."
    )
