"""Batches: what is read is gathered here until it is due, by count or by age.

Pure: the time is an argument. `add` and `due` return what should be written; the loop that called them writes it.
A batch keeps, beside the points, what is needed to answer for every message of it: its id on the bus, its payload,
the times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.trace import Trace


class Read(NamedTuple):
    """Messages that one read of the bus returned, in order."""

    ids: Sequence[bytes]
    """Stream entry ids, parallel to the payloads; empty on Pub/Sub."""
    payloads: Sequence[bytes]
    at: int
    """When the read from the socket returned, ns since the epoch."""


@dataclass(slots=True)
class Batch:
    """Points on their way to the store. The first three lists run parallel, one entry a message."""

    ids: list[bytes] = field(default_factory=list)
    """Stream entry ids; empty on Pub/Sub."""
    payloads: list[bytes] = field(default_factory=list)
    points: list[Any] = field(default_factory=list)
    """Lines (str), or influxdb-client Points, as the configuration says."""
    traces: list[Trace] = field(default_factory=list)
    """Of each read that went in, or of the part that did."""
    reads: list[tuple[int, int, int]] = field(default_factory=list)
    """(messages, read at, batched at) of each read that went in; times in ns since the epoch."""

    def __len__(self) -> int:
        return len(self.points)


class Batcher:
    """Gathers reads into batches of at most `size` points, due once their oldest is `max_age` ns old."""

    def __init__(self, size: int, max_age: int) -> None:
        self.size = size
        self.max_age = max_age
        self._batch = Batch()
        self._since = 0

    def __len__(self) -> int:
        return len(self._batch)

    def add(self, read: Read, points: Sequence[Any], trace: Trace, now: int) -> list[Batch]:
        """Take one read in, with the point and the trace of each message; returns the batches that it filled."""
        full = []
        start, end = 0, len(points)
        while start < end:
            batch = self._batch
            if not batch.points:
                self._since = now
            stop = min(end, start + self.size - len(batch.points))
            batch.ids += read.ids[start:stop]
            batch.payloads += read.payloads[start:stop]
            batch.points += points[start:stop]
            batch.traces.append(trace.part(start, stop))
            batch.reads.append((stop - start, read.at, now))
            start = stop
            if len(batch.points) >= self.size:
                full.append(self.take())
        return full

    def due(self, now: int) -> Batch | None:
        """The batch, if it has waited long enough."""
        return self.take() if self._batch.points and now - self._since >= self.max_age else None

    def wait(self, now: int) -> int | None:
        """ns until the batch falls due (0 if it is); None while there is none."""
        return max(0, self._since + self.max_age - now) if self._batch.points else None

    def take(self) -> Batch:
        """The batch as it is, due or not."""
        batch, self._batch = self._batch, Batch()
        return batch
