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

if TYPE_CHECKING:
    from collections.abc import Sequence

BAND = 0.05
"""Differences below 5 % are of no practical interest here."""
WIDE = 0.2
"""Noise floor beyond which an interval within it is no proof of "no difference": there is room for a real one."""
CONFIDENCE = 0.95
ENOUGH = 5
"""Trials a side from which the interval of a ratio has its nominal coverage; of three a side, it covers 90 of 100."""


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
    from scipy import stats

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
    if n == 1:
        return "no intervals, single trials having none"
    sure = 90 if n > 2 else 67  # two draws of two lie wholly apart in 2 of the 6 ways to share four places
    return f"bootstrap intervals (from best to worst, {n} trials being few: about {sure} % confidence)"


def noise(a: Sequence[float], control: Sequence[float]) -> float:
    """The noise floor, less one: by which factor two sets of trials of one and the same configuration lie apart.

    Of their medians, whichever is larger, and `BAND` at least; single outliers widen the ratio's interval, not this.
    """
    if not a or not control or not statistics.median(a) or not statistics.median(control):
        return BAND
    apart = statistics.median(control) / statistics.median(a)
    return max(BAND, apart - 1, 1 / apart - 1)


def floor(band: float) -> str:
    """The factor that a difference must exceed either way: `1.10×`."""
    return f"{_short(1 + band)}×"


def beyond(band: float, *, measured: bool = True) -> str:
    """What a difference must exceed, in words; `measured`: whether an A/A leg of one configuration showed it."""
    return f"A/A noise floor {floor(band)}" if measured else f"up to {floor(band)} counts as no difference"


def verdict(value: Ratio, band: float = BAND, *, higher_is_better: bool = True) -> str:
    """`better`, `worse`, `no difference` or `cannot tell`: where the whole interval lies.

    Beyond the noise floor, from 1 ÷ (1 + band) to 1 + band, it is a difference, however high the floor. Within the
    floor it is none, unless the floor itself is `WIDE`: then run-to-run variation hides what there may be.
    """
    if not value.known:
        return "cannot tell"
    low, high = 1 / (1 + band), 1 + band
    if value.low > high:
        return "better" if higher_is_better else "worse"
    if value.high < low:
        return "worse" if higher_is_better else "better"
    within = value.low >= low and value.high <= high
    return "no difference" if within and band <= WIDE else "cannot tell"


def hidden(value: Ratio, band: float) -> bool:
    """Whether run-to-run variation alone hides what a ratio with an interval may be."""
    return value.known and band > WIDE and verdict(value, band) == "cannot tell"
