"""The ratio of two configurations over rounds, with an exact interval and an exact p. Pure.

Paired: Hodges–Lehmann estimate of the rounds' log-ratios; interval by order statistics of their Walsh averages, from
the exact signed-rank distribution. It asks that a log-ratio is as likely above the truth as below by the same amount.
Unpaired: median of all differences of logarithms; interval from the exact rank-sum distribution. It asks that the
sides' values differ by a factor alone. Sources: see `ranks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import pairing, ranks
from sentinel.lab.statistics.rounds.ranks import ERROR

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from sentinel.lab.statistics.rounds.ranks import Floats

PAIRED, UNPAIRED = "paired", "unpaired"
ROUGH = 1 / 3
"""Error of the interval that a standard error is read from: a narrow one, which outliers hardly move."""


@dataclass(frozen=True)
class Estimate:
    """a ÷ b over rounds."""

    ratio: float
    low: float
    high: float
    coverage: float
    """Share of experiments in which such an interval holds the true ratio, exact."""
    p: float
    """Two-sided, exact, of both being equal."""
    rounds: int
    method: str
    """`paired` or `unpaired`."""
    standard_error: float
    """Of the logarithm of the ratio; NaN of fewer than three rounds."""
    legs: tuple[int, int] = (1, 1)
    """Trials a round of either side."""

    @property
    def half_width(self) -> float:
        """By which share the ratio may be off: 0.03 is ± 3 %."""
        if not self.rounds or not 0 < self.low <= self.high < math.inf:
            return math.inf
        return math.sqrt(self.high / self.low) - 1

    def keeps(self, error: float = ERROR) -> bool:
        """Whether the interval covers as often as one of this `error` must."""
        return self.rounds > 0 and self.coverage >= 1 - error - 1e-12

    @property
    def needed(self) -> int:
        """Rounds from which such an interval can cover in 95 of 100 experiments."""
        return ranks.least_rounds() if self.method == PAIRED else ranks.least_unpaired(self.legs)

    @property
    def note(self) -> str:
        """What interval it is: `95.8 % interval of 12 paired rounds`; of too few, how many it takes for 95 %."""
        rounds = f"{self.rounds} {self.method} round{'s' * (self.rounds != 1)}"
        short = "" if self.keeps() else f"; {100 * (1 - ERROR):.0f} % takes {self.needed}"
        if self.coverage in {0, 1}:
            return f"no interval of {rounds}{short}"
        return f"{100 * self.coverage:.1f} % interval of {rounds}{short}"

    @property
    def inverse(self) -> Estimate:
        """b ÷ a."""
        low, high = (math.inf if x == 0 else 1 / x for x in (self.high, self.low))
        swapped = self.legs[1], self.legs[0]
        return Estimate(
            1 / self.ratio, low, high, self.coverage, self.p, self.rounds, self.method, self.standard_error, swapped
        )


def logarithms(values: ArrayLike) -> Floats:
    """The logarithms as (rounds, legs); NaN stays NaN.

    Raises:
        ValueError: If a value is zero, negative or infinite.
    """
    array = np.asarray(values, float)
    array = array[:, None] if array.ndim == 1 else array
    if (wrong := array[(array <= 0) | np.isinf(array)]).size:
        raise ValueError(f"a ratio is made of positive numbers, not of {wrong[0]:g}: give NaN for a trial that failed")
    return np.asarray(np.log(array))


def compare(
    a: ArrayLike,
    b: ArrayLike,
    *,
    method: str | None = None,
    error: float = ERROR,
    allowed: tuple[float, float] | None = None,
) -> Estimate:
    """The ratio a ÷ b.

    Args:
        a: One side's values, (rounds,) or (rounds, legs): both legs of an A/A control count. NaN is a failed trial.
        b: The other side's, of the same rounds.
        method: `PAIRED` or `UNPAIRED`; by default what `chosen` says of the control.
        error: Share of intervals that may miss the true ratio; of too few rounds, the widest interval there is.
        allowed: In its place, the errors of a paired and an unpaired interval at a planned look; of too few rounds,
            there is no interval.

    Raises:
        ValueError: If a value is not positive, or the sides have different numbers of rounds.
    """
    x, y = whole_rounds(logarithms(a), logarithms(b))
    method = method or chosen(x, y)
    if not len(x):
        return Estimate(math.nan, 0.0, math.inf, 0.0, 1.0, 0, method, math.nan)
    values, chances = _paired(x, y) if method == PAIRED else _unpaired(x, y)
    at = ranks.cut(chances, allowed[method == UNPAIRED]) if allowed else max(1, ranks.cut(chances, error))
    return _estimate(values, chances, at, rounds=len(x), method=method, legs=(x.shape[1], y.shape[1]))


def apart(a: ArrayLike, b: ArrayLike, *, error: float = ERROR) -> Estimate:
    """The ratio a ÷ b of sides that have no round in common, such as those of two runs: never paired.

    Args:
        a: One side's values, (rounds,) or (rounds, legs): both legs of an A/A control count. NaN is a failed trial.
        b: The other side's, of as many rounds or not.
        error: As for `compare`.

    Returns:
        The ratio; its rounds are those of the side that has fewer.

    Raises:
        ValueError: If a value is not positive.
    """
    x, y = (side[np.isfinite(side).any(axis=1)] for side in (logarithms(a), logarithms(b)))
    rounds, legs = min(len(x), len(y)), (x.shape[1], y.shape[1])
    if not rounds:
        return Estimate(math.nan, 0.0, math.inf, 0.0, 1.0, 0, UNPAIRED, math.nan)
    values, chances = _unpaired(x, y)
    return _estimate(values, chances, max(1, ranks.cut(chances, error)), rounds=rounds, method=UNPAIRED, legs=legs)


def _paired(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The averages of the rounds' log-ratios, sorted, and the null distribution of how many are positive."""
    apart = np.nanmean(x, axis=1) - np.nanmean(y, axis=1)
    return np.sort(ranks.averages(apart)), ranks.signed_rank(len(apart))


def _unpaired(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The differences of all logarithms, sorted, and the null distribution of how many are positive."""
    a, b = x[np.isfinite(x)], y[np.isfinite(y)]
    return np.sort(ranks.differences(a, b)), ranks.rank_sum(len(a), len(b))


def whole_rounds(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The rounds in which both sides have a value."""
    if len(x) != len(y):
        raise ValueError(f"rounds are pairs, and the sides have {len(x)} and {len(y)} of them")
    there = np.isfinite(x).any(axis=1) & np.isfinite(y).any(axis=1)
    return x[there], y[there]


def chosen(x: Floats, y: Floats) -> str:
    """Paired or unpaired, for logarithms: what the control says, the side that has two legs; without one, paired.

    Of rounds too few for a paired interval of 95 %, unpaired, which needs fewer: trials that rise and fall together
    only make it cover more than it says.
    """
    sizes = int(np.isfinite(x).sum()), int(np.isfinite(y).sum())
    if not ranks.cut(ranks.signed_rank(len(x))):
        return UNPAIRED
    control = x if x.shape[1] >= 2 else y
    if control.shape[1] < 2:
        return PAIRED
    return PAIRED if pairing.helps(control[:, :2], sizes) else UNPAIRED


def _estimate(
    values: Floats, chances: Floats, cut: int, *, rounds: int, method: str, legs: tuple[int, int]
) -> Estimate:
    """From sorted averages or differences of logarithms; a `cut` of 0 is an interval that holds everything."""
    statistic = float((values > 0).sum() + (values == 0).sum() / 2)
    low, high = (values[cut - 1], values[-cut]) if cut else (-np.inf, np.inf)
    return Estimate(
        ratio=float(np.exp(np.median(values))),
        low=float(np.exp(low)),
        high=float(np.exp(high)),
        coverage=1 - ranks.missed(chances, cut),
        p=ranks.p_value(chances, statistic),
        rounds=rounds,
        method=method,
        standard_error=_standard_error(values, chances),
        legs=legs,
    )


def _standard_error(values: Floats, chances: Floats) -> float:
    """The half-width of a narrow interval ÷ the normal quantile of its exact coverage."""
    from scipy.special import ndtri

    if not (cut := ranks.cut(chances, ROUGH)):
        return math.nan
    return float((values[-cut] - values[cut - 1]) / 2 / ndtri(1 - ranks.missed(chances, cut) / 2))
