"""Comparisons of repeated trials: ratios with bootstrap intervals, and verdicts that may be "cannot tell".

The trial is the unit, not the message: messages of one run are correlated, and a million of them say no more about
the next run than one. Pure; statistics from scipy.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

BAND = 0.05
"""Differences below 5 % are of no practical interest here."""
WIDEST = 0.5
"""Noise beyond which nothing is concluded at all."""
CONFIDENCE = 0.95
ENOUGH = 5
"""Trials a side from which the interval of a ratio keeps its word; of three a side, 90 of 100 hold the truth."""


@dataclass(frozen=True)
class Ratio:
    """a ÷ b of medians, with its bootstrap interval."""

    value: float
    low: float
    high: float
    n: int
    """Trials on the smaller side."""

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return self.n >= 2 and all(map(math.isfinite, (self.value, self.low, self.high)))

    def __str__(self) -> str:
        if not math.isfinite(self.value):
            return "–"
        if not self.known:
            return f"{_short(self.value)}× (n = {self.n}: no interval)"
        return f"{_short(self.value)}× [{_short(self.low)}, {_short(self.high)}]"


def _short(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.2g}" if value < 0.1 else f"{value:,.{digits}f}"


def ratio(a: Sequence[float], b: Sequence[float], seed: int = 1) -> Ratio:
    """Median of `a` ÷ median of `b`, with the percentile bootstrap interval of that ratio (scipy, 9,999 resamples)."""
    n = min(len(a), len(b))
    if not n or not statistics.median(b):
        return Ratio(math.nan, math.nan, math.nan, n)
    value = statistics.median(a) / statistics.median(b)
    if n < 2 or not all(b):  # resamples of zeros alone would have no ratio
        return Ratio(value, math.nan, math.nan, n)

    def of_medians(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(np.median(x, axis=axis) / np.median(y, axis=axis))

    result = stats.bootstrap(
        (np.asarray(a, float), np.asarray(b, float)),
        of_medians,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return Ratio(value, float(result.confidence_interval.low), float(result.confidence_interval.high), n)


def intervals(n: int) -> str:
    """What the intervals of comparisons of `n` trials a side are, in words."""
    if n >= ENOUGH:
        return f"{100 * CONFIDENCE:.0f} % bootstrap intervals"
    sure = 90 if n > 2 else 67  # two draws of two lie wholly apart in 2 of the 6 ways to share four places
    return f"bootstrap intervals (from best to worst, {n} trials being few: sure in some {sure} % of cases)"


def noise(a: Sequence[float], again: Sequence[float]) -> float:
    """How far apart two sets of trials of one and the same configuration lie: what a difference must exceed.

    The share by which their medians differ, `BAND` at least; single outliers widen the ratio's interval, not this.
    """
    if not a or not again or not statistics.median(a) or not statistics.median(again):
        return BAND
    return max(BAND, abs(statistics.median(again) / statistics.median(a) - 1))


def beyond(band: float, *, measured: bool = True) -> str:
    """What a difference must exceed, in words; `measured`: whether a second leg of one configuration showed it."""
    return f"noise of the day ± {100 * band:.0f} %" if measured else f"± {100 * band:.0f} % counts as no difference"


def verdict(value: Ratio, band: float = BAND, *, higher_is_better: bool = True) -> str:
    """`better`, `worse`, `no difference` or `cannot tell`: where the whole interval lies, against 1 ± band."""
    if not value.known or band > WIDEST:
        return "cannot tell"
    if value.low > 1 + band:
        return "better" if higher_is_better else "worse"
    if value.high < 1 - band:
        return "worse" if higher_is_better else "better"
    if value.low >= 1 - band and value.high <= 1 + band:
        return "no difference"
    return "cannot tell"
