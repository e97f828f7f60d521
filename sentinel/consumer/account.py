"""The consumer's account: the one place that writes its ledger. All others report what happened.

Counts and latencies of one moment are taken together, whichever threads are at work.
"""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.consumer.measuring.stalls import WRITTEN, Stalls
from sentinel.model.ledger import ConsumerLedger, ConsumerReport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.bus import Receiver
    from sentinel.consumer.batching import Batch, Read
    from sentinel.consumer.measuring.losses import Losses
    from sentinel.consumer.measuring.measurement import Measurement


class Interval(NamedTuple):
    """What is known at the end of an interval."""

    use: dict[str, float]
    """CPU seconds of this process so far, and when the last batch was acknowledged (ns since the epoch)."""
    counts: dict[str, int]
    """The ledger so far, but for the reasons of rejects."""
    histograms: dict[str, Any]
    """Latencies of this interval alone, by kind, as `Recorder.to_dict` has them."""
    stalls: dict[str, tuple[int, int]]
    """What held it up longest in this interval, by kind: see `Stalls`."""


class Account:
    """Of one consumer; safe between threads. Reading `ledger` needs no lock: each count by itself is right."""

    def __init__(self, measure: Measurement) -> None:
        self.ledger = ConsumerLedger()
        self.stalls = Stalls()
        self._measure = measure
        self._lock = threading.Lock()
        self._first_read = self._first_stored = self._first_batch = self._last_stored = 0
        self._cpu_before = 0.0

    @property
    def settled(self) -> int:
        """Messages that are stored, or rejected."""
        return self.ledger.written + self.ledger.rejected

    @property
    def in_hand(self) -> int:
        """Messages received and not settled."""
        return self.ledger.received - self.settled

    def received(self, read: Read) -> None:
        """The bus gave these. For the reader's thread alone."""
        if not self._first_read:
            self._first_read = read.at
            self._cpu_before = time.process_time()
        self.ledger.received += len(read.payloads)

    def stored(self, batch: Batch, refused: int, at: int) -> None:
        """The store acknowledged a batch.

        Args:
            batch: What was written.
            refused: Messages of it that the store did not take.
            at: When the answer came, ns since the epoch.
        """
        with self._lock:
            self.ledger.written += len(batch) - refused
            if not self._first_stored:
                self._first_stored, self._first_batch = at, len(batch)
            self._last_stored = max(at, self._last_stored)
            self._measure.settled(batch, at)

    def rejected(self, reasons: Iterable[str], *, dropped: bool) -> None:
        """Messages can never be stored, each for its reason; their dead letters were kept, or `dropped`."""
        with self._lock:
            for reason in reasons:
                self.ledger.rejected += 1
                self.ledger.letters_dropped += dropped
                self.ledger.reasons[reason] = self.ledger.reasons.get(reason, 0) + 1

    def requested(self, took: int | None = None) -> None:
        """The store acknowledged a request.

        Args:
            took: From its first attempt on, ns; None where that is not known.
        """
        with self._lock:
            self.ledger.requests += 1
        if took is not None:
            self.stalls.note(WRITTEN, took)

    def retried(self) -> None:
        """A request to the store is made again."""
        with self._lock:
            self.ledger.retries += 1

    def reconnected(self) -> None:
        """The connection to Redis was made anew."""
        with self._lock:
            self.ledger.reconnects += 1

    def unacknowledged(self, messages: int) -> None:
        """So many messages are settled, and Redis could not be told."""
        with self._lock:
            self.ledger.unacknowledged += messages

    def trimmed(self, entries: int) -> None:
        """So many more entries were found trimmed from the stream unread."""
        with self._lock:
            self.ledger.trimmed_unread += entries

    def interval(self, losses: Losses) -> Interval:
        """Close an interval: what is known at its end."""
        with self._lock:
            histograms = self._measure.take()
            counts = {k: v for k, v in asdict(losses.counted(self.ledger)).items() if isinstance(v, int)}
            use = {"cpu_seconds": time.process_time(), "last_stored": self._last_stored}
        return Interval(use, counts, histograms, self.stalls.take())

    def report(self, losses: Losses, receiver: Receiver) -> ConsumerReport:
        """What became of every message so far. Takes no lock: a second stop signal asks for it wherever things hang."""
        self.ledger.pending = self.in_hand
        self.ledger.unacknowledged = max(self.ledger.unacknowledged, receiver.unacknowledged)
        self.ledger.taken_over = receiver.taken_over
        return ConsumerReport(
            losses.counted(self.ledger),
            self._first_read,
            self._first_stored,
            self._first_batch,
            self._last_stored,
            time.process_time() - self._cpu_before,
            {kind: recorder.to_dict() for kind, recorder in self._measure.totals.items()},
        )
