"""The noise floor: how far from 1 the ratio of a configuration to itself comes by chance. Pure.

One draw of that ratio is near 1 by luck as often as by merit. Both legs of the A/A control, put together and split in
all ways, give its whole distribution; the floor is the 95th percentile (the randomisation distribution, after
R. A. Fisher (1935), as ClickHouse's performance comparison uses it).
"""

from __future__ import annotations

import itertools
import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks
from sentinel.lab.statistics.rounds.estimates import PAIRED, logarithms

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from sentinel.lab.statistics.rounds.ranks import Floats

PERCENTILE = 95.0
MOST = 1024
"""Splits that are looked at: all of them up to 11 paired rounds or 6 unpaired ones, beyond that a seeded sample."""


def floor(control: ArrayLike, method: str = PAIRED, legs: tuple[int, int] = (1, 1)) -> float:
    """The factor, at least 1, that two sets of trials of one configuration stay within in 95 of 100 experiments.

    Args:
        control: The A/A control's values, (rounds, 2).
        method: The estimator whose null distribution is asked for: of pairs within rounds, or across all trials.
        legs: Trials a round of either side of the comparison. Two legs on one side make its mean steadier than the
            control's single ones: √((1/a + 1/b) / 2) of the spread is left.

    Returns:
        NaN where the control has no whole round.
    """
    values = logarithms(control)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return math.nan
    null = _paired(values[:, 0] - values[:, 1]) if method == PAIRED else _unpaired(values.ravel())
    apart = float(np.percentile(np.abs(null), PERCENTILE, method="higher"))
    return math.exp(apart * math.sqrt((1 / legs[0] + 1 / legs[1]) / 2))


def _paired(apart: Floats) -> Floats:
    """Hodges–Lehmann estimates with the legs of each round swapped or not."""
    return np.median(ranks.averages(signs(len(apart)) * apart), axis=-1)


def _unpaired(values: Floats) -> Floats:
    """Hodges–Lehmann shifts of one half of all trials against the other."""
    halves = values[splits(len(values))]
    middle = halves.shape[1] // 2
    return np.median(ranks.differences(halves[:, :middle], halves[:, middle:]), axis=-1)


@lru_cache
def signs(n: int) -> Floats:
    """Ways to swap legs, as rows of ±1; the first round stays, for swapping all only turns the ratio round."""
    if 2 ** (n - 1) <= MOST:
        rows = np.array(list(itertools.product((1.0, -1.0), repeat=n - 1))).reshape(2 ** (n - 1), n - 1)
    else:
        rows = np.random.default_rng(1).choice((1.0, -1.0), (MOST, n - 1))
    return np.hstack((np.ones((len(rows), 1)), rows))


@lru_cache
def splits(n: int) -> NDArray[np.intp]:
    """Ways to split `n` (even) trials into halves, as rows of indices: the one half, then the other."""
    if math.comb(n, n // 2) <= 2 * MOST:
        halves = [(0, *rest) for rest in itertools.combinations(range(1, n), n // 2 - 1)]
        return np.array([(*half, *(i for i in range(n) if i not in half)) for half in halves])
    random = np.random.default_rng(1)
    return np.argsort(random.random((MOST, n)), axis=1)
