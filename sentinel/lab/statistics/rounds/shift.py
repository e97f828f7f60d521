"""The ratio of two configurations over the whole tail: a hierarchical shift function. Pure.

After G. A. Rousselet and R. R. Wilcox (2019): percentiles within each round and configuration, their ratio within each
round, and over the rounds a median with a band, percentile by percentile. A round is what a participant is there. The
band is by order statistics, so its coverage is exact and asks for no symmetry; it is pointwise, and said to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks
from sentinel.lab.statistics.rounds.estimates import logarithms
from sentinel.lab.statistics.rounds.ranks import ERROR

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sentinel.lab.statistics.rounds.ranks import Floats

SHARES = tuple(round(1 - 10 ** -(step / 8), 6) for step in range(2, 33))
"""Shares of messages below a percentile, evenly spaced on the axis log 1/(1 - p): from 0.44 to 0.9999."""
UNSURE = 0.025
"""A percentile is carried where the largest message lies below it in no more than 2.5 of 100 trials."""


@dataclass(frozen=True)
class Shift:
    """a ÷ b over percentiles; the arrays are as long as `shares`."""

    shares: Floats
    """Of messages below: 0.99 is the p99."""
    rounds: Floats
    """Every round's ratios, (rounds, shares): thin lines."""
    ratio: Floats
    """Their medians."""
    low: Floats
    high: Floats
    """The pointwise band; NaN of too few rounds for any."""
    coverage: float
    """Share of experiments in which the band holds the true median at one percentile, exact; 0 without a band."""

    @property
    def axis(self) -> Floats:
        """Where the percentiles stand: 1 ÷ (1 - p), for a logarithmic axis."""
        return np.asarray(1 / (1 - self.shares))

    @property
    def sure(self) -> NDArray[np.bool_]:
        """At which percentiles the band excludes 1."""
        return (self.low > 1) | (self.high < 1)


def carried(share: float, messages: int) -> bool:
    """Whether so many messages of a trial carry a percentile: `share` to that power is the risk of missing it."""
    return messages > 0 and share**messages <= UNSURE


def shift(a: ArrayLike, b: ArrayLike, messages: int, shares: ArrayLike = SHARES, *, error: float = ERROR) -> Shift:
    """The shift function of two configurations.

    Args:
        a: Percentiles of one, (rounds, shares), positive.
        b: Percentiles of the other, of the same rounds.
        messages: Behind the percentiles of the trial that has the fewest; what they do not carry is left out.
        shares: Which percentiles they are, rising, below 1.
        error: Share of experiments in which the band may miss at one percentile. Of rounds too few for that, the band
            runs from the lowest to the highest, and `coverage` says how often it holds.

    Raises:
        ValueError: If the arrays do not fit each other, or a value is not positive.
    """
    at = np.asarray(shares, float)
    x, y = logarithms(a), logarithms(b)
    if x.shape != y.shape or x.shape[1] != len(at):
        raise ValueError(f"percentiles of {x.shape} and {y.shape} do not fit each other and {len(at)} shares")
    kept = np.array([carried(share, messages) for share in at], bool)
    apart = (x - y)[:, kept]
    apart = np.sort(apart[np.isfinite(apart).all(axis=1)], axis=0)
    low, high, coverage = _band(apart, error)
    middle = np.median(apart, axis=0) if len(apart) else np.full(kept.sum(), math.nan)
    return Shift(at[kept], np.exp((x - y)[:, kept]), np.exp(middle), low, high, coverage)


def _band(ordered: Floats, error: float) -> tuple[Floats, Floats, float]:
    """From columns that are sorted, (rounds, shares): order statistics of the sign test."""
    nothing = np.full(ordered.shape[1], math.nan)
    if len(ordered) < 2:
        return nothing, nothing, 0.0
    chances = sign(len(ordered))
    cut = max(1, ranks.cut(chances, error))
    return np.exp(ordered[cut - 1]), np.exp(ordered[-cut]), 1 - ranks.missed(chances, cut)


def sign(n: int) -> Floats:
    """The probabilities of 0 … n values above their median."""
    return np.array([math.comb(n, k) for k in range(n + 1)]) / 2.0**n
