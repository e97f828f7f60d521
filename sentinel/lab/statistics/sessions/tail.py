"""The ratio of two sessions over the whole tail: a shift function without pairs. Pure.

Percentiles of every trial; at each percentile the median of the ratios of all pairs of trials, one of either session,
with the interval of the exact rank-sum distribution. The band is pointwise, as that of `rounds.shift` is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks
from sentinel.lab.statistics.rounds.shift import SHARES, Shift, carried, percentiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.statistics.rounds.ranks import Floats
    from sentinel.model.histogram import Recorder


def between(new: Sequence[Recorder], old: Sequence[Recorder]) -> Shift:
    """The shift function of two sessions, new ÷ old.

    Args:
        new: Durations in ns, a histogram a trial.
        old: Likewise, of as many trials or not.

    Returns:
        `rounds` has every new trial ÷ the median of the old ones. Percentiles that are zero or less in some trial, or
        that the messages of the trial with the fewest do not carry, are left out; all are where a side has no trial.
    """
    messages = min((len(recorder) for recorder in (*new, *old)), default=0)
    kept = [share for share in SHARES if new and old and carried(share, messages)]
    a, b = (_logarithms(recorders, kept) for recorders in (new, old))
    known = np.isfinite(a).all(axis=0) & np.isfinite(b).all(axis=0)
    a, b, shares = a[:, known], b[:, known], np.array(kept, float)[known]
    if not len(shares):
        return Shift(shares, a, shares, shares, shares, 0.0, messages, paired=False)
    pairs = np.sort((a[:, None, :] - b[None, :, :]).reshape(-1, len(shares)), axis=0)
    chances = ranks.rank_sum(len(a), len(b))
    cut = max(1, ranks.cut(chances))
    low, high, middle = np.exp(pairs[cut - 1]), np.exp(pairs[-cut]), np.exp(np.median(pairs, axis=0))
    coverage = 1 - ranks.missed(chances, cut)
    if coverage <= 0:
        low = high = np.full(len(shares), math.nan)
    return Shift(shares, np.exp(a - np.median(b, axis=0)), middle, low, high, coverage, messages, paired=False)


def _logarithms(recorders: Sequence[Recorder], shares: Sequence[float]) -> Floats:
    """(trials, shares)."""
    values = np.array([percentiles(recorder, shares) for recorder in recorders]).reshape(len(recorders), len(shares))
    return np.asarray(np.log(values))
