"""Comparisons as run.json holds them: ratios over rounds, intervals honest about few of them, looks paid for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab import formatting
from sentinel.lab.statistics.compare import BOOTSTRAP, RANGE, UNKNOWN, Ratio, Verdict, Word, estimated, ratio_of
from sentinel.lab.statistics.rounds import sequential
from sentinel.lab.statistics.rounds.estimates import compare

ROUNDS = Ratio(2.0, 1.8, 2.2, 5, 0.978, "unpaired", 0.008, 0.05, 4)


def draws(n: int, legs: int = 1, *, seed: int = 1, spread: float = 0.05) -> np.ndarray:
    """Values of `n` rounds around 1."""
    return np.random.default_rng(seed).lognormal(0, spread, (n, legs))


def drawn(n: int, legs: tuple[int, int] = (1, 1), spread: float = 0.05) -> Ratio:
    """A ratio of about 2 over `n` rounds."""
    return ratio_of(estimated(2 * draws(n, legs[0], spread=spread), draws(n, legs[1], seed=2, spread=spread)))


# -- estimates -------------------------------------------------------------------------------------------------------


def test_a_fixed_number_of_rounds_is_compared_as_it_is() -> None:
    """Without looks the estimate is that of the rounds, with both legs of the side that has two."""
    new, old = 2 * draws(8, 2), draws(8, seed=2)
    assert compare(new, old) == estimated(new, old)
    assert (2, 1) == estimated(new, old).legs


@pytest.mark.parametrize("rounds", [6, 8, 10, 12])
def test_the_interval_pays_for_the_looks(rounds: int) -> None:
    """Where more looks were announced the interval is no narrower than without any, and that of the plan."""
    new, old, looks = 2 * draws(rounds, 2), draws(rounds, seed=2), (6, 8, 12)
    plan = sequential.plan(looks, (2, 1))
    expected = (plan if rounds in looks else plan.ending(rounds)).estimate(new, old)
    actual, alone = estimated(new, old, looks), estimated(new, old)
    assert expected == actual
    assert actual.low <= alone.low <= alone.high <= actual.high


def test_a_single_look_costs_nothing() -> None:
    """Looking once, at the end, is a fixed number of rounds."""
    new, old = 2 * draws(8), draws(8, seed=2)
    assert (estimated(new, old).low, estimated(new, old).high) == pytest.approx(
        (estimated(new, old, (8,)).low, estimated(new, old, (8,)).high)
    )


def test_without_rounds_there_is_no_ratio() -> None:
    """No trial on one side, or none at all, is neither a number nor an error, with and without looks."""
    for looks in ((), (6, 8)):
        for a, b in (([], []), ([math.nan, 1.0], [1.0, math.nan])):
            ratio = ratio_of(estimated(a, b, looks))
            assert (None, None, 0) == (ratio.value, ratio.interval, ratio.n)


# -- ratios ----------------------------------------------------------------------------------------------------------


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(*[st.lists(st.floats(0.01, 100), min_size=n, max_size=n) for _ in range(2)])
    )
)
def test_a_ratio_holds_what_the_estimate_says(sides: tuple[list[float], list[float]]) -> None:
    """Value within its interval, the exact coverage, the exact p, and nothing that is not finite."""
    estimate = estimated(*sides)
    ratio = ratio_of(estimate)
    assert (estimate.ratio, estimate.p, estimate.rounds, estimate.method) == (
        ratio.value,
        ratio.p,
        ratio.n,
        ratio.method,
    )
    low, high = ratio.interval or (0.0, math.inf)
    assert low <= estimate.ratio * (1 + 1e-9)
    assert estimate.ratio <= high * (1 + 1e-9)
    assert estimate.keeps() is not ratio.short
    assert all(
        value is None or math.isfinite(value) for value in (ratio.low, ratio.high, ratio.p, ratio.standard_error)
    )


@pytest.mark.parametrize(
    ("n", "legs", "text"),
    [
        (1, (1, 1), "no interval of 1 unpaired round; 95 % takes 4"),
        (3, (1, 1), "90.0 % interval of 3 unpaired rounds; 95 % takes 4"),
        (4, (1, 1), "97.1 % interval of 4 unpaired rounds"),
        (5, (1, 1), "96.8 % interval of 5 unpaired rounds"),
        (6, (1, 1), "96.9 % interval of 6 paired rounds"),
        (2, (2, 1), "86.7 % interval of 2 unpaired rounds; 95 % takes 3"),
        (3, (2, 1), "95.2 % interval of 3 unpaired rounds"),
    ],
)
def test_the_interval_says_what_it_is_and_what_it_takes(n: int, legs: tuple[int, int], text: str) -> None:
    """True coverage, rounds and method are named; of rounds too few for 95 %, how many that takes."""
    ratio = drawn(n, legs)
    assert text == formatting.note(ratio)
    assert ("95 % takes" in text) is ratio.short


def test_a_note_of_a_run_made_before_is_its_n() -> None:
    """Bootstrap intervals of older runs, and single trials, are told by their number."""
    assert "n = 5 each" == formatting.note(Ratio(2.0, 1.8, 2.2, 5, 0.95, BOOTSTRAP))
    assert "n = 1: no interval" == formatting.note(Ratio(2.0, None, None, 1))


@pytest.mark.parametrize(
    ("ratios", "text"),
    [
        ([], "no intervals, single trials having none"),
        ([drawn(1), UNKNOWN], "no intervals, single trials having none"),
        ([drawn(12), UNKNOWN], "exact intervals of 95.8 % over paired rounds"),
        ([drawn(12), drawn(4)], "exact intervals of 95.8 to 97.1 % over paired and unpaired rounds"),
        ([Ratio(2.0, 1.8, 2.2, 5, 0.95, BOOTSTRAP)], "95 % bootstrap intervals"),
        ([Ratio(2.0, 1.8, 2.2, 5)], "95 % bootstrap intervals"),
        (
            [Ratio(2.0, 1.8, 2.2, 3, 0.9, BOOTSTRAP)],
            "bootstrap intervals (from best to worst, 3 trials being few: about 90 % confidence)",
        ),
        ([Ratio(2.0, 1.8, 2.2, 5, None, RANGE)], "no intervals, single trials having none"),
    ],
)
def test_intervals_are_told_by_their_true_coverage(ratios: list[Ratio], text: str) -> None:
    """Of rounds the exact coverage and how they were compared; of older runs what they were."""
    assert text == formatting.intervals(ratios)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Ratio(0.01234, 0.01, 0.02, 3), "0.012× [0.01, 0.02]"),
        (Ratio(1.5, 1.25, 1.75, 3), "1.50× [1.25, 1.75]"),
        (Ratio(1234.5, 999.4, 2000.6, 3), "1,234× [999, 2,001]"),
        (Ratio(2.0, math.nan, math.nan, 1), "2.00× (n = 1: no interval)"),
        (Ratio(1.0, math.nan, math.inf, 3), "1.00× (n = 3: no interval)"),
        (Ratio(math.nan, math.nan, math.nan, 0), "–"),
    ],
)
def test_a_ratio_prints_with_its_interval(value: Ratio, text: str) -> None:
    """Small and large ratios keep two to four digits, and a missing interval is named."""
    assert text == str(formatting.ratio(value))


# -- verdicts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("further", "seconds", "error", "text"),
    [
        (6, 170.0, 0.05, "about 6 rounds more, 3 min, would settle it"),
        (1, 12.3, 0.05, "about 1 round more, 13 s, would settle it"),
        (900, 8000.0, 0.05, "about 900 rounds more, 2.2 h, would settle it"),
        (3, None, None, "at least 3 rounds more would settle it"),
        (None, None, 0.05, ""),
    ],
)
def test_what_would_settle_it_is_said_in_rounds_and_time(
    further: int | None, seconds: float | None, error: float | None, text: str
) -> None:
    """Rounds, and the time they take where it is known; of too few rounds for a forecast, the least there must be."""
    ratio = Ratio(2.0, 0.8, 2.2, 5, 0.97, "unpaired", 0.3, error, 4)
    verdict = Verdict("capacity", Word.UNRESOLVED, ratio, 0.1, control=True, further=further, seconds=seconds)
    assert text == formatting.settling(verdict)


@pytest.mark.parametrize(
    ("disturbances", "text"),
    [
        (["timers were late by 3.0 ms at p99"], "what disturbs: timers were late by 3.0 ms at p99"),
        (["steal", "jitter"], "what disturbs: steal and jitter"),
        ([], "what disturbs: not known"),
    ],
)
def test_an_unstable_verdict_names_what_disturbs(disturbances: list[str], text: str) -> None:
    """All that is known of the machine, or that nothing is; and no number of rounds that nobody measures."""
    verdict = Verdict(
        "capacity", Word.UNSTABLE, ROUNDS, 0.4, control=True, further=400, seconds=9e4, disturbances=disturbances
    )
    expected = f"97.8 % interval of 5 unpaired rounds; A/A noise floor 1.40×; {text}"
    assert expected == str(formatting.because(verdict))


def test_without_a_control_no_floor_is_made_up() -> None:
    """Where no second leg shows a noise floor, that is said."""
    verdict = Verdict("stored_p99", Word.BETTER, ROUNDS, 0.0, control=False)
    assert "97.8 % interval of 5 unpaired rounds; no A/A control" == str(formatting.because(verdict))


@pytest.mark.parametrize(
    ("ratio", "band", "hidden"), [(ROUNDS, 0.3, True), (ROUNDS, 0.1, False), (UNKNOWN, 0.3, False)]
)
def test_an_older_run_says_what_hides_the_difference(ratio: Ratio, band: float, hidden: bool) -> None:
    """Its `cannot tell` had two reasons: an interval across, or a floor wider than 1.2."""
    assert hidden is Verdict("capacity", Word.CANNOT_TELL, ratio, band, control=True).hidden
    assert not Verdict("capacity", Word.UNRESOLVED, ratio, band, control=True).hidden
