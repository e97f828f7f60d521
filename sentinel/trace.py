"""What is followed of every message, taken down a read at a time while its samples are at hand.

Pure. Three numbers a message, in arrays: the samples can go at once instead of being kept until the store's answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentinel.sample import series

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from numpy.typing import NDArray

    from sentinel.sample import Sample


class Trace(NamedTuple):
    """Parallel arrays, an element a message."""

    sent: NDArray[np.int64]
    """Intended send, ns since the epoch; 0 where the sender gave none."""
    slots: NDArray[np.int64]
    """A small number for the source."""
    numbers: NDArray[np.int64]
    """The source's own sequence number; -1 where it gave none."""

    def part(self, start: int, stop: int) -> Trace:
        """Of the messages from `start` up to but without `stop`."""
        return Trace(self.sent[start:stop], self.slots[start:stop], self.numbers[start:stop])


class Tracer:
    """Makes traces; gives every source a slot when it first appears, always the same."""

    def __init__(self) -> None:
        self._slots = _Slots()

    def __call__(self, samples: Sequence[Sample]) -> Trace:
        """The trace of some messages, in order."""
        slots = self._slots
        return Trace(
            np.array([s.sent for s in samples], dtype=np.int64),
            np.array([slots[source] for source in series(samples)], dtype=np.int64),
            _numbers(samples),
        )


def _numbers(samples: Sequence[Sample]) -> NDArray[np.int64]:
    try:
        return np.array([s.seq for s in samples], dtype=np.int64)
    except TypeError:  # some have none: the array finds out sooner than a search
        return np.array([-1 if s.seq is None else s.seq for s in samples], dtype=np.int64)


class _Slots(dict["Hashable", int]):
    def __missing__(self, source: Hashable) -> int:
        self[source] = len(self)
        return self[source]
