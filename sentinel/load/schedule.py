"""Intended send times of an open-loop load.

Pure: seeded, no clock. The times are fixed before the first message leaves and do not care how the pipeline fares;
that is what keeps a stall from vanishing out of the percentiles (coordinated omission).
Times are ns from the start of the schedule, sorted, each with the source that sends then. All loops have the same mean
rate: `constant` spreads messages evenly, `poisson` by chance; `bursts` sends at five times the rate for a fifth of
every second and then nothing; `ramp` rises evenly from a tenth of the rate to 1.9 times the rate.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sentinel.errors import SettingsError
from sentinel.settings import BURSTS, CLOSED, LOOPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from sentinel.settings import LoadSettings

SECOND = 1_000_000_000
"""ns."""
PERIOD, DUTY = SECOND, 0.2
"""ns from the beginning of one burst to that of the next, about: a whole number of them fills the schedule; and the
share of it that a burst takes, at five times the rate."""
FLATTEST = 0.1
"""Share of the rate with which a ramp begins; it ends with `2 - FLATTEST` times the rate."""
SLICE = 20_000_000
"""ns of schedule made at a time: an hour needs no more memory than a second, and nothing is held up for long."""


OPEN = tuple(loop for loop in LOOPS if loop != CLOSED)
"""The loops that have a schedule."""


class Slice(NamedTuple):
    """A part of the schedule: parallel arrays."""

    times: NDArray[np.int64]
    """ns from the schedule's start, strictly increasing."""
    sources: NDArray[np.int64]
    """Which source sends, from 0."""


class Schedule:
    """`rate` messages per second over all `sources` together for `duration` seconds, given out in slices.

    Args:
        loop: one of `LOOPS`, but not the closed one.
        sources: how many there are.
        rate: messages per second, all sources together.
        duration: seconds.
        seed: of the chance by which times and sources are drawn.

    Raises:
        SettingsError: the loop has no schedule.
    """

    def __init__(self, loop: str, sources: int, rate: float, duration: float, seed: int) -> None:
        if loop not in OPEN:
            raise SettingsError(f"loop={loop!r} has no schedule: expected one of {', '.join(OPEN)}")
        self._loop = loop
        self._sources = sources
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
        if self._loop == "poisson":
            times = self._poisson(end)
            sources = self._random.integers(0, self._sources, len(times))
        else:
            times = self._constant(end) if self._loop == "constant" else self._bent(end)
            sources = np.arange(self._sent, self._sent + len(times)) % self._sources
        self._sent += len(times)
        self._until = end
        return Slice(times, sources)

    def _constant(self, end: int) -> NDArray[np.int64]:
        count = int(np.ceil(end * self._rate / 1e9))
        return (np.arange(self._sent, count) * 1e9 / self._rate).astype(np.int64)

    def _bent(self, end: int) -> NDArray[np.int64]:
        """The times of a constant load, moved by the loop's own clock; all those before `end`."""
        bend, straight = _CLOCKS[self._loop]
        # Rounding may put a message on either side of the end: two more are tried than should fall before it.
        last = min(self._end, straight(end, self._end) + 2e9 / self._rate)
        even = np.arange(self._sent, int(np.ceil(last * self._rate / 1e9))) * 1e9 / self._rate
        times = np.minimum(bend(even.astype(np.float64), self._end).astype(np.int64), self._end - 1)
        return times[: np.searchsorted(times, end)]

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


def _in_bursts(even: NDArray[np.float64], whole: int) -> NDArray[np.float64]:
    period = _period(whole)
    bursts, within = np.divmod(even, period)
    moments: NDArray[np.float64] = period * bursts + DUTY * within
    return moments


def _out_of_bursts(moment: float, whole: int) -> float:
    bursts, within = divmod(moment, _period(whole))
    return _period(whole) * (bursts + min(1.0, within / _period(whole) / DUTY))


def _period(whole: int) -> float:
    return whole / max(1, round(whole / PERIOD))


def _on_a_ramp(even: NDArray[np.float64], whole: int) -> NDArray[np.float64]:
    rise = 2 * (1 - FLATTEST)
    moments: NDArray[np.float64] = whole * (np.sqrt(FLATTEST**2 + 2 * rise * even / whole) - FLATTEST) / rise
    return moments


def _off_a_ramp(moment: float, whole: int) -> float:
    return FLATTEST * moment + (1 - FLATTEST) * moment**2 / whole


_Clock = tuple[
    "Callable[[NDArray[np.float64], int], NDArray[np.float64]]",
    "Callable[[float, int], float]",
]
_CLOCKS: Mapping[str, _Clock] = {BURSTS: (_in_bursts, _out_of_bursts), "ramp": (_on_a_ramp, _off_a_ramp)}
"""By loop, of a schedule so many ns long: when a message falls due that a constant load would have sent then, and back;
all in ns."""


def due(settings: LoadSettings, since: float, until: float) -> float:
    """Messages of an open loop that fall due between two moments, on average.

    Args:
        settings: the load.
        since: the first moment, in seconds from the schedule's start.
        until: the second.
    """
    if settings.loop not in _CLOCKS:
        return settings.rate * (until - since)
    straight, whole = _CLOCKS[settings.loop][1], round(settings.duration * 1e9)
    return settings.rate * (straight(until * 1e9, whole) - straight(since * 1e9, whole)) / 1e9


def shares(settings: LoadSettings, processes: int) -> list[LoadSettings]:
    """Split a load over several processes: sources, rate and count in proportion.

    Args:
        settings: the load as a whole.
        processes: parts wanted.

    Returns:
        One load for each process; fewer than `processes` where there are fewer sources or messages.
    """
    processes = min(processes, settings.emitters)
    bounds = [settings.emitters * n // processes for n in range(processes + 1)]
    counts = [settings.count * b // settings.emitters for b in bounds]
    parts = [
        replace(
            settings,
            workers=max(
                1, settings.workers * last // settings.emitters - settings.workers * first // settings.emitters
            ),
            sources=last - first if settings.sources else 0,
            first_source=settings.first_source + first,
            rate=settings.rate * (last - first) / settings.emitters,
            count=counts[n + 1] - counts[n],
        )
        for n, (first, last) in enumerate(pairwise(bounds))
    ]
    # A count of 0 would mean: by rate and duration.
    return [part for part in parts if part.count or not settings.count]
