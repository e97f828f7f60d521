"""Slots: places in arrays, given to numbers as they come. Pure.

A mapping of Python objects takes some 150 bytes a number and a look at each; this one takes 24 to 48 bytes, and looks
at all numbers of a batch together. Where a number lies depends on Python's own secret of the process, so that nobody
can choose numbers that all lie in one place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

FREE = -1
"""In place of a number where there is none."""
LEAST = 10
"""Bits of the smallest table's size."""


class Slots:
    """Gives each number a slot of its own, from 0 on, until `most` have one.

    Args:
        most: numbers that get a slot.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._factor = np.uint64(hash("slots") & 2**64 - 1 | 1)
        self.clear()

    def clear(self) -> None:
        """Take all slots back."""
        self.count = 0
        """Numbers that have a slot."""
        self._empty(LEAST)

    @property
    def full(self) -> bool:
        """Whether no further number gets a slot."""
        return self.count >= self._most

    def of(self, numbers: Integers) -> Integers:
        """The slot of each number, given to those that are new; -1 for those beyond the most.

        Args:
            numbers: from 0.
        """
        slots = self._slots[self._places(numbers)].astype(np.int64)
        if self.full or not (new := slots < 0).any():
            return slots
        different = np.unique(numbers[new])[: self._most - self.count]
        self._give(different, np.arange(self.count, self.count + len(different)))
        self.count += len(different)
        return self._slots[self._places(numbers)].astype(np.int64)

    def _empty(self, bits: int) -> None:
        self._bits = bits
        self._numbers: Integers = np.full(1 << bits, FREE, dtype=np.int64)
        self._slots: NDArray[np.int32] = np.full(1 << bits, -1, dtype=np.int32)

    def _places(self, numbers: Integers) -> Integers:
        """Where each number lies in the table, or the free place where it would."""
        mixed = numbers.astype(np.uint64) * self._factor >> np.uint64(64 - self._bits)
        places, last = mixed.astype(np.int64), (1 << self._bits) - 1
        searching = np.arange(len(numbers))
        while len(searching):
            there = self._numbers[places[searching]]
            searching = searching[(there != FREE) & (there != numbers[searching])]
            places[searching] = places[searching] + 1 & last
        return places

    def _give(self, numbers: Integers, slots: Integers) -> None:
        """Enter different new numbers in the table, which is half full at most."""
        bits = max(self._bits, int(2 * (self.count + len(numbers)) - 1).bit_length())
        if bits > self._bits:
            there = self._numbers != FREE
            numbers, slots = np.r_[self._numbers[there], numbers], np.r_[self._slots[there], slots]
            self._empty(bits)
        while len(numbers):
            places = self._places(numbers)
            self._numbers[places] = numbers
            won = self._numbers[places] == numbers  # of those that want one place one gets it
            self._slots[places[won]] = slots[won]
            numbers, slots = numbers[~won], slots[~won]
