"""What is followed of every message, taken down a read at a time while its samples are at hand.

Pure. Three numbers a message, packed: the samples can go at once instead of being kept until the store's answer, and
what waits for it takes 24 bytes a message, less than lists of numbers do.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from sentinel.model.sample import MOST_SERIES

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from sentinel.model.sample import Columns, Sample

NUMBER = 8
"""Bytes of a packed number: 64 bits, this machine's order."""
NAMED = 1 << 32
"""Sources that are a number alone keep it; those with a name are numbered from here."""
UNFOLLOWED = -1


class Trace(NamedTuple):
    """Parallel columns of packed numbers, one a message."""

    times: bytes
    """Of the points, ns since the epoch: the intended send; negative where the sender gave none but only seconds."""
    sources: bytes
    """A number for the source, always the same; `UNFOLLOWED` for one of too many."""
    numbers: bytes
    """The source's own sequence number; -1 where it gave none."""

    def part(self, start: int, stop: int) -> Trace:
        """The trace of the messages from `start` up to but without `stop`."""
        if start == 0 and NUMBER * stop >= len(self.times):
            return self
        return Trace(*(column[NUMBER * start : NUMBER * stop] for column in self))


NOTHING = Trace(b"", b"", b"")


class Tracer:
    """Makes traces; numbers the sources that have a name."""

    def __init__(self) -> None:
        self._named = _Numbering()

    def __call__(self, samples: Sequence[Sample], known: Columns) -> Trace:
        """The trace of some messages, in order, of which `known` are the columns."""
        return Trace(_packed(_times(known)), self._sources(known.series), _numbers(samples))

    def _sources(self, series: Sequence[Hashable]) -> bytes:
        try:
            return _packed(series)  # type: ignore[arg-type]
        except struct.error:  # some are no numbers
            return _packed([key if isinstance(key, int) else self._named[key] for key in series])


def _times(known: Columns) -> Sequence[int]:
    if all(known.sent):
        return known.sent
    return [sent or -int(time) for sent, time in zip(known.sent, known.numbers[2::3], strict=True)]


def _packed(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"{len(numbers)}q", *numbers)


def _numbers(samples: Sequence[Sample]) -> bytes:
    try:
        return _packed([s.seq for s in samples])  # type: ignore[misc]
    except struct.error:  # some have none: packing finds out sooner than a search
        return _packed([-1 if s.seq is None else s.seq for s in samples])


class _Numbering(dict["Hashable", int]):
    def __missing__(self, name: Hashable) -> int:
        if len(self) >= MOST_SERIES:  # a hostile sender must not fill the memory with names
            return UNFOLLOWED
        self[name] = NAMED + len(self)
        return self[name]
