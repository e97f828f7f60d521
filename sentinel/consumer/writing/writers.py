"""From batches to the store: what a writer is given and must do, and the one that posts whole batches.

Every writer answers for each batch it was given: it calls `settle(batch, refused, at)` once the store has acknowledged
it (`refused` holds the few it will never take, found by bisecting), or still holds it when it is closed.
Its `pack` says how it wants the points of a block.
A batch that cannot be delivered waits (see `delivery`), and the bounded queue behind it stops the reading.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sentinel.consumer.writing.delivery import Delivery, RefusalLog
from sentinel.consumer.writing.poster import Poster
from sentinel.runtime.stop import DeadlineError
from sentinel.settings import DURABLE
from sentinel.store import durability

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.consumer.account import Account
    from sentinel.consumer.batching import Batch
    from sentinel.consumer.writing.delivery import Refused
    from sentinel.runtime.stop import StopSignal
    from sentinel.settings import ConsumerSettings, StoreSettings
    from sentinel.store import Server

    Settle = Callable[[Batch, Sequence[Refused], int], None]
    """(batch, what the store refused of it, acknowledged at ns since the epoch)."""


PARTING = 0.2
"""Seconds past the deadline in which a writer's thread may notice that its connection was cut off."""


@dataclass(frozen=True)
class Outlet:
    """What every writer is given."""

    store: StoreSettings
    server: Server
    consumer: ConsumerSettings
    account: Account
    stop: StopSignal
    settle: Settle
    """Must not raise."""
    refusals: RefusalLog = field(default_factory=RefusalLog)

    def delivery(self, post: Callable[[Sequence[Any]], None], **options: Any) -> Delivery:
        """A courier that posts so."""
        return Delivery(post, self.stop, self.account, refusals=self.refusals, **options)


class Writer(Protocol):
    """What the consumer needs of a writer."""

    def pack(self, points: Sequence[Any]) -> Any:
        """Some points in the form in which a block of a batch is to hold them."""

    @property
    def busy(self) -> bool:
        """Whether a batch put now would have to wait for another."""

    def put(self, batch: Batch) -> None:
        """Take a batch; blocks while too much is waiting (policy: block).

        Raises:
            DeadlineError: the stop deadline passed before there was room.
        """

    def close(self) -> int:
        """Write what is left, within the stop deadline; returns the messages left unwritten."""


class PostWriter:
    """One POST per batch over a kept-alive connection, in a thread of its own."""

    def __init__(self, outlet: Outlet) -> None:
        self._poster = Poster(outlet)
        self._settle = outlet.settle
        self._stop = outlet.stop
        # Two of these cost a small part of one `Queue` with a bound (docs/measurements.md: handover).
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        """An item for each batch that may still be put."""
        for _ in range(outlet.consumer.queue_batches):
            self._room.put(None)
        self._taken = self._written = 0
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)
        self._thread.start()

    @staticmethod
    def pack(points: Sequence[Any]) -> bytes:
        """See Writer: lines, joined."""
        lines = points if isinstance(points[0], str) else [point.to_line_protocol() for point in points]
        return "\n".join(lines).encode()

    @property
    def busy(self) -> bool:
        """See Writer."""
        return self._taken != self._written

    def put(self, batch: Batch) -> None:
        """See Writer."""
        self._taken += len(batch)
        self._enqueue(batch)

    def _enqueue(self, item: Batch | None) -> None:
        while True:
            try:
                self._room.get(timeout=0.1)
            except queue.Empty:
                if self._stop.left <= 0 or not self._thread.is_alive():
                    raise DeadlineError("the store did not take the batches in time") from None
            else:
                return self._queue.put(item)

    def _work(self) -> None:
        with suppress(DeadlineError):  # what is left then, close() counts
            while (batch := self._queue.get()) is not None:
                self._room.put(None)
                refused = self._poster.deliver(batch)
                self._settle(batch, refused, time.time_ns())
                self._written += len(batch)

    def close(self) -> int:
        """See Writer."""
        with suppress(DeadlineError):
            self._enqueue(None)
        if not self._stop.join(self._thread):
            self._poster.cut_off()
            self._thread.join(PARTING)
        self._poster.close()
        return self._taken - self._written


def open_poster(outlet: Outlet) -> Writer:
    """One request at a time, or several where each waits for a flush of the store's log."""
    from sentinel.consumer.writing.inflight import InFlightWriter

    return InFlightWriter(outlet) if durability(outlet.store, outlet.server) == DURABLE else PostWriter(outlet)
