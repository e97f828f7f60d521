"""The sources' own numbers, followed a batch at a time: what was lost, duplicated, reordered.

Pure. Apart from `ledger` because it needs numpy, which an agent should not have to load (docs/measurements.md: numpy).
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sentinel.consumer.measuring.slots import Slots
from sentinel.model.sample import MOST_SERIES, RUN

if TYPE_CHECKING:
    from numpy.typing import NDArray


QUICK = 1 << 16
"""So many slots are sorted by radix."""
NEAR = 1 << 20
"""Sources below this number find their slot in an array, which grows with the highest of them: all that is followed of
such a source takes 40 bytes, and up to 40 more while the arrays have grown for others. The others, most of them hosts
with a name, take 88 to 176 bytes each, however long the name is."""


MOST_RATE = 1_000_000
"""Messages a second that no source exceeds: a number further ahead than that allows is a jump, not a loss; and of a
sender that draws its runs, one that is `RUN` ahead."""
OTHERS = 8
"""Further sequences of a source that are remembered, for what comes late or from two senders at once."""


class Gap(NamedTuple):
    """Sequence numbers not seen yet, `first` up to but without `end`."""

    first: int
    end: int


class _Sequence(NamedTuple):
    """Of one run of a source."""

    first: int
    """The first number seen."""
    expected: int
    """The one after the highest seen."""
    gaps: list[Gap]

    def holds(self, number: int) -> bool:
        """Whether the number is of this run: a little ahead at most, and no run's beginning."""
        ahead = number - self.expected
        return self.first - self.first % RUN <= number and (ahead <= 0 or (ahead < RUN and number % RUN > 0))

    @property
    def lost(self) -> int:
        """Skipped and not seen since; what came before the first seen is not lost."""
        return sum(gap.end - gap.first for gap in self.gaps if gap.first >= self.first)


def grown(array: NDArray[Any], size: int, fill: float) -> NDArray[Any]:
    """The array, or one that holds at least `size` values and begins with it; a growing one is at least doubled."""
    more = max(size, 2 * len(array)) - len(array)
    return array if size <= len(array) else np.concatenate([array, np.full(more, fill, dtype=array.dtype)])


def _begun(first: int, expected: int) -> _Sequence:
    start = first - first % RUN
    return _Sequence(first, expected, [Gap(start, first)] if first > start else [])


class Sequences:
    """Follows every source's sequence numbers, a batch at a time; `NEAR` sources and `MOST_SERIES` others at most.

    The common case, each source going on where it stopped, is checked in arrays; only sources
    that jumped are walked one by one. A source counts from its first number seen: a consumer that joins late has not
    lost what came before. Several consumers of one group each see a part of every source: there gaps are no loss.

    A sender's run numbers from a multiple of `RUN` that it draws, so the next run of the same sources is a new
    sequence, at no cost for messages in turn and within the 32 bits that both codecs have. A sender that numbers from 0
    each time looks like one that sends again: its messages are duplicated.
    """

    def __init__(self) -> None:
        self._count = 0
        """Sources that have a slot, their place in the arrays."""
        self._near: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        """The slot of each source below `NEAR`; -1 where it has none."""
        self._far = Slots(MOST_SERIES)
        """Those of the others are numbered by themselves…"""
        self._beyond: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        """…and find their slot in here."""
        self._expected: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        self._first: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        self._gaps: dict[int, list[Gap]] = {}
        """Of the slots whose numbers were ever out of turn."""
        self._others: dict[int, list[_Sequence]] = {}
        """Of each source the sequences put aside, oldest first; the one followed now is in the arrays."""
        self._lost = 0
        """Of sequences no longer remembered."""
        self._leapt: dict[int, int] = {}
        """The number that a source jumped to, until it goes on from there or does not."""
        self._seen: NDArray[np.float64] = np.zeros(64)
        """When each source was last seen (monotonic, seconds)."""
        self._now = 0.0
        self.jumped = 0
        self.duplicated = 0
        self.reordered = 0
        self.unfollowed = 0
        """Messages of sources beyond the most."""

    @property
    def lost(self) -> int:
        """Numbers skipped and not seen since. What a source sent after its last message seen is not known here."""
        known = [self._sequence(slot) for slot in self._gaps]
        known += [other for others in self._others.values() for other in others]
        return self._lost + sum(sequence.lost for sequence in known)

    def see(self, sources: NDArray[np.int64], numbers: NDArray[np.int64], now: float = 0.0) -> None:
        """Follow messages, given in the order received as parallel arrays.

        Args:
            sources: number of the source of each, from 0.
            numbers: sequence number of each.
            now: monotonic clock, seconds; tells how much a source can have sent since it was last seen.
        """
        if not len(sources):
            return
        self._now = now
        slots = self._slots_of(sources)
        if not (known := slots >= 0).all():
            self.unfollowed += int((~known).sum())
            slots, numbers = slots[known], numbers[known]
        if not len(slots):
            return
        self._make_room(int(slots.max()) + 1)
        # Numbers of 16 bits are sorted by radix, which is quicker (docs/measurements.md: radix).
        order = np.argsort(slots.astype(np.uint16) if len(self._expected) <= QUICK else slots, kind="stable")
        slots, numbers = slots[order], numbers[order]
        starts = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
        ends = np.r_[starts[1:], len(slots)]
        self._start(slots[starts], numbers[starts])
        jumps = np.r_[True, numbers[1:] != numbers[:-1] + 1]
        jumps[starts] = numbers[starts] != self._expected[slots[starts]]
        steady = ~np.logical_or.reduceat(jumps, starts)
        self._expected[slots[starts[steady]]] = numbers[ends[steady] - 1] + 1
        for start, end in zip(starts[~steady], ends[~steady], strict=True):
            for number in numbers[start:end]:
                self._step(int(slots[start]), int(number))
        self._seen[slots[starts]] = now

    def _slots_of(self, sources: NDArray[np.int64]) -> NDArray[np.int64]:
        """The slot of each source; -1 for those beyond the most."""
        near = sources < NEAR
        if near.all():
            return self._near_slots(sources)
        slots = np.full(len(sources), -1, dtype=np.int64)
        if near.any():
            slots[near] = self._near_slots(sources[near])
        slots[~near] = self._far_slots(sources[~near])
        return slots

    def _near_slots(self, sources: NDArray[np.int64]) -> NDArray[np.int64]:
        self._near = grown(self._near, int(sources.max()) + 1, -1)
        return self._given(self._near, sources)

    def _far_slots(self, sources: NDArray[np.int64]) -> NDArray[np.int64]:
        places = self._far.of(sources)
        self._beyond = grown(self._beyond, self._far.count, -1)
        slots = np.full(len(sources), -1, dtype=np.int64)
        slots[places >= 0] = self._given(self._beyond, places[places >= 0])
        return slots

    def _given(self, slots: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The slots at these places; where there is none the next one is given out."""
        if (new := slots[places] < 0).any():
            different = np.unique(places[new])
            slots[different] = self._count + np.arange(len(different))
            self._count += len(different)
        return slots[places]

    def _make_room(self, slots: int) -> None:
        self._expected, self._first = grown(self._expected, slots, -1), grown(self._first, slots, -1)
        self._seen = grown(self._seen, slots, 0.0)

    def _start(self, slots: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        new = self._expected[slots] < 0
        self._seen[slots[new]] = self._now
        self._first[slots[new]] = self._expected[slots[new]] = numbers[new]

    def _sequence(self, slot: int) -> _Sequence:
        first = int(self._first[slot])
        if slot not in self._gaps:
            self._gaps[slot] = _begun(first, first).gaps
        return _Sequence(first, int(self._expected[slot]), self._gaps[slot])

    def _step(self, slot: int, number: int) -> None:
        current = self._sequence(slot)
        sequence = current if number == current.expected else self._belonging(slot, current, number)
        if sequence is None:
            return
        if number < sequence.expected:
            self._behind(sequence.gaps, number)
            return
        if number > sequence.expected:
            sequence.gaps.append(Gap(sequence.expected, number))
        self._leapt.pop(slot, None)
        self._expected[slot] = number + 1

    def _belonging(self, slot: int, current: _Sequence, number: int) -> _Sequence | None:
        """The sequence that a number out of its turn belongs to, followed from now on; None if it is a mere jump."""
        others = self._others.setdefault(slot, [])
        holding = [known for known in (current, *others) if known.holds(number)]
        if holding:
            sequence = max(holding, key=lambda known: known.first)
            if sequence is current:
                return current
            others.remove(sequence)
        elif number % RUN == 0:
            sequence = _begun(number, number)
        elif current.first < RUN and 0 < number - current.expected <= MOST_RATE * (self._now - self._seen[slot]):
            return current  # of a sender that draws no runs; of one that does, a run whose beginning was lost
        elif self._leapt.get(slot) == number - 1:
            sequence = _begun(number - 1, number)
        else:
            self._leapt[slot] = number
            self.jumped += 1
            return None
        others.append(current)
        if len(others) > OTHERS:
            self._lost += others.pop(0).lost
        self._first[slot], self._expected[slot], self._gaps[slot] = sequence
        return sequence

    def _behind(self, gaps: list[Gap], number: int) -> None:
        index = bisect_right(gaps, number, key=lambda gap: gap.first) - 1
        if index < 0 or number >= gaps[index].end:
            self.duplicated += 1
            return
        parts = (Gap(gaps[index].first, number), Gap(number + 1, gaps[index].end))
        gaps[index : index + 1] = [part for part in parts if part.first < part.end]
        self.reordered += 1
