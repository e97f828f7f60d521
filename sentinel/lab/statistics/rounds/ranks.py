"""Exact null distributions of the signed-rank and the rank-sum statistic, and the order statistics they lead to. Pure.

scipy has both distributions only inside its tests (`wilcoxon`, `mannwhitneyu`), which give p-values and no intervals;
`tests/test_rounds.py` holds these tables against scipy's p-values and against full enumeration.

Sources: F. Wilcoxon (1945); H. B. Mann, D. R. Whitney (1947); intervals by J. L. Hodges, E. L. Lehmann (1963), as in
M. Hollander, D. A. Wolfe, E. Chicken, Nonparametric Statistical Methods (2014), sections 3.3 and 4.3.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ERROR = 0.05
"""Share of intervals that may miss the true ratio; one less the confidence."""


@lru_cache
def signed_rank(n: int) -> Floats:
    """The probabilities of 0 … n(n+1)/2 as the sum of positive ranks of `n` values symmetric about zero.

    The generating function is the product over ranks k of (1 + x^k) / 2.
    """
    chances = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    return _frozen(chances)


@lru_cache
def rank_sum(n: int, m: int) -> Floats:
    """The probabilities of 0 … n·m as the number of pairs in which one of `n` exceeds one of `m` values alike.

    By the recurrence of Mann and Whitney: the largest of all is one of the `n`, and exceeds all `m`, or one of the `m`.
    """
    previous = [np.ones(1) for _ in range(m + 1)]
    for i in range(1, n + 1):
        row = [np.ones(1)]
        for j in range(1, m + 1):
            chances = np.zeros(i * j + 1)
            chances[j:] += previous[j] * i / (i + j)
            chances[: i * (j - 1) + 1] += row[j - 1] * j / (i + j)
            row.append(chances)
        previous = row
    return _frozen(previous[m])


def _frozen(chances: Floats) -> Floats:
    chances.flags.writeable = False
    return chances


def cut(chances: Floats, error: float = ERROR) -> int:
    """How many of the sorted averages (or differences) to leave out at either end, and one more; 0: there is no such.

    The interval from the `cut`-th lowest to the `cut`-th highest misses the truth in `missed(chances, cut)` of all
    experiments, at most `error`.
    """
    both_tails = 2 * np.cumsum(chances)
    return int(np.searchsorted(both_tails, error * (1 + 1e-12), side="right"))


def missed(chances: Floats, cut: int) -> float:
    """The share of experiments in which the interval of this `cut` misses the truth."""
    return min(1.0, 2 * float(chances[:cut].sum()))


def p_value(chances: Floats, statistic: float) -> float:
    """The exact two-sided p of a statistic; where ties make it a half, that half speaks against a difference."""
    smaller = min(statistic, len(chances) - 1 - statistic)
    return min(1.0, 2 * float(chances[: int(np.ceil(smaller)) + 1].sum()))


def least_p(rounds: int) -> float:
    """The smallest two-sided p that so many paired rounds can give: 2 / 2^n; 0.0625 of five, 0.031 of six."""
    return min(1.0, 2.0 ** (1 - rounds))


def least_rounds(error: float = ERROR) -> int:
    """Paired rounds from which an interval can keep `error`: six for 5 %."""
    return int(np.ceil(1 - np.log2(error)))


def least_unpaired(legs: tuple[int, int], error: float = ERROR) -> int:
    """Rounds from which an unpaired interval of so many trials a round on either side can keep `error`."""
    return next(n for n in range(1, 100) if 2 / comb(n * sum(legs), n * legs[0]) <= error)


def averages(values: Floats) -> Floats:
    """The Walsh averages, (x_i + x_j) / 2 for i ≤ j, of the last axis."""
    left, right = _pairs(values.shape[-1])
    return np.asarray((values[..., left] + values[..., right]) / 2)


@lru_cache
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(n)


def differences(a: Floats, b: Floats) -> Floats:
    """Every value of `a` less every value of `b`, over the last axes."""
    apart = a[..., :, None] - b[..., None, :]
    return apart.reshape(*apart.shape[:-2], apart.shape[-2] * apart.shape[-1])
