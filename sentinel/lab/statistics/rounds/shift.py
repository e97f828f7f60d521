"""The ratio of two configurations over the whole tail: a hierarchical shift function. Pure.

After G. A. Rousselet and R. R. Wilcox (2019): percentiles within each round and configuration, their ratio within each
round, and over the rounds a median with a band, percentile by percentile. A round is what a participant is there. The
band is by order statistics, so its coverage is exact and asks for no symmetry; it is pointwise, and said to be.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks
from sentinel.lab.statistics.rounds.decision import MARGIN
from sentinel.lab.statistics.rounds.estimates import logarithms
from sentinel.lab.statistics.rounds.ranks import ERROR
from sentinel.model.histogram import middles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    from sentinel.lab.statistics.rounds.ranks import Floats
    from sentinel.model.histogram import Recorder

SHARES = (0.5, *(round(1 - 10 ** -(step / 8), 6) for step in range(3, 33)))
"""Shares of messages below a percentile, evenly spaced on the axis log 1/(1 - p) from the median on, to 0.9999."""
UNSURE = 0.025
"""A percentile is carried where the largest message lies below it in no more than 2.5 of 100 trials."""
LOWER, HIGHER, EQUAL, OPEN = "lower", "higher", "equal", "open"
"""What the rounds say of a percentile; equal: the whole band lies within ± 5 %."""


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
    messages: int
    """Behind the percentiles of the trial that has the fewest."""
    paired: bool = True
    """Whether both were measured in the same rounds; of two sessions they were not."""

    @property
    def n(self) -> int:
        """Rounds that both configurations have; of two sessions those of the first."""
        return int(np.isfinite(self.rounds).all(axis=1).sum())

    @property
    def settled(self) -> bool:
        """Whether there are rounds enough for a band that misses no more often than `ERROR`."""
        return self.n >= rounds_needed() if self.paired else self.coverage >= 1 - ERROR

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
    return Shift(at[kept], np.exp((x - y)[:, kept]), np.exp(middle), low, high, coverage, messages)


def rounds_needed(error: float = ERROR) -> int:
    """How many rounds a band takes, from the lowest to the highest, that misses no more often than `error`."""
    return 1 + math.ceil(math.log2(1 / error))


# -- out of trials ---------------------------------------------------------------------------------------------------


def percentiles(recorder: Recorder, shares: ArrayLike = SHARES) -> Floats:
    """A trial's percentiles.

    Args:
        recorder: Durations in ns.
        shares: Which percentiles, rising, below 1.

    Returns:
        ms, as many as `shares`, each within `RELATIVE_ERROR`; NaN where a percentile is not above zero, or nothing was
        counted.
    """
    full = np.cumsum(recorder.counts)
    ranks_at = np.maximum(1, np.ceil(np.asarray(shares) * len(recorder))) - recorder.zero - recorder.negative
    at = np.minimum(np.searchsorted(full, ranks_at), len(full) - 1)
    return np.where((ranks_at > 0) & (len(recorder) > 0), middles()[at] / 1e6, math.nan)


def between(new: Mapping[int, Recorder], old: Mapping[int, Recorder]) -> Shift:
    """The shift function of two configurations, new ÷ old, out of the rounds that both have.

    Args:
        new: Durations in ns by round.
        old: Likewise.

    Returns:
        Percentiles that are zero or less in some trial are left out; none is left without a common round.
    """
    rounds = sorted(new.keys() & old.keys())
    a, b = (np.array([percentiles(side[n]) for n in rounds]).reshape(-1, len(SHARES)) for side in (new, old))
    known = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    messages = min((len(side[n]) for side in (new, old) for n in rounds), default=0)
    return shift(a[:, known], b[:, known], messages, np.array(SHARES)[known])


# -- what it says ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stretch:
    """Neighbouring percentiles of which the rounds say the same."""

    word: str
    """`LOWER`, `HIGHER`, `EQUAL` or `OPEN`."""
    first: float
    """The lowest of them, as a share of messages below."""
    last: float
    """The highest."""
    ratios: tuple[float, float]
    """Smallest and largest median ratio within."""


def stretches(values: Shift) -> list[Stretch]:
    """What the rounds say along the percentiles, from the lowest to the highest.

    Args:
        values: A shift function. Of a band of too few rounds it is said too, for its rounds.

    Returns:
        Stretches that follow each other. A percentile that stands alone in what it says is `OPEN`: the band is
        pointwise, and misses somewhere.
    """
    return [_stretch(values, *run) for run in _runs(_settled(_words(values)))]


def _words(values: Shift) -> list[str]:
    low, high = values.low, values.high
    equal = (low >= 1 / (1 + MARGIN)) & (high <= 1 + MARGIN)
    return [str(word) for word in np.select([equal, high < 1, low > 1], [EQUAL, LOWER, HIGHER], OPEN)]


def _settled(words: list[str]) -> list[str]:
    """Without lone ones."""
    kept = list(words)
    for _, first, last in _runs(words):
        if first == last:
            kept[first] = OPEN
    return kept


def _runs(words: list[str]) -> list[tuple[str, int, int]]:
    """Every run of equal words: the word, the places of its first and of its last."""
    runs, at = [], 0
    for word, group in groupby(words):
        length = len(list(group))
        runs.append((word, at, at + length - 1))
        at += length
    return runs


def _stretch(values: Shift, word: str, first: int, last: int) -> Stretch:
    ratios = values.ratio[first : last + 1]
    ends = float(ratios.min()), float(ratios.max())
    return Stretch(word, float(values.shares[first]), float(values.shares[last]), ends)


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
