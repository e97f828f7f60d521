"""Points of one series and one time, of which a store keeps the last: followed a batch at a time.

Pure. While the times of every series rise nothing is overwritten, and a comparison with each series' latest time shows
that in arrays. Only a batch in which one does not is compared with the last `REMEMBERED` messages.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

from sentinel.consumer.measuring.sequences import NEAR, QUICK, grown
from sentinel.consumer.measuring.slots import Slots
from sentinel.model.sample import MOST_SERIES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]

REMEMBERED = 50_000
"""Messages, 1.2 MB of them, that a time that does not rise is compared with."""
_SERIES, _NUMBER = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
"""Odd factors that spread small numbers over 64 bits."""


class Overwrites:
    """Counts points that overwrote another one, within what is remembered. A message that comes again does not count.

    What comes again is known by its sequence number: a message without one counts, as it cannot be told.
    """

    def __init__(self) -> None:
        self.count = 0
        self._near: Integers = np.zeros(64, dtype=np.int64)
        """The latest time of each series whose number is below `NEAR`; an array is quicker than a mapping."""
        self._slots = Slots(MOST_SERIES)
        """The slots of the others…"""
        self._far: Integers = np.zeros(64, dtype=np.int64)
        """…and the latest time of each slot."""
        self._recent: deque[Integers] = deque()
        """Batches as rows of series, times and numbers, oldest first."""
        self._remembered = 0

    def see(self, series: Integers, times: Integers, numbers: Integers) -> None:
        """Follow messages, given in the order received as parallel arrays.

        Args:
            series: number of the series of each, from 0.
            times: ns since the epoch.
            numbers: sequence number of each; -1 where there is none.
        """
        if not len(series):
            return
        batch = np.array([series, times, numbers])
        if not self._all_later(series, times):
            before = np.concatenate([*self._recent, batch[:, :0]], axis=1)
            self.count += _overwritten(np.concatenate([before, batch], axis=1)) - _overwritten(before)
        self._recent.append(batch)
        self._remembered += len(series)
        while self._remembered - self._recent[0].shape[1] >= REMEMBERED:
            self._remembered -= self._recent.popleft().shape[1]

    def _all_later(self, series: Integers, times: Integers) -> bool:
        """Whether each message is later than all before it of its series; notes the latest of each."""
        # Numbers of 16 bits are sorted by radix.
        order = np.argsort(series.astype(np.uint16) if int(series.max()) < QUICK else series, kind="stable")
        series, times = series[order], times[order]
        starts = np.flatnonzero(np.r_[True, series[1:] != series[:-1]])
        rises = times[1:] > times[:-1]
        rises[starts[1:] - 1] = True
        different = series[starts]
        far = different >= NEAR
        near, slots = different[~far], self._far_slots(different[far])
        self._near = grown(self._near, int(near.max(initial=0)) + 1, 0)
        before = np.empty_like(different)
        before[~far], before[far] = self._near[near], np.where(slots < 0, 0, self._far[slots])
        latest = np.maximum(before, np.maximum.reduceat(times, starts))
        self._near[near], self._far[slots[slots >= 0]] = latest[~far], latest[far][slots >= 0]
        return bool(rises.all() and (times[starts] > before).all())

    def _far_slots(self, series: Integers) -> Integers:
        if not len(series):
            return series
        slots = self._slots.of(series)
        if self._slots.full and (slots < 0).any():  # a hostile sender must not fill the memory: all begin anew
            self._slots.clear()
            slots = self._slots.of(series)
            self._far[:] = 0
        self._far = grown(self._far, self._slots.count, 0)
        return slots


def _overwritten(messages: Integers) -> int:
    """Of rows of series, times and numbers: how many different messages there are less how many places in the store."""
    series, times, numbers = messages.astype(np.uint64)
    places = series * _SERIES ^ times
    numbered = messages[2] >= 0
    different = np.unique(places[numbered] ^ (numbers[numbered] + np.uint64(1)) * _NUMBER)
    return len(different) + int((~numbered).sum()) - len(np.unique(places))
