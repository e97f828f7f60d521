"""What is followed of every message, taken down a read at a time while its samples are at hand.

Pure. Three numbers a message, packed: the samples can go at once instead of being kept until the store's answer, and
what waits for it takes 24 bytes a message, less than lists of numbers do; 32 where messages have tags.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from sentinel.model.sample import source_of

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from sentinel.model.sample import Columns, Sample

NUMBER = 8
"""Bytes of a packed number: 64 bits, this machine's order."""
NAMED = 1 << 32
"""Sources that are a number alone keep it; those with a name have one from here, made of the name: nothing remembers
names, however many there are. Two of a million sources share one with a chance of 10⁻⁷."""
MANY = (1 << 62) - 1
"""How many numbers there are for names."""


class Trace(NamedTuple):
    """Parallel columns of packed numbers, one a message."""

    times: bytes
    """Of the points, ns since the epoch: the intended send; negative where the sender gave none but only seconds."""
    sources: bytes
    """A number for the source, always the same."""
    numbers: bytes
    """The source's own sequence number; -1 where it gave none."""
    series: bytes = b""
    """A number for the point's series, where tags tell more series apart than there are sources; else empty."""

    def part(self, start: int, stop: int) -> Trace:
        """The trace of the messages from `start` up to but without `stop`."""
        if start == 0 and NUMBER * stop >= len(self.times):
            return self
        return Trace(*(column[NUMBER * start : NUMBER * stop] for column in self))

    @property
    def places(self) -> bytes:
        """A number for the point's series, always."""
        return self.series or self.sources


NOTHING = Trace(b"", b"", b"")


class Tracer:
    """Makes traces; a source's number is the same in all of one process."""

    def __call__(self, samples: Sequence[Sample], known: Columns) -> Trace:
        """The trace of some messages, in order, of which `known` are the columns."""
        times, numbers = _packed(_times(known)), _numbers(samples)
        if not known.tagged:
            return Trace(times, _numbered(known.series), numbers)
        return Trace(times, _numbered(list(map(source_of, known.series))), numbers, _numbered(known.series))


def _numbered(keys: Sequence[Hashable]) -> bytes:
    try:
        return _packed(keys)  # type: ignore[arg-type]
    except struct.error:  # some are no numbers
        return _packed([key if isinstance(key, int) else NAMED + (hash(key) & MANY) for key in keys])


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
