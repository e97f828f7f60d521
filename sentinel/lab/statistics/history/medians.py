"""The interval of a median by order statistics: exact, whatever the distribution. Pure.

The median lies below all of n values, or above all of them, with a chance of 2^-n each: as the sign test has it
(H. A. David, H. N. Nagaraja, Order Statistics, 2003, section 7.1).
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, NamedTuple

from sentinel.lab.statistics.rounds.ranks import ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence


class Interval(NamedTuple):
    """Two of the values, between which the median of all that could have been measured lies."""

    low: float
    high: float
    coverage: float
    """Share of experiments in which it does, at least."""


def interval(values: Sequence[float], error: float = ERROR) -> Interval | None:
    """The narrowest interval that misses in at most `error` of experiments; of too few values, the widest there is.

    Args:
        values: In any order, each measured independently.
        error: Share of intervals that may miss the median.

    Returns:
        The interval; None of fewer than two values.
    """
    n, ordered = len(values), sorted(values)
    if n < 2:
        return None
    left_out = max((k for k in range((n - 1) // 2 + 1) if _missed(n, k) <= error), default=0)
    return Interval(ordered[left_out], ordered[n - 1 - left_out], 1 - _missed(n, left_out))


def _missed(n: int, left_out: int) -> float:
    """How often an interval that leaves out so many values at either end misses the median."""
    return float(2 * sum(comb(n, k) for k in range(left_out + 1)) / 2**n)
