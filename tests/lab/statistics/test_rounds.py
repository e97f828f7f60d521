"""Ratios over rounds: exact intervals and p-values, the pairing rule, the noise floor, the five words."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sentinel.lab.statistics import tails
from sentinel.lab.statistics.rounds import decision, pairing, ranks
from sentinel.lab.statistics.rounds.decision import Decision, decide, further_rounds
from sentinel.lab.statistics.rounds.estimates import PAIRED, UNPAIRED, Estimate, compare
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.lab.statistics.rounds.shift import SHARES, Shift, carried, shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

POSITIVE = st.floats(0.1, 1000.0)
SIDES = st.integers(3, 9).flatmap(
    lambda n: st.tuples(st.lists(POSITIVE, min_size=n, max_size=n), st.lists(POSITIVE, min_size=n, max_size=n))
)
METHODS = pytest.mark.parametrize("method", [PAIRED, UNPAIRED])


def draws(*shape: int, sd: float = 0.1, seed: int = 1) -> NDArray[np.float64]:
    """Lognormal values around 1."""
    return np.exp(sd * np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_the_signed_rank_distribution_is_that_of_all_signs(n: int) -> None:
    """Each of the 2^n ways to give ranks a sign is equally likely."""
    sums = [sum(r for r, sign in enumerate(row, 1) if sign) for row in itertools.product((0, 1), repeat=n)]
    assert np.allclose(np.bincount(sums, minlength=n * (n + 1) // 2 + 1) / 2**n, ranks.signed_rank(n), atol=1e-15)


@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 5), (5, 2), (4, 4)])
def test_the_rank_sum_distribution_is_that_of_all_orders(n: int, m: int) -> None:
    """Each way to choose the n ranks of one side among n + m is equally likely."""
    sums = [sum(rows) - n * (n - 1) // 2 for rows in itertools.combinations(range(n + m), n)]
    assert np.allclose(np.bincount(sums, minlength=n * m + 1) / math.comb(n + m, n), ranks.rank_sum(n, m), atol=1e-15)


@pytest.mark.parametrize("n", [6, 11, 24])
def test_p_is_that_of_scipy(n: int) -> None:
    """Without ties, p agrees with scipy's exact tests, paired and unpaired."""
    a, b = draws(n, seed=n) * 1.05, draws(n, 2, seed=n + 1)
    paired = compare(a, b, method=PAIRED).p
    assert paired == pytest.approx(stats.wilcoxon(np.log(a) - np.log(b).mean(axis=1), method="exact").pvalue)
    unpaired = compare(a, b, method=UNPAIRED).p
    assert unpaired == pytest.approx(stats.mannwhitneyu(a, b.ravel(), method="exact").pvalue)


def test_the_floors_of_few_rounds_are_known() -> None:
    """Five pairs cannot give a p below 0.0625, six can give 0.031: six rounds are needed for 95 %."""
    assert [0.25, 0.125, 0.0625, 0.03125] == [ranks.least_p(n) for n in (3, 4, 5, 6)]
    assert (6, 8) == (ranks.least_rounds(0.05), ranks.least_rounds(0.01))
    actual = [compare(2 * draws(n), draws(n, seed=2), method=PAIRED) for n in (3, 4, 5, 6)]
    assert [0.75, 0.875, 0.9375, 0.96875] == [e.coverage for e in actual]
    assert [ranks.least_p(n) for n in (3, 4, 5, 6)] == [e.p for e in actual]
    assert [False, False, False, True] == [e.keeps() for e in actual]


def test_an_estimate_says_what_its_interval_is() -> None:
    """Coverage, rounds and method are named; of too few rounds for 95 %, how many it takes."""
    actual = {n: compare(2 * draws(n), draws(n, seed=2), method=PAIRED).note for n in (1, 5, 6, 12)}
    assert "no interval of 1 paired round; 95 % takes 6" == actual[1]
    assert "93.8 % interval of 5 paired rounds; 95 % takes 6" == actual[5]
    assert "96.9 % interval of 6 paired rounds" == actual[6]
    assert "95.8 % interval of 12 paired rounds" == actual[12]
    unpaired = compare(draws(2), draws(2, 2, seed=2), method=UNPAIRED)
    assert "86.7 % interval of 2 unpaired rounds; 95 % takes 3" == unpaired.note
    assert 4 == ranks.least_unpaired((1, 1))


@METHODS
@given(sides=SIDES)
def test_turning_a_ratio_round_turns_everything_round(method: str, sides: tuple[list[float], list[float]]) -> None:
    """b ÷ a is the inverse of a ÷ b, with the same p and coverage, and inverse bounds."""
    first, other = compare(*sides, method=method), compare(*reversed(sides), method=method).inverse
    for name in ("ratio", "low", "high", "coverage", "p", "rounds", "method", "legs"):
        assert getattr(first, name) == pytest.approx(getattr(other, name))


@METHODS
@given(sides=SIDES, seed=st.integers(0, 99))
def test_the_order_of_rounds_does_not_matter(method: str, sides: tuple[list[float], list[float]], seed: int) -> None:
    """Rounds may come in any order, and the unit of measurement is free."""
    order = np.random.default_rng(seed).permutation(len(sides[0]))
    a, b = (np.array(side) for side in sides)
    first, other = compare(a, b, method=method), compare(7 * a[order], 7 * b[order], method=method)
    assert np.allclose([first.ratio, first.low, first.high], [other.ratio, other.low, other.high])


@METHODS
@given(sides=SIDES)
def test_a_wider_interval_covers_more(method: str, sides: tuple[list[float], list[float]]) -> None:
    """The smaller the error allowed, the wider the interval and the greater its coverage; the estimate lies inside."""
    actual = [compare(*sides, method=method, error=error) for error in (0.01, 0.05, 0.2, 0.6)]
    for wide, slim in itertools.pairwise(actual):
        assert wide.low <= slim.low <= slim.ratio * (1 + 1e-12)
        assert slim.ratio * (1 - 1e-12) <= slim.high <= wide.high
        assert wide.coverage >= slim.coverage


@METHODS
@given(sides=SIDES)
def test_the_interval_and_p_say_the_same(method: str, sides: tuple[list[float], list[float]]) -> None:
    """The interval excludes 1 exactly where p is no more than what it misses."""
    actual = compare(*sides, method=method)
    if not np.isclose([actual.low, actual.high], 1, atol=1e-9).any():
        assert (actual.low > 1 or actual.high < 1) == (actual.p <= 1 - actual.coverage + 1e-12)


@pytest.mark.parametrize("n", [3, 6, 7])
def test_paired_coverage_is_exact(n: int) -> None:
    """Over all signs of any log-ratios, the share of intervals that hold the truth is what the estimate says."""
    sizes = draws(n, sd=1.0)
    actual = [
        compare(np.exp(sizes * row), np.ones(n), method=PAIRED) for row in itertools.product((1.0, -1.0), repeat=n)
    ]
    assert np.mean([e.low <= 1 <= e.high for e in actual]) == pytest.approx(actual[0].coverage)


def test_unpaired_coverage_is_exact() -> None:
    """Over all splits of any values, the share of intervals that hold the truth is what the estimate says."""
    values = draws(9, sd=1.0)
    held = []
    for rows in itertools.combinations(range(9), 3):
        rest = values[[i for i in range(9) if i not in rows]].reshape(3, 2)
        actual = compare(values[list(rows)], rest, method=UNPAIRED)
        held.append(actual.low <= 1 <= actual.high)
    assert (np.mean(held), True) == (pytest.approx(actual.coverage), actual.keeps())


def test_a_drift_of_the_session_stays_out_of_a_paired_interval() -> None:
    """Where every round is slower than the one before, pairs still agree to the last digit."""
    drift = np.linspace(1, 3, 8)
    actual = compare(1.2 * drift, drift)
    assert (PAIRED, pytest.approx(1.2), True) == (actual.method, actual.ratio, actual.high - actual.low < 1e-9)


def test_a_failed_trial_is_no_value() -> None:
    """A round without a value on one side does not count; a side's other leg takes its place."""
    a, b = draws(8), draws(8, 2, seed=2)
    a[1], b[2] = math.nan, math.nan
    b[3, 0] = math.nan
    assert 6 == compare(a, b).rounds
    assert 0 == compare([math.nan], [1.0]).rounds
    assert (0, "unresolved") == (compare([], []).rounds, decide(compare([], [])).word)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.inf])
def test_what_has_no_logarithm_is_refused(wrong: float) -> None:
    """The error names the value, and what a failed trial is."""
    with pytest.raises(ValueError, match=f"not of {wrong:g}: give NaN for a trial that failed"):
        compare([1.0, wrong], [1.0, 1.0])
    with pytest.raises(ValueError, match="2 and 1"):
        compare([1.0, 2.0], [1.0])


def test_pairing_is_decided_by_the_control_alone() -> None:
    """Legs that rise and fall together, or drift, are pairs; independent ones are not; the other side has no say."""
    shared, own = draws(12, 1, sd=0.3), draws(12, 2, sd=0.05, seed=2)
    assert PAIRED == compare(draws(12, seed=3), shared * own).method
    drifting = np.linspace(1, 1.5, 12)[:, None] * draws(12, 2, sd=0.1, seed=4)
    assert PAIRED == compare(draws(12, seed=3), drifting).method
    apart = draws(12, 2, sd=0.1, seed=4)
    assert {UNPAIRED} == {compare(other, apart).method for other in (draws(12, seed=3), apart[:, 0] * 1.001)}
    assert PAIRED == compare(draws(12), draws(12, seed=2)).method
    assert UNPAIRED == compare(apart, draws(12, seed=3)).method


def test_few_rounds_are_compared_unpaired() -> None:
    """Of too few pairs for 95 % all trials are compared, drift or not: it takes 3 rounds with a control, 4 without."""
    drift = np.linspace(1, 1.5, 5)
    with_control = {n: compare(9 * drift[:n], np.column_stack((drift[:n], drift[:n]))) for n in (2, 3, 5)}
    assert {UNPAIRED} == {e.method for e in with_control.values()}
    assert [False, True, True] == [e.keeps() for e in with_control.values()]
    assert 3 == with_control[2].needed
    assert [False, True, True] == [e.keeps() for e in with_control.values()]
    without = [compare(9 * drift[:n], drift[:n]) for n in (3, 4)]
    assert [(UNPAIRED, False, 4), (UNPAIRED, True, 4)] == [(e.method, e.keeps(), e.needed) for e in without]
    assert "better" == decide(with_control[3]).word


def test_pairing_costs_most_where_rounds_are_few() -> None:
    """The break-even correlation falls with the number of rounds; five pairs can keep no error, so nothing pays."""
    costs = [pairing.break_even(n, n, 2 * n) for n in (5, 6, 8, 12, 24)]
    assert 1.0 == costs[0]
    assert costs == sorted(costs, reverse=True)
    assert 0 < costs[-1] < 0.15
    assert pairing.helps(np.zeros((2, 2)), (2, 4))


def test_the_floor_of_pairs_is_that_of_all_swaps() -> None:
    """With few rounds the floor is the 95th percentile over every way to swap legs, of the Hodges–Lehmann estimate."""
    control = draws(6, 2)
    apart = np.log(control[:, 0] / control[:, 1])
    null = [
        abs(np.median([(x + y) / 2 for x, y in itertools.combinations_with_replacement(apart * row, 2)]))
        for row in itertools.product((1, -1), repeat=6)
    ]
    assert floor(control) == pytest.approx(math.exp(np.percentile(null, 95, method="higher")))


@METHODS
def test_the_floor_is_what_equal_trials_stay_within(method: str) -> None:
    """Of seeded experiments with equal sides, 9 of 10 or more stay within the floor, with two legs on one side too."""
    trials = draws(100, 12, 3)
    within = [
        abs(math.log(compare(t[:, 0], t[:, 1:], method=method).ratio)) <= math.log(floor(t[:, 1:], method, (1, 2)))
        for t in trials
    ]
    assert 0.88 < np.mean(within) < 0.99


def test_a_control_that_does_not_vary_has_no_floor_above_one() -> None:
    """Allocated bytes repeat exactly: chance moves nothing; without a control nothing is known."""
    assert 1.0 == floor(np.full((6, 2), 3.0)) == floor(np.full((6, 2), 3.0), UNPAIRED)
    assert math.isnan(floor(np.empty((0, 2))))
    assert [2.0, 2.0] == pytest.approx([floor([[1.0, 2.0]], method) for method in (PAIRED, UNPAIRED)])  # a single round
    assert 1 < floor(draws(30, 2)) < floor(draws(30, 2, sd=0.3))


def estimate(ratio: float, low: float, high: float, n: int = 12, coverage: float = 0.957) -> Estimate:
    """An estimate as `compare` gives them, its standard error that of its interval."""
    return Estimate(ratio, low, high, coverage, 0.01, n, PAIRED, math.log(high / low) / 4)


@pytest.mark.parametrize(
    ("actual", "floor_", "word"),
    [
        (estimate(1.2, 1.1, 1.3), 1.1, "better"),
        (estimate(0.8, 0.7, 0.9), 1.1, "worse"),
        (estimate(3.0, 2.5, 3.6), 2.0, "better"),
        (estimate(1.0, 0.97, 1.03), 1.02, "no difference"),
        (estimate(1.03, 1.01, 1.049), 1.02, "no difference"),
        (estimate(1.08, 1.01, 1.15), 1.1, "unstable"),
        (estimate(1.1, 0.8, 1.5), 1.4, "unstable"),
        (estimate(1.04, 0.99, 1.09), 1.04, "unresolved"),
        (estimate(3.0, 2.5, 3.6, 5, 0.9375), 1.1, "unresolved"),
    ],
)
def test_five_words(actual: Estimate, floor_: float, word: str) -> None:
    """The interval, the floor and the margin decide; turned round, better and worse change places."""
    mirrored = {"better": "worse", "worse": "better"}
    assert word == decide(actual, floor_).word
    assert mirrored.get(word, word) == decide(actual, floor_, higher_is_better=False).word
    assert mirrored.get(word, word) == decide(actual.inverse, floor_).word
    assert (word in {"better", "worse", "no difference"}) == decide(actual, floor_).settled


def test_what_is_not_known_says_what_would_settle_it() -> None:
    """Unresolved names rounds and time, unstable what disturbs."""
    short = decide(compare(2 * draws(5), draws(5, seed=2), method=PAIRED), seconds_a_round=20)
    assert "unresolved (about 1 round more (20 s) would settle it)" == str(short)
    wide = decide(estimate(1.1, 0.8, 1.5), 1.4, disturbances=["6 % of the machine's time went to other guests"])
    assert "unstable (equal trials differ by up to 40 %: 6 % of the machine's time went to other guests)" == str(wide)
    open_ended = decide(estimate(1.04, 0.99, 1.09), 1.04, seconds_a_round=30)
    assert (17, 510) == (open_ended.further, open_ended.seconds)
    assert "unresolved (about 17 rounds more (9 min) would settle it)" == str(open_ended)
    assert "better" == str(decide(estimate(1.2, 1.1, 1.3)))


def test_the_rounds_that_would_settle_it_do() -> None:
    """Of seeded experiments that are unresolved, about 4 of 5 are settled by as many rounds more as they ask for."""
    settled = []
    for row in np.exp(0.06 * np.random.default_rng(3).standard_normal((150, 80)) + math.log(1.04)):
        so_far = decide(compare(row[:10], np.ones(10)))
        if so_far.further is not None and so_far.further <= 70:
            whole = row[: 10 + so_far.further]
            settled.append(decide(compare(whole, np.ones(len(whole)))).settled)
    assert len(settled) > 50
    assert 0.7 < np.mean(settled) < 0.97


def test_further_rounds_are_fewer_where_less_is_open() -> None:
    """A steadier ratio, and one farther from the border, take fewer rounds."""
    open_ended = [further_rounds(estimate(1.05, 1.05 / width, 1.05 * width)) for width in (1.04, 1.06, 1.1, 1.5)]
    assert open_ended == sorted(open_ended)
    far, near = (further_rounds(estimate(ratio, ratio / 1.1, ratio * 1.1)) for ratio in (1.08, 1.04))
    assert far < near


def test_the_decision_is_a_record() -> None:
    """Without a control the floor is 1, and the interval alone decides."""
    actual = decide(estimate(1.2, 1.1, 1.3))
    assert Decision("better", actual.estimate, 1.0) == actual
    assert decision.MARGIN == 0.05


def test_the_shift_is_a_median_with_an_exact_band() -> None:
    """Nine rounds: the band of 95 % is from second lowest to second highest, one of 99 % from end to end."""
    shares = [0.5, 0.9, 0.99]
    a, b = 1.5 * draws(9, 3), draws(9, 3, seed=2)
    actual, wide = shift(a, b, 1000, shares), shift(a, b, 1000, shares, error=0.01)
    ratios = np.sort(a / b, axis=0)
    assert np.allclose(ratios[1], actual.low)
    assert np.allclose(ratios[7], actual.high)
    assert np.allclose(ratios[[0, 8]], [wide.low, wide.high])
    assert np.allclose([2, 10, 100], actual.axis)
    assert (1 - 20 / 512, 1 - 2 / 512) == (actual.coverage, wide.coverage)
    assert np.allclose(ratios[4], actual.ratio)
    assert actual.sure.all()


def test_the_shift_leaves_out_what_the_messages_do_not_carry() -> None:
    """A percentile is there from as many messages on as `tails` asks for; one round has no band."""
    for name, least in tails.NEEDED.items():
        share = float(name[1:]) / 100
        assert (False, True) == (carried(share, least - 1), carried(share, least))
    full = np.ones((3, len(SHARES)))
    some = shift(full, full, 500)
    assert (True, True, 0.75) == (some.shares[-1] < 0.9932, some.shares[-1] > 0.98, some.coverage)
    assert some.rounds.shape == (3, len(some.shares))
    none: Shift = shift(full[:1], full[:1], 10**6)
    assert (0.0, True, len(SHARES)) == (none.coverage, np.isnan(none.low).all(), len(none.ratio))
    assert not len(shift(full, full, 0).shares)
    with pytest.raises(ValueError, match="do not fit"):
        shift(full, full[:, 1:], 500)
