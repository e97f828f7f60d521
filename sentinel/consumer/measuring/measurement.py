"""What the consumer learns from settled batches: latencies, the sources' own numbers, the original's log lines.

internal: read returned → in the batch; e2e: intended send → in the batch; stored: intended send → the store's 2xx.
Traces are only collected on the way of a message; thousands at a time are counted, or what there is twice a second.
(`sentinel consume --unmeasured` shows what that costs.)
"""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.consumer.measuring.overwrites import Overwrites
from sentinel.consumer.measuring.sequences import Sequences
from sentinel.consumer.measuring.trace import NOTHING, Tracer
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from sentinel.consumer.batching import Batch
    from sentinel.consumer.measuring.trace import Trace
    from sentinel.model.sample import Columns, Sample

    Integers = NDArray[np.int64]

log = logging.getLogger(__name__)

KINDS = ("internal", "e2e", "stored")
COLLECT = 1000
"""Messages to collect before they are counted…"""
COLLECT_SECONDS = 0.1
"""…and seconds since the last were, up to…"""
COLLECT_MOST = 20_000
"""…so many: beside a busy reader a message costs less, the more are counted at once."""
LOG_SECONDS = 1.0
"""Seconds at least between two sets of log lines, which the original writes every 1,000 messages."""
OVERWRITTEN = (
    "points of one series and one time overwrite each other, and the store keeps the last: the ledger counts them as"
    " overwritten. Senders must name themselves (`host`, `source`), and give each message a time of its own"
    " (`send_time_unix_nano`)"
)


class Measurement:
    """Takes settled batches; gives histograms of the interval since the last `take`. Not thread-safe."""

    def __init__(self) -> None:
        self.sequences = Sequences()
        self.overwrites = Overwrites()
        self.trace: Callable[[Sequence[Sample], Columns], Trace] = Tracer()
        """Of the samples of one read, as `Tracer` has it; called in the reader's thread."""
        self.totals = {kind: Recorder() for kind in KINDS}
        """Histograms of all that was taken."""
        self._recorders = {kind: Recorder() for kind in KINDS}
        self._traces: list[Trace] = []
        self._times: list[tuple[int, int, int, int]] = []
        """(messages, read at, batched at, stored at) of what is collected."""
        self._waiting = 0
        self._window: dict[str, list[NDArray[np.int64]]] = {kind: [] for kind in KINDS}
        self._counted = -math.inf
        self._logged = time.monotonic()

    def settled(self, batch: Batch, at: int) -> None:
        """Collect a batch that the store acknowledged at `at` (ns since the epoch)."""
        self._traces += [block.trace for block in batch.blocks]
        self._times += [(block.messages, block.read_at, block.batched_at, at) for block in batch.blocks]
        self._waiting += len(batch)
        rested = time.monotonic() - self._counted >= COLLECT_SECONDS
        if self._waiting >= (COLLECT if rested else COLLECT_MOST):
            self._count()

    def take(self) -> dict[str, Any]:
        """Histograms since the last call, by kind of latency, as `Recorder.to_dict` gives them."""
        self._count()
        taken = {kind: recorder.take() for kind, recorder in self._recorders.items()}
        for kind, recorder in taken.items():
            self.totals[kind].merge(recorder)
        return {kind: recorder.to_dict() for kind, recorder in taken.items()}

    def _count(self) -> None:
        if not self._waiting:
            return
        traces, times = self._traces, self._times
        self._traces, self._times, self._waiting = [], [], 0
        self._counted = time.monotonic()
        of_points, sources, numbers, series = map(_whole, zip(*((*t[:3], t.places) for t in traces), strict=True))
        messages, read_at, batched_at, stored_at = np.array(times, dtype=np.int64).T
        values = {
            "internal": np.repeat(batched_at - read_at, messages),
            "e2e": np.repeat(batched_at, messages) - of_points,
            "stored": np.repeat(stored_at, messages) - of_points,
        }
        if not (timed := of_points > 0).all():  # a sender without send times has no end-to-end latency
            values |= {kind: values[kind][timed] for kind in ("e2e", "stored")}
        for kind, durations in values.items():
            self._recorders[kind].record(durations)
        self._follow(sources, series, np.abs(of_points), numbers)
        self._log(values)

    def _follow(self, sources: Integers, series: Integers, times: Integers, numbers: Integers) -> None:
        before = self.overwrites.count
        self.overwrites.see(series, times, numbers)
        if self.overwrites.count and not before:
            log.warning(OVERWRITTEN)
        if not (numbered := numbers >= 0).all():
            sources, numbers = sources[numbered], numbers[numbered]
        self.sequences.see(sources, numbers, self._counted)

    def _log(self, values: Mapping[str, NDArray[np.int64]]) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        for kind, durations in values.items():
            self._window[kind].append(durations)
        now = time.monotonic()
        if now - self._logged >= LOG_SECONDS:
            for kind, window in self._window.items():
                if line := stats_line(kind, np.concatenate(window)):
                    log.info("%s", line)
                window.clear()
            self._logged = now


class NoMeasurement(Measurement):
    """Learns nothing: shows what learning costs."""

    def __init__(self) -> None:
        super().__init__()
        self.trace = lambda *_: NOTHING

    def settled(self, batch: Batch, at: int) -> None:
        """Pass the batch over."""


def _whole(columns: Sequence[bytes]) -> NDArray[np.int64]:
    return np.frombuffer(b"".join(columns), dtype=np.int64)


def stats_line(kind: str, durations: NDArray[np.int64]) -> str:
    """The original's line `E2E_LATENCY_STATS count=… p50_us=… p90_us=… p99_us=…`.

    Args:
        kind: of latency.
        durations: ns, of any number of messages.

    Returns:
        The line; empty without durations.
    """
    if not len(durations):
        return ""
    # As np.quantile's method "inverted_cdf" has it, in a tenth of its time: numpy is quick for one place only.
    percentiles, rest, passed = list[int](), durations.copy(), 0
    for place in (math.ceil(q * len(durations)) - 1 for q in (0.5, 0.9, 0.99)):
        rest.partition(place - passed)
        rest, passed = rest[place - passed :], place
        percentiles.append(int(rest[0]) // 1000)
    p50, p90, p99 = percentiles
    return f"{kind.upper()}_LATENCY_STATS count={len(durations)} p50_us={p50} p90_us={p90} p99_us={p99}"
