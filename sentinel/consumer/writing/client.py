"""Writers that go through influxdb-client, as its documentation has it; imported by those that measure it.

See `writers.Writer` for what is asked of them. The library itself is imported once one is made: 0.4 s and 15 MB.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from sentinel.consumer.batching import Batch
from sentinel.runtime.stop import DeadlineError
from sentinel.runtime.unexpected import hand_over

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.consumer.writing.delivery import Refused
    from sentinel.consumer.writing.writers import Outlet
    from sentinel.errors import StoreError


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
            self._outlet.account.requested()
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
