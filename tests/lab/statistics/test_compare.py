"""Comparisons: exact ratios, intervals honest about few trials, verdicts that do not see what is not there."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sentinel.lab import formatting
from sentinel.lab.statistics.compare import BAND, BOOTSTRAP, Ratio, hidden, noise, ratio, verdict

UNKNOWN = Ratio(2.0, math.nan, math.nan, 1)
TRIES = 200


def test_a_ratio_is_that_of_the_medians() -> None:
    """The value is exactly median ÷ median, however many trials each side has."""
    assert 8.0 / 2.5 == ratio([7.0, 8.0, 900.0], [2.0, 3.0]).value


def test_the_interval_holds_the_value() -> None:
    """The bootstrap interval lies around the ratio, within the extremes of the data."""
    a, b = [10.0, 11.0, 12.0, 13.0, 14.0], [4.0, 5.0, 6.0, 5.0, 5.5]
    measured = ratio(a, b)
    (low, high), value = measured.interval or (0.0, 0.0), measured.value or 0.0
    assert min(a) / max(b) <= low <= value <= high <= max(a) / min(b)
    assert (5, 0.95, BOOTSTRAP) == (measured.n, measured.confidence, measured.method)


@pytest.mark.parametrize(("n", "least"), [(2, 55), (3, 85), (5, 92), (8, 92)])
def test_the_interval_covers_the_true_ratio(n: int, least: int) -> None:
    """Of 100 seeded pairs of samples whose true ratio is 2, about as many intervals hold it as is said."""
    covered = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        measured = ratio((2 * random.lognormal(5, 0.2, n)).tolist(), random.lognormal(5, 0.2, n).tolist())
        low, high = measured.interval or (0.0, 0.0)
        covered += low <= 2 <= high
    assert covered >= least
    assert {2: "67 %", 3: "90 %"}.get(n, "95 %") in formatting.intervals(n)


def test_the_same_seed_gives_the_same_interval() -> None:
    """A report made again says the same; another seed draws other resamples."""
    a, b = np.random.default_rng(1).lognormal(5, 1, (2, 8)).tolist()
    assert ratio(a, b, seed=3) == ratio(a, b, seed=3)
    assert ratio(a, b, seed=3).value == ratio(a, b, seed=4).value
    assert ratio(a, b, seed=3) != ratio(a, b, seed=4)


def test_equal_trials_have_an_interval_of_no_width() -> None:
    """Repeats that do not differ give the narrowest interval: memory trials are like that."""
    measured = ratio([4.0] * 3, [2.0] * 3)
    assert (2.0, (2.0, 2.0), 3) == (measured.value, measured.interval, measured.n)


def test_one_trial_is_no_interval_and_says_so() -> None:
    """One trial on either side gives a value without an interval, and its text tells why."""
    for a, b in [([4.0], [2.0]), ([4.0], [2.0, 2.0]), ([4.0, 4.0], [2.0])]:
        measured = ratio(a, b)
        assert (2.0, 1, False) == (measured.value, measured.n, measured.known)
        assert str(formatting.ratio(measured)) == "2.00× (n = 1: no interval)"


@pytest.mark.parametrize(("a", "b"), [([], []), ([], [1.0]), ([1.0], []), ([1.0, 2.0], [0.0, 0.0])])
def test_without_data_or_with_a_zero_below_there_is_no_ratio(a: list[float], b: list[float]) -> None:
    """Nothing measured, or a median of zero to divide by, is neither a number nor an error."""
    measured = ratio(a, b)
    assert (False, "–", "cannot tell") == (measured.known, str(formatting.ratio(measured)), verdict(measured))


def test_a_zero_among_the_trials_below_is_no_interval() -> None:
    """Where some resamples would divide by zero, there is a value but no interval, and no warning from numpy."""
    measured = ratio([1.0, 2.0, 3.0], [0.0, 5.0, 5.0])
    assert (0.4, False, "cannot tell") == (measured.value, measured.known, verdict(measured))


def test_a_ratio_of_zero_is_a_ratio() -> None:
    """No bytes against some bytes is zero times as many."""
    measured = ratio([0.0, 0.0], [5.0, 5.0])
    assert (0.0, (0.0, 0.0)) == (measured.value, measured.interval)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Ratio(0.01234, 0.01, 0.02, 3), "0.012× [0.01, 0.02]"),
        (Ratio(1.5, 1.25, 1.75, 3), "1.50× [1.25, 1.75]"),
        (Ratio(1234.5, 999.4, 2000.6, 3), "1,234× [999, 2,001]"),
        (UNKNOWN, "2.00× (n = 1: no interval)"),
        (Ratio(1.0, math.nan, math.inf, 3), "1.00× (n = 3: no interval)"),
        (Ratio(math.nan, math.nan, math.nan, 0), "–"),
    ],
)
def test_a_ratio_prints_with_its_interval(value: Ratio, text: str) -> None:
    """Small and large ratios keep two to four digits, and a missing interval is named."""
    assert text == str(formatting.ratio(value))


# -- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "band", "sentences"),
    [
        (1.06, 9.0, 0.05, "higher"),
        (1.051, 1.052, 0.05, "higher"),
        (0.1, 0.94, 0.05, "lower"),
        (0.0, 0.0, 0.05, "lower"),
        (0.96, 1.04, 0.05, "no difference"),
        (1.0, 1.0, 0.05, "no difference"),
        (0.9524, 1.05, 0.05, "no difference"),
        (0.95, 1.05, 0.05, "cannot tell"),
        (0.9, 1.04, 0.05, "cannot tell"),
        (0.96, 1.2, 0.05, "cannot tell"),
        (1.04, 1.06, 0.05, "cannot tell"),
        (0.5, 2.0, 0.05, "cannot tell"),
        (1.06, 9.0, 0.10, "cannot tell"),
        (1.06, 1.09, 0.10, "no difference"),
        (1.11, 9.0, 0.10, "higher"),
        (0.2, 0.9, 0.10, "lower"),
        (442.0, 608.0, 1.0, "higher"),
        (442.0, 608.0, 400.0, "higher"),
        (0.1, 0.49, 1.0, "lower"),
        (0.1, 0.51, 1.0, "cannot tell"),
        (1.8, 2.2, 1.0, "cannot tell"),
        (1.2, 1.9, 1.0, "cannot tell"),
        (0.99, 1.01, 1.0, "cannot tell"),
        (0.99, 1.19, 0.2, "no difference"),
    ],
)
def test_a_verdict_is_where_the_whole_interval_lies(low: float, high: float, band: float, sentences: str) -> None:
    """Beyond the floor is a difference, however high it is; within a wide floor, or across, nothing can be told."""
    value = Ratio((low + high) / 2, low, high, 5)
    more = {"higher": "better", "lower": "worse"}.get(sentences, sentences)
    less = {"higher": "worse", "lower": "better"}.get(sentences, sentences)
    assert more == verdict(value, band)
    assert less == verdict(value, band, higher_is_better=False)


@pytest.mark.parametrize(("low", "high", "band", "what"), [
    (0.9, 1.5, 1.0, True), (1.9, 2.1, 1.0, True), (2.1, 3.0, 1.0, False), (0.9, 1.5, 0.1, False),
])  # fmt: skip
def test_a_wide_floor_hides_what_does_not_leave_it(low: float, high: float, band: float, what: bool) -> None:
    """Run-to-run variation is the reason only where its floor is wide and the interval does not lie beyond it."""
    assert what is hidden(Ratio(1.0, low, high, 5), band)
    assert not hidden(UNKNOWN, band)


def test_a_verdict_is_the_same_the_other_way_round() -> None:
    """Better by a factor one way is worse by the same factor the other way, for any floor."""
    turned = {"better": "worse", "worse": "better"}
    for low, high in [(1.3, 1.9), (0.3, 0.6), (0.9, 1.1), (0.4, 3.0), (5.0, 9.0)]:
        for band in (0.05, 0.2, 1.0, 3.0):
            first, other = verdict(Ratio(1.0, low, high, 5), band), verdict(Ratio(1.0, 1 / high, 1 / low, 5), band)
            assert turned.get(first, first) == other


def test_without_an_interval_nothing_can_be_told() -> None:
    """One trial each, however far apart, is no verdict."""
    assert verdict(UNKNOWN) == "cannot tell"
    assert verdict(Ratio(9.0, 8.0, math.inf, 5)) == "cannot tell"


def test_a_real_difference_is_seen() -> None:
    """Five steady trials at twice the speed are better, and worse the other way round."""
    fast, slow = [20.0, 20.5, 21.0, 19.5, 20.2], [10.0, 10.1, 9.9, 10.3, 9.7]
    assert verdict(ratio(fast, slow)) == "better"
    assert verdict(ratio(slow, fast)) == "worse"
    assert verdict(ratio(slow, fast), higher_is_better=False) == "better"


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.2, 0.4])
def test_two_samples_of_one_distribution_are_seldom_judged_different(spread: float) -> None:
    """A/A: of 200 seeded pairs of five trials, at most 10 % are judged better or worse (measured: 0, 0, 4 and 7)."""
    judged = 0
    for seed in range(TRIES):
        random = np.random.default_rng(seed)
        a, again = random.lognormal(10, spread, (2, 5)).tolist()
        judged += verdict(ratio(a, again)) in {"better", "worse"}
    assert judged <= TRIES // 10


# -- noise -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "again", "expected"),
    [
        ([], [], BAND),
        ([100.0], [], BAND),
        ([100.0, 100.0], [101.0, 99.0], BAND),
        ([110.0, 90.0], [100.0, 100.0], BAND),
        ([100.0, 100.0], [80.0, 80.0], 0.25),
        ([100.0, 100.0, 500.0], [100.0, 100.0], BAND),
        ([0.0, 0.0], [100.0, 100.0], BAND),
        ([80.0, 80.0], [100.0, 100.0], 0.25),
        ([100.0, 100.0], [0.0, 100.0], 1.0),
    ],
)
def test_noise_is_the_distance_of_the_medians(first: list[float], again: list[float], expected: float) -> None:
    """A difference must exceed the factor between two legs of one configuration, and never less than 1.05."""
    assert expected == pytest.approx(noise(first, again))


def test_a_leg_that_got_nothing_done_is_no_error() -> None:
    """A throughput of zero in the second leg leaves no pair to compare, and the least noise that is ever assumed."""
    assert noise([100.0], [0.0]) >= BAND
