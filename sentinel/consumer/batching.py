"""Batches: what is read is gathered here until it is due, by count or by age.

Pure: the time is an argument. `add` and `due` return what should be written; the loop that called them writes it.
A batch keeps of every message only what is still needed: its point, its id on the bus, its trace. Points are packed a
read at a time, so that thousands of small objects need not live until the store's answer.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from sentinel.consumer.measuring.trace import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

    from sentinel.consumer.measuring.trace import Trace
    from sentinel.settings import ConsumerSettings

AGE = 0.001
"""Seconds that a batch waits for more although the writer is free, where nobody said how long. It makes fewer
requests and so costs less CPU, for a later median of what is stored."""
WAITING = range(9, 100)
"""Points with which a batch waits so long: fewer are a light load, which nothing holds up, more are worth a request."""
LARGEST = 8_000_000
"""Bytes of points with which a batch is full, whatever their number: servers refuse larger bodies, InfluxDB 3 those
above 10 MB, 1.x above 25."""
ANY = range(1, sys.maxsize)
"""Any number of points."""


class Read(NamedTuple):
    """Messages that one read of the bus returned, in order."""

    ids: Sequence[bytes]
    """Stream entry ids, parallel to the payloads; empty on Pub/Sub."""
    payloads: Sequence[bytes]
    at: int
    """When the read from the socket returned, ns since the epoch."""

    def without(self, bad: Container[int]) -> Read:
        """The messages at all positions but these."""
        ids = [entry for position, entry in enumerate(self.ids) if position not in bad]
        return Read(ids, [payload for n, payload in enumerate(self.payloads) if n not in bad], self.at)


@dataclass(slots=True)
class Block:
    """What one read, or a part of it, brought into a batch."""

    messages: int
    ids: Sequence[bytes]
    """Stream entry ids, one a message; empty on Pub/Sub."""
    points: Any
    """The points, as the writer's `pack` made them."""
    read_at: int
    """When the read returned, ns since the epoch."""
    batched_at: int = 0
    """When the points were in the batch, ns since the epoch."""
    trace: Trace = NOTHING


@dataclass(slots=True)
class Batch:
    """Points on their way to the store."""

    blocks: list[Block] = field(default_factory=list)
    count: int = 0
    """Messages."""
    size: int = 0
    """Bytes of the points, where they are bytes."""

    def __len__(self) -> int:
        return self.count

    def append(self, block: Block) -> None:
        """Take a block in."""
        self.blocks.append(block)
        self.count += block.messages
        self.size += _size(block.points)

    @property
    def ids(self) -> list[bytes]:
        """Stream entry ids of all messages."""
        return [entry for block in self.blocks for entry in block.ids]


class Batcher:
    """Gathers reads into batches, due once full or once the oldest message has waited long enough.

    Args:
        size: most points in a batch; it is full with `LARGEST` bytes, too.
        max_age: ns that a batch waits for more.
        pack: turns the points of a block into what the writer wants of them.
        waiting: numbers of points with which a batch waits for its age; with any other it is due at once.
    """

    def __init__(
        self,
        size: int,
        max_age: int,
        pack: Callable[[Sequence[Any]], Any] = list,
        waiting: range = ANY,
    ) -> None:
        self.size = size
        self.max_age = max_age
        self._pack = pack
        self._waiting = waiting
        self._batch = Batch()
        self._since = 0

    @classmethod
    def of(
        cls, settings: ConsumerSettings, pack: Callable[[Sequence[Any]], Any], *, whole_batches: bool = True
    ) -> Self:
        """A consumer's.

        Args:
            settings: Batch size and linger.
            pack: Makes of points what a block of a batch holds.
            whole_batches: False where every message is a batch, as its writer batches by itself or not at all.
        """
        max_age, waiting = (AGE, WAITING) if settings.max_age is None else (settings.max_age, ANY)
        return cls(settings.batch_size if whole_batches else 1, int(max_age * 1e9), pack, waiting)

    def __len__(self) -> int:
        return len(self._batch)

    def add(
        self,
        read: Read,
        points: Sequence[Any],
        trace: Callable[[], Trace],
        clock: Callable[[], int],
        monotonic: Callable[[], int],
    ) -> list[Batch]:
        """Take one read in.

        Args:
            read: the messages.
            points: their points, parallel to the messages.
            trace: makes the trace of the read; called once, after points are in their batch, so that none waits for it.
            clock: ns since the epoch; asked once points are in their batch.
            monotonic: ns, asked once a batch for its age: `clock` may be set back by an hour.

        Returns:
            The batches that the read filled.
        """
        full: list[Batch] = []
        whole = None
        start, end = 0, len(points)
        while start < end:
            batch = self._batch
            first = not batch.count
            stop = min(end, start + self.size - batch.count)
            packed = self._pack(points[start:stop])
            while _size(packed) > LARGEST - batch.size and stop - start > 1:
                stop = start + max(1, (stop - start) * (LARGEST - batch.size) // _size(packed))
                packed = self._pack(points[start:stop])
            block = Block(stop - start, read.ids[start:stop], packed, read.at)
            batch.append(block)
            block.batched_at = clock()
            if first:
                self._since = monotonic()
            whole = whole or trace()
            block.trace = whole.part(start, stop)
            start = stop
            if batch.count >= self.size or batch.size >= LARGEST:
                full.append(self.take())
        return full

    def due(self, now: int) -> Batch | None:
        """The batch, if it has waited long enough.

        Args:
            now: monotonic clock, ns.
        """
        return self.take() if self.wait(now) == 0 else None

    def wait(self, now: int) -> int | None:
        """Time until the batch falls due.

        Args:
            now: monotonic clock, ns.

        Returns:
            ns, 0 where it is due; None where there is no batch.
        """
        if not self._batch.count:
            return None
        return max(0, self._since + self.max_age - now) if self._batch.count in self._waiting else 0

    def take(self) -> Batch:
        """The batch as it is, due or not."""
        batch, self._batch = self._batch, Batch()
        return batch


def _size(points: Any) -> int:
    return len(points) if isinstance(points, bytes) else 0
