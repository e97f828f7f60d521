"""Several requests in flight, for a store that answers a write with the next flush of its log: InfluxDB 3, durable.

One request at a time would hold a consumer to one batch a flush, some 5,000 messages a second. Here up to `MOST` wait
side by side, each on a connection and in a thread of its own. What they finish is settled in the order in which it
was put: sequence numbers are followed as they came, and nothing is acknowledged before what was read before it.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sentinel.consumer.writing.poster import Poster
from sentinel.consumer.writing.writers import PARTING, PostWriter
from sentinel.runtime.stop import DeadlineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.consumer.batching import Batch
    from sentinel.consumer.writing.delivery import Refused
    from sentinel.consumer.writing.writers import Outlet

MOST = 32
"""Requests in flight: with full batches 160,000 messages a flush."""
PACE = 0.05
"""Seconds between two requests under a light load: 20 a flush, so that connections are left for full batches."""


class InFlightWriter:
    """See `writers.Writer`."""

    pack = staticmethod(PostWriter.pack)

    def __init__(self, outlet: Outlet) -> None:
        self._stop = outlet.stop
        self._turns = _Turns(outlet)
        self._queue: queue.SimpleQueue[tuple[int, Batch] | None] = queue.SimpleQueue()
        self._put = self._taken = 0
        """Batches, and messages in them."""
        self._next = 0.0
        self._lanes = [_Lane(outlet, self._queue, self._turns) for _ in range(MOST)]

    @property
    def busy(self) -> bool:
        """See Writer."""
        return self._put - self._turns.settled >= MOST or time.monotonic() < self._next

    def put(self, batch: Batch) -> None:
        """See Writer."""
        self._taken += len(batch)
        while self._put - self._turns.settled >= MOST:
            if self._stop.left <= 0:
                raise DeadlineError("the store did not take the batches in time")
            self._turns.wait(0.1)
        self._queue.put((self._put, batch))
        self._put += 1
        self._next = time.monotonic() + PACE

    def close(self) -> int:
        """See Writer."""
        for _ in self._lanes:
            self._queue.put(None)
        if not all([self._stop.join(lane.thread) for lane in self._lanes]):
            for lane in self._lanes:
                lane.poster.cut_off()
            end = time.monotonic() + PARTING
            for lane in self._lanes:
                lane.thread.join(max(0.0, end - time.monotonic()))
        self._turns.rest()
        for lane in self._lanes:
            lane.poster.close()
        return self._taken - self._turns.messages


class _Lane:
    """A connection and its thread."""

    def __init__(self, outlet: Outlet, batches: queue.SimpleQueue[tuple[int, Batch] | None], turns: _Turns) -> None:
        self._batches = batches
        self._turns = turns
        self.poster = Poster(outlet)
        self.thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self.thread.start()

    def _work(self) -> None:
        with suppress(DeadlineError):  # what is left then, close() counts
            while (item := self._batches.get()) is not None:
                number, batch = item
                refused = self.poster.deliver(batch)
                self._turns.done(number, (batch, refused, time.time_ns()))


class _Turns:
    """Settles batches in the order of their numbers, whichever is done first."""

    def __init__(self, outlet: Outlet) -> None:
        self._settle = outlet.settle
        self._done: dict[int, tuple[Batch, Sequence[Refused], int]] = {}
        self._changed = threading.Condition()
        self.settled = self.messages = 0
        """Batches settled, and messages in them."""

    def done(self, number: int, answered: tuple[Batch, Sequence[Refused], int]) -> None:
        """The store has answered for a batch."""
        with self._changed:
            self._done[number] = answered
            while self.settled in self._done:
                self._take(self.settled)
            self._changed.notify()

    def _take(self, number: int) -> None:
        batch, refused, at = self._done.pop(number)
        self._settle(batch, refused, at)
        self.settled += 1
        self.messages += len(batch)

    def wait(self, seconds: float) -> None:
        """Until a batch is done, or for so long."""
        with self._changed:
            self._changed.wait(seconds)

    def rest(self) -> None:
        """At the end: settle what is done although something before it is not."""
        with self._changed:
            for number in sorted(self._done):
                self._take(number)
