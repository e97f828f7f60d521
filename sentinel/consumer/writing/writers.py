"""From batches to the store: one writer for each choice of the `write` axis.

Every writer answers for each batch it was given: it calls `settle(batch, refused, at)` once the store has acknowledged
it (`refused` holds the few it will never take, found by bisecting), or still holds it when it is closed.
Its `pack` says how it wants the points of a block.
A batch that cannot be delivered waits (see `delivery`), and the bounded queue behind it stops the reading.
influxdb-client is imported only by those that use it (docs/measurements.md: influxdb-client).
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sentinel.consumer.batching import Batch
from sentinel.consumer.writing.delivery import Delivery, RefusalLog
from sentinel.consumer.writing.poster import Poster
from sentinel.runtime.stop import DeadlineError
from sentinel.runtime.unexpected import hand_over
from sentinel.settings import DURABLE
from sentinel.store import durability

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sentinel.consumer.writing.delivery import Refused
    from sentinel.errors import StoreError
    from sentinel.model.ledger import ConsumerLedger
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
    ledger: ConsumerLedger
    stop: StopSignal
    settle: Settle
    """Must not raise."""
    refusals: RefusalLog = field(default_factory=RefusalLog)

    def delivery(self, post: Callable[[Sequence[Any]], None], **options: Any) -> Delivery:
        """A delivery that posts so."""
        return Delivery(post, self.stop, self.ledger, refusals=self.refusals, **options)


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


class SynchronousWriter:
    """influxdb-client, one request per point, in the reader's own thread."""

    busy = False

    def __init__(self, outlet: Outlet) -> None:
        from sentinel.store.influxdb_client import SynchronousApi

        self._api = SynchronousApi(outlet.store, outlet.server, lambda: outlet.stop.left)
        self._delivery = outlet.delivery(self._api.write)
        self._settle = outlet.settle
        self._left = 0

    @staticmethod
    def pack(points: Sequence[Any]) -> Sequence[Any]:
        """See Writer: as they are."""
        return points

    def put(self, batch: Batch) -> None:
        """See Writer."""
        self._left += len(batch)
        points = [point for block in batch.blocks for point in block.points]
        refused = [no for point in points for no in self._delivery.deliver([point])]
        self._settle(batch, refused, time.time_ns())
        self._left -= len(batch)

    def close(self) -> int:
        """See Writer."""
        self._api.close()
        return self._left


class ClientBatchingWriter:
    """influxdb-client's batching WriteApi. What it acknowledges it names only by number of lines, in order."""

    busy = False

    def __init__(self, outlet: Outlet) -> None:
        from sentinel.store.influxdb_client import BatchingApi, SynchronousApi

        self._outlet = outlet
        self._waiting: deque[Batch] = deque()
        self._changed = threading.Condition()
        self._gave_up = False
        # The client's own queue has no bound: ours blocks the reader before it grows past the same size as elsewhere.
        self._most = outlet.consumer.batch_size * outlet.consumer.queue_batches
        self._direct = SynchronousApi(outlet.store, outlet.server, lambda: outlet.stop.left)
        self._api = BatchingApi(
            outlet.store,
            outlet.server,
            lambda: outlet.stop.left,
            batch_size=outlet.consumer.batch_size,
            flush_interval=outlet.consumer.flush_interval,
            on_success=self._written,
            on_error=self._failed,
        )

    pack = staticmethod(SynchronousWriter.pack)

    def put(self, batch: Batch) -> None:
        """See Writer. Batches come here with one message each."""
        with self._changed:
            while len(self._waiting) >= self._most:
                if self._outlet.stop.left <= 0 or self._gave_up:
                    raise DeadlineError("influxdb-client did not write in time")
                self._changed.wait(0.1)
            self._waiting.append(batch)
        for block in batch.blocks:
            for point in block.points:
                self._api.write(point)

    def _written(self, count: int) -> None:
        try:
            self._outlet.ledger.requests += 1
            self._done(count, [])
        except Exception as error:  # noqa: BLE001 - the client would swallow it, and stand still
            hand_over(error)

    def _failed(self, lines: list[bytes], error: StoreError) -> None:
        """The client gave a batch up."""
        try:
            self._go_on(lines, error)
        except Exception as unexpected:  # noqa: BLE001 - as above
            hand_over(unexpected)

    def _go_on(self, lines: list[bytes], error: StoreError) -> None:
        """Its attempt was the first, go on from there."""
        errors = [error]

        def post(points: Sequence[Any]) -> None:
            if errors:
                raise errors.pop()
            self._direct.write(points)

        try:
            refused = self._outlet.delivery(post).deliver(lines)
        except DeadlineError:
            self._gave_up = True  # still waiting: counted as left by close()
            return
        self._done(len(lines), refused)

    def _done(self, count: int, refused: Sequence[Refused]) -> None:
        if self._gave_up:
            return  # the first that wait are those given up: these would be mistaken for them, and acknowledged
        with self._changed:
            batch = _joined([self._waiting.popleft() for _ in range(count)])
            self._changed.notify()
        self._outlet.settle(batch, refused, time.time_ns())

    def close(self) -> int:
        """See Writer."""
        self._api.close(min(self._outlet.stop.left, 3600.0))
        self._direct.close()
        return sum(map(len, self._waiting))


def _joined(batches: Sequence[Batch]) -> Batch:
    whole = Batch()
    for batch in batches:
        for block in batch.blocks:
            whole.append(block)
    return whole


class PostWriter:
    """One POST per batch over a kept-alive connection, in a thread of its own."""

    def __init__(self, outlet: Outlet) -> None:
        self._poster = Poster(outlet)
        self._settle = outlet.settle
        self._stop = outlet.stop
        self._queue: queue.Queue[Batch | None] = queue.Queue(outlet.consumer.queue_batches)
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
                return self._queue.put(item, timeout=0.1)
            except queue.Full:
                if self._stop.left <= 0 or not self._thread.is_alive():
                    raise DeadlineError("the store did not take the batches in time") from None

    def _work(self) -> None:
        with suppress(DeadlineError):  # what is left then, close() counts
            while (batch := self._queue.get()) is not None:
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


def _post_batches(outlet: Outlet) -> Writer:
    """One request at a time, or several where each waits for a flush of the store's log."""
    from sentinel.consumer.writing.inflight import InFlightWriter

    return InFlightWriter(outlet) if durability(outlet.store, outlet.server) == DURABLE else PostWriter(outlet)


WRITERS: Mapping[str, Callable[[Outlet], Writer]] = {
    "client-synchronous": SynchronousWriter,
    "client-batching": ClientBatchingWriter,
    "post-batches": _post_batches,
}
