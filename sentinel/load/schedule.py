"""Intended send times of an open-loop load.

Pure: seeded, no clock. The times are fixed before the first message leaves and do not care how the pipeline fares;
that is what keeps a stall from vanishing out of the percentiles (coordinated omission).
Times are ns from the start of the schedule, sorted, each with the source that sends then.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentinel.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sentinel.settings import LoadSettings

LOOPS = ("constant", "poisson", "closed")
SLICE = 20_000_000
"""ns of schedule made at a time: an hour needs no more memory than a second, and nothing is held up for long."""


class Slice(NamedTuple):
    """A part of the schedule: parallel arrays."""

    times: NDArray[np.int64]
    """ns from the schedule's start, strictly increasing."""
    sources: NDArray[np.int64]
    """Which source sends, 0 … workers - 1."""


class Schedule:
    """`rate` messages per second over all `workers` together for `duration` seconds, given out in slices.

    Args:
        loop: `constant` or `poisson`.
        workers: number of sources.
        rate: messages per second, all sources together.
        duration: seconds.
        seed: of the chance by which times and sources are drawn.

    Raises:
        SettingsError: the loop has no schedule.
    """

    def __init__(self, loop: str, workers: int, rate: float, duration: float, seed: int) -> None:
        if loop not in ("constant", "poisson"):
            raise SettingsError(f"loop={loop!r} has no schedule: expected constant or poisson")
        self._loop = loop
        self._workers = workers
        self._rate = rate
        self._end = round(duration * 1e9)
        self._random = np.random.default_rng(seed)
        self._sent = 0
        self._until = 0
        self._last = -1

    def slices(self) -> Iterator[int]:
        """Ends of the slices, ns after the start; the last one is the schedule's own end."""
        yield from range(SLICE, self._end, SLICE)
        yield self._end

    def until(self, end: int) -> Slice:
        """Give out all that falls due before `end` (ns after the start) and was not given out yet."""
        if self._loop == "constant":
            times = self._constant(end)
            sources = np.arange(self._sent, self._sent + len(times)) % self._workers
        else:
            times = self._poisson(end)
            sources = self._random.integers(0, self._workers, len(times))
        self._sent += len(times)
        self._until = end
        return Slice(times, sources)

    def _constant(self, end: int) -> NDArray[np.int64]:
        count = int(np.ceil(end * self._rate / 1e9))
        return (np.arange(self._sent, count) * 1e9 / self._rate).astype(np.int64)

    def _poisson(self, end: int) -> NDArray[np.int64]:
        """A Poisson process has uniform times, given their number; so slices can be drawn one by one."""
        length = end - self._until
        count = self._random.poisson(length * self._rate / 1e9)
        times = np.sort(self._random.integers(self._until, end, count))
        # Two on one ns would share a key in the store if one source sent both: push on by 1 ns where needed.
        steps = np.arange(1, count + 1)
        times = np.maximum.accumulate(np.maximum(times, self._last + steps) - steps) + steps
        self._last = int(times[-1]) if count else self._last
        return times


def shares(settings: LoadSettings, processes: int) -> list[LoadSettings]:
    """Split a load over several processes: sources, rate and count in proportion.

    Args:
        settings: the load as a whole.
        processes: parts wanted.

    Returns:
        One load for each process; fewer than `processes` where there are fewer sources or messages.
    """
    processes = min(processes, settings.workers)
    bounds = [settings.workers * n // processes for n in range(processes + 1)]
    counts = [settings.count * b // settings.workers for b in bounds]
    parts = [
        replace(
            settings,
            workers=last - first,
            first_source=settings.first_source + first,
            rate=settings.rate * (last - first) / settings.workers,
            count=counts[n + 1] - counts[n],
        )
        for n, (first, last) in enumerate(pairwise(bounds))
    ]
    # A count of 0 would mean: by rate and duration.
    return [part for part in parts if part.count or not settings.count]
