"""Ratios and tails of two sessions: exact, never paired, and known to be so."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from sentinel.lab.statistics.rounds import estimates
from sentinel.lab.statistics.rounds.estimates import UNPAIRED, apart
from sentinel.lab.statistics.sessions.tail import between
from sentinel.model.histogram import Recorder


def recorder(seed: int, factor: float = 1.0, n: int = 5000) -> Recorder:
    """A trial's latencies, ns."""
    made = Recorder()
    made.record((np.random.default_rng(seed).lognormal(0, 0.5, n) * 1e6 * factor).astype(np.int64))
    return made


def test_sides_of_any_length_have_an_exact_interval() -> None:
    """As the rank-sum test has it: p agrees with scipy's, and the coverage with the number of arrangements."""
    a, b = [1.0, 1.1, 1.3, 1.2], [2.0, 2.2, 2.1, 2.6, 2.4, 2.3]
    actual = apart(a, b)
    assert (UNPAIRED, 4) == (actual.method, actual.rounds)
    assert mannwhitneyu(a, b, method="exact").pvalue == pytest.approx(actual.p)
    assert 0.95 <= actual.coverage < 1
    assert actual.low < actual.ratio < actual.high < 1


def test_of_equal_lengths_it_is_the_unpaired_estimate_of_rounds() -> None:
    """What `compare` gives where it is told not to pair."""
    random = np.random.default_rng(1)
    a, b = np.exp(random.normal(0, 0.1, (5, 2))), np.exp(random.normal(0, 0.1, (5, 1)))
    assert estimates.compare(a, b, method=UNPAIRED) == apart(a, b)


def test_failed_trials_do_not_count() -> None:
    """NaN on either side leaves the others; a side without any has no ratio."""
    nan = float("nan")
    assert apart([1.0, 2.0, 3.0], [1.0, 2.0]) == apart([1.0, nan, 2.0, 3.0], [nan, 1.0, 2.0])
    assert 0 == apart([nan], [1.0]).rounds
    with pytest.raises(ValueError, match="give NaN for a trial that failed"):
        apart([0.0], [1.0])


def test_equal_sessions_are_seldom_told_apart() -> None:
    """The interval misses the truth no more often than it says, whatever the lengths."""
    random = np.random.default_rng(2)
    missed = [
        not (estimate.low <= 1 <= estimate.high)
        for _ in range(400)
        for estimate in [apart(np.exp(random.normal(0, 0.2, 4)), np.exp(random.normal(0, 0.2, 6)))]
    ]
    assert np.mean(missed) < 0.08


def test_a_tail_of_two_sessions_has_a_band() -> None:
    """Twice the latency everywhere: the band holds 2 and excludes 1, and no round is a pair."""
    values = between([recorder(n, 2.0) for n in range(4)], [recorder(n + 10) for n in range(5)])
    assert (False, 4, True, 5000) == (values.paired, values.n, values.settled, values.messages)
    assert values.sure.all()
    assert ((values.low <= 2.1) & (values.high >= 1.9)).all()
    assert 0.95 <= values.coverage < 1


def test_few_trials_make_no_band() -> None:
    """One against one has a ratio and nothing more; percentiles that messages do not carry are left out."""
    single = between([recorder(1, 2.0)], [recorder(2)])
    assert (False, 0.0, True) == (single.settled, single.coverage, bool(np.isnan(single.low).all()))
    assert single.shares[-1] < between([recorder(1, n=10**6)], [recorder(2, n=10**6)]).shares[-1]
    assert 0 == len(between([], [recorder(1)]).shares)
