"""Latencies of the consumer: three histograms, and the original's log lines.

internal: read returned → in the batch; e2e: intended send → in the batch; stored: intended send → the store's 2xx.
Recorded for a whole batch at once, when the store has acknowledged it, in arrays: well under 0.2 µs a message.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.latency import Recorder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sentinel.batching import Batch

log = logging.getLogger(__name__)

KINDS = ("internal", "e2e", "stored")
LOG_EVERY = 1000
"""Messages between two sets of log lines, as in the original…"""
LOG_SECONDS = 1.0
"""…or seconds, whichever comes first."""


class Measure:
    """Takes settled batches; gives histograms of the interval since the last `take`."""

    def __init__(self) -> None:
        self._recorders = {kind: Recorder() for kind in KINDS}
        self._window: dict[str, list[NDArray[np.int64]]] = {kind: [] for kind in KINDS}
        self._windowed = 0
        self._logged = time.monotonic()

    def settled(self, batch: Batch, at: int) -> None:
        """Record a batch that the store acknowledged at `at` (ns since the epoch)."""
        messages, read_at, batched_at = np.array(batch.reads, dtype=np.int64).T
        sent = np.array([s.sent for s in batch.samples], dtype=np.int64)
        timed = sent > 0  # a sender without send times has no end-to-end latency
        values = {
            "internal": np.repeat(batched_at - read_at, messages),
            "e2e": (np.repeat(batched_at, messages) - sent)[timed],
            "stored": (at - sent)[timed],
        }
        for kind, durations in values.items():
            self._recorders[kind].record(durations)
        self._log(values, len(sent))

    def take(self) -> dict[str, Any]:
        """Histograms by kind since the last call, as JSON can hold them."""
        return {kind: recorder.take().to_dict() for kind, recorder in self._recorders.items()}

    def _log(self, values: dict[str, NDArray[np.int64]], count: int) -> None:
        if not log.isEnabledFor(logging.INFO):
            return
        for kind, durations in values.items():
            self._window[kind].append(durations)
        self._windowed += count
        now = time.monotonic()
        if self._windowed >= LOG_EVERY or now - self._logged >= LOG_SECONDS:
            for kind, window in self._window.items():
                if line := stats_line(kind, np.concatenate(window)):
                    log.info("%s", line)
                window.clear()
            self._windowed, self._logged = 0, now


def stats_line(kind: str, durations: NDArray[np.int64]) -> str:
    """The original's line: `E2E_LATENCY_STATS count=… p50_us=… p90_us=… p99_us=…`; empty without durations (ns)."""
    if not len(durations):
        return ""
    p50, p90, p99 = np.quantile(durations, (0.5, 0.9, 0.99), method="inverted_cdf") // 1000
    return f"{kind.upper()}_LATENCY_STATS count={len(durations)} p50_us={p50} p90_us={p90} p99_us={p99}"
