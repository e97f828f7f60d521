"""Measuring until it is settled: looks announced beforehand, their error budget, progress, and where time pays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sentinel.lab.statistics.rounds import ranks, settling
from sentinel.lab.statistics.rounds.allocation import allocate
from sentinel.lab.statistics.rounds.estimates import PAIRED, UNPAIRED, Estimate, compare
from sentinel.lab.statistics.rounds.sequential import affordable, announced, plan, spent


def estimate(ratio: float, half_width: float, n: int = 8) -> Estimate:
    """An estimate with an interval of ± `half_width`."""
    factor = 1 + half_width
    return Estimate(ratio, ratio / factor, ratio * factor, 0.95, 0.01, n, PAIRED, math.log(factor) / 1.96)


def test_looks_are_announced() -> None:
    """The first look is at six rounds, the last where the rounds end; time says how many there can be."""
    assert [(4,), (6,), (6, 8, 12), (6, 8, 10)] == [announced(n) for n in (4, 6, 12, 10)]
    assert [1, 1, 30, 20] == [affordable(s, 30) for s in (5, 45, 10_000, 600)]
    actual = plan(announced(12))
    assert [6, 8, 12, None] == [actual.next_look(n) for n in (0, 6, 8, 12)]
    with pytest.raises(ValueError, match=r"no look at 7 rounds: the plan announced \(6, 8, 12\)"):
        actual.estimate(np.ones(7), np.ones(7))


def test_the_budget_is_spent_late_and_whole() -> None:
    """The spending function rises from nothing to the whole error, by 0.0031 at half of the rounds."""
    shares = np.linspace(0.01, 1, 50)
    values = [spent(share) for share in shares]
    assert values == sorted(values)
    assert (0.05, 0.0031) == (pytest.approx(values[-1]), pytest.approx(spent(0.5), abs=1e-4))
    assert spent(0.1) < 1e-6


@pytest.mark.parametrize("legs", [(1, 1), (1, 2)])
def test_each_look_spends_no_more_than_it_may(legs: tuple[int, int]) -> None:
    """A look's own share of misses is within the budget up to it; with one look it is that of a fixed number."""
    actual = plan((6, 8, 12), legs)
    for n, paired, unpaired in zip(actual.looks, actual.paired, actual.unpaired, strict=True):
        assert 0 <= paired <= spent(n / 12)
        assert 0 < unpaired <= spent(n / 12)
    chances = ranks.signed_rank(10)
    assert ranks.missed(chances, ranks.cut(chances)) == plan((10,), legs).paired[0]
    assert actual.paired[-1] > 0.04


@pytest.mark.parametrize("method", [PAIRED, UNPAIRED])
def test_all_looks_together_keep_the_error(method: str) -> None:
    """Of seeded experiments with heavy-tailed noise, in 95 of 100 or more every look's interval holds the truth."""
    actual = plan(announced(12), (1, 2))
    missed = 0
    for trial in np.exp(0.1 * np.random.default_rng(5).standard_t(3, (400, 12, 3))):
        looks = [actual.estimate(trial[:n, 0], trial[:n, 1:], method=method) for n in actual.looks]
        missed += any(not e.low <= 1 <= e.high for e in looks)
    assert missed / 400 < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 400)


def test_a_look_too_early_for_an_interval_has_none() -> None:
    """Six pairs cannot keep the error that half of the rounds may spend: the interval holds everything."""
    e = plan(announced(12)).estimate(np.full(6, 2.0), np.ones(6), method=PAIRED)
    assert (0.0, math.inf, 1.0, 2.0) == (e.low, e.high, e.coverage, e.ratio)
    assert not settling.narrow(e)


def test_a_look_with_a_failed_trial_keeps_its_error() -> None:
    """A round fewer, or a leg fewer, has an interval of its own that misses no more often than the look may."""
    actual, trials = plan(announced(12), (1, 2)), np.exp(0.1 * np.random.default_rng(1).standard_normal((12, 3)))
    trials[2, 0] = trials[5, 1] = math.nan
    for method, allowed in ((PAIRED, actual.paired), (UNPAIRED, actual.unpaired)):
        e = actual.estimate(trials[:, 0], trials[:, 1:], method=method)
        assert (11, True) == (e.rounds, 0.9 * allowed[-1] - 0.01 < 1 - e.coverage <= allowed[-1])


def test_time_that_is_up_early_spends_what_is_left() -> None:
    """A plan that must end at ten rounds keeps the looks that were, and makes the tenth the last."""
    ended = plan(announced(12)).ending(10)
    assert (6, 8, 10) == ended.looks
    assert 0.03 < ended.paired[-1] <= 0.05
    assert (6, 8, 12) == plan(announced(12)).ending(12).looks


def test_settled_asks_for_the_width_alone() -> None:
    """± 5 % is enough far from 1; near it the interval must be half as wide; one wide ratio keeps all waiting."""
    assert settling.settled([estimate(2.0, 0.049), estimate(0.4, 0.03)])
    assert not settling.settled([estimate(2.0, 0.049), estimate(0.4, 0.06)])
    assert [True, False] == [settling.narrow(estimate(1.02, width)) for width in (0.024, 0.026)]
    assert settling.narrow(estimate(2.0, 0.09), settle=0.1)
    assert not settling.settled([compare([], [])])


def test_progress_says_what_is_settled_and_what_is_not() -> None:
    """A line of what is known: settled widths, and about how many rounds the others take."""
    text = settling.progress({"capacity": estimate(3.0, 0.03), "stored p99": estimate(2.0, 0.06)})
    assert "capacity settled at ± 3 %; stored p99 ± 6 %, about 4 rounds more" == text
    early = plan(announced(12)).estimate(2 * np.exp([0.2, -0.2, 0.1, 0, -0.1, 0.05]), np.ones(6), method=PAIRED)
    assert settling.progress({"p99": early}).startswith("p99: too few rounds for an interval, about ")
    assert "p99: too few rounds for an interval" == settling.progress({"p99": compare([2.0], [1.0])})


@pytest.mark.parametrize("aim", [0.02, 0.05])
def test_the_rounds_to_narrow_make_it_narrow(aim: float) -> None:
    """An interval shrinks with the root of the rounds: four times as many make it half as wide."""
    assert settling.rounds_to_narrow(estimate(2.0, 0.99 * aim), aim) == 0
    more = settling.rounds_to_narrow(estimate(2.0, (1 + aim) ** 2 - 1), aim)
    assert more is not None
    assert abs(more - 24) <= 1


def pilot(between: float, within: float, *shape: int, seed: int = 1) -> np.ndarray:
    """A measure with these standard deviations of logarithms; the last axis is windows."""
    random = np.random.default_rng(seed)
    return np.exp(between * random.standard_normal((*shape[:-1], 1)) + within * random.standard_normal(shape))


def test_variance_is_split_as_it_was_made() -> None:
    """From a large pilot, both parts are found again, and what a round shares is left out where it has two legs."""
    actual = allocate(pilot(0.1, 0.2, 2000, 10), window=1, fixed=5)
    assert (0.01, 0.04) == (pytest.approx(actual.between, rel=0.1), pytest.approx(actual.within, rel=0.1))
    assert actual.best == pytest.approx(math.sqrt(5 * 0.04 / 0.01), abs=1)
    drifting = pilot(0.1, 0.2, 2000, 2, 10) * pilot(0.5, 0.0, 2000, 1, 1, seed=2)
    assert allocate(drifting, window=1, fixed=5).between == pytest.approx(0.01, rel=0.1)


def test_the_best_length_costs_least() -> None:
    """No other number of windows buys the same precision in less time."""
    actual = allocate(pilot(0.1, 0.4, 500, 6), window=1, fixed=10)
    assert actual.best == min(range(1, 200), key=actual.cost)
    assert actual.rounds(0.05) > actual.rounds(0.1) > 1
    assert actual.rounds(0.05, legs=(1, 2)) < actual.rounds(0.05)


def test_what_varies_says_where_time_pays() -> None:
    """Noise within trials asks for longer ones, noise between them for more rounds, neither for nothing."""
    longer = allocate(pilot(0.01, 0.5, 40, 5), window=1, fixed=10)
    rounds = allocate(pilot(0.3, 0.1, 40, 20), window=1, fixed=2)
    assert ("longer trials", "more rounds") == (longer.advice, rounds.advice)
    assert str(longer).startswith("longer trials would take ")
    assert "% less time: " in str(rounds)
    assert str(rounds).startswith("shorter trials, and more rounds of them, ")
    fine = allocate(pilot(0.1, 0.2, 2000, 4), window=1, fixed=5)
    assert ("", "trials of 4 s are as long as they should be") == (fine.advice, str(fine))


def test_without_variance_between_trials_they_are_as_long_as_may_be() -> None:
    """Where windows explain all that varies, each new trial only costs its start."""
    actual = allocate(pilot(0.0, 0.2, 6, 5, seed=3), window=1, fixed=5, longest=60)
    assert (0.0, 60) == (actual.between, actual.best)


@pytest.mark.parametrize(
    ("wrong", "expected_text"),
    [([[1.0, 2.0]], "not 1 of 2"), ([[1.0], [2.0]], "not 2 of 1"), ([[1.0, 0], [1, 2]], "not of 0")],
)
def test_a_pilot_that_says_nothing_is_refused(wrong: list[list[float]], expected_text: str) -> None:
    """The error names what was given, and what is needed."""
    with pytest.raises(ValueError, match=expected_text):
        allocate(wrong, window=1, fixed=1)
