"""Recorder: quantiles within the stated error of the exact ones, after merging and after saving, nothing dropped."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.model.histogram import RELATIVE_ERROR, Recorder, middles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PROPERTY = settings(deadline=None, max_examples=100, derandomize=True)
QUANTILES = (0.0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 1.0)
SIZES = (1, 10, 1000, 20_000)
DURATIONS = st.lists(st.integers(-(10**18), 10**18) | st.integers(-3, 3), max_size=50)


def bimodal(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Fast and slow, with zeros and negative durations among them."""
    modes = np.stack([random.normal(8e5, 5e4, size), random.normal(2e9, 3e8, size), np.zeros(size), -np.ones(size)])
    return modes[random.choice(4, size, p=[0.6, 0.3, 0.05, 0.05]), np.arange(size)]


DISTRIBUTIONS = {
    "constant": lambda random, size: np.full(size, random.integers(1, 10**9)),
    "uniform": lambda random, size: random.uniform(1, 1e7, size),
    "lognormal": lambda random, size: random.lognormal(13, 2, size),
    "exponential": lambda random, size: 1 + random.exponential(1e6, size),
    "bimodal": bimodal,
}


@pytest.fixture(params=[(name, size) for name in DISTRIBUTIONS for size in SIZES], ids=lambda p: f"{p[0]}-{p[1]}")
def values(request: pytest.FixtureRequest) -> NDArray[np.int64]:
    """Seeded integer durations of one distribution and size."""
    name, size = request.param
    return DISTRIBUTIONS[name](np.random.default_rng(7), size).astype(np.int64)


def recorded(values: ArrayLike) -> Recorder:
    """A recorder that counted the values."""
    recorder = Recorder()
    recorder.record(values)
    return recorder


def check_quantiles(values: NDArray[np.int64], recorder: Recorder) -> None:
    """Every quantile is within the stated error of the exact one; a negative one is told apart as -1."""
    assert len(values) == len(recorder)
    for q in QUANTILES:
        exact = int(np.quantile(values, q, method="inverted_cdf"))
        expected = exact if exact >= 0 else -1
        assert expected == pytest.approx(recorder.quantile(q), rel=0, abs=abs(expected) * RELATIVE_ERROR)


def state(recorder: Recorder) -> tuple[list[int], int, int]:
    """All that a recorder knows."""
    return recorder.counts.tolist(), recorder.zero, recorder.negative


def test_quantiles_are_within_the_stated_error(values: NDArray[np.int64]) -> None:
    """Whatever the distribution, size and quantile, the recorder is within RELATIVE_ERROR of the exact answer."""
    check_quantiles(values, recorded(values))


@pytest.mark.parametrize("parts", [2, 7])
def test_quantiles_hold_after_merging(values: NDArray[np.int64], parts: int) -> None:
    """Recorders merged are one recorder that saw everything."""
    merged = Recorder()
    for part in np.array_split(values, parts):
        merged.merge(recorded(part))
    check_quantiles(values, merged)
    assert state(recorded(values)) == state(merged)


def test_quantiles_hold_after_saving(values: NDArray[np.int64]) -> None:
    """A recorder read back from a run's JSON answers as the one that was saved."""
    recorder = recorded(values)
    restored = Recorder.from_dict(json.loads(json.dumps(recorder.to_dict())))
    check_quantiles(values, restored)
    assert state(recorder) == state(restored)


@PROPERTY
@given(DURATIONS, DURATIONS)
def test_merging_is_recording_both(first: list[int], second: list[int]) -> None:
    """Merging loses and doubles nothing, for durations of any sign and size."""
    merged = recorded(first)
    merged.merge(recorded(second))
    assert state(recorded(first + second)) == state(merged)


@PROPERTY
@given(DURATIONS)
def test_a_dictionary_holds_all_and_only_what_was_counted(durations: list[int]) -> None:
    """`to_dict` is the recorder without its empty buckets, and `from_dict` its inverse."""
    recorder = recorded(durations)
    buckets = recorder.to_dict()
    assert len(durations) == sum(buckets.values())
    assert all(count > 0 for count in buckets.values())
    assert state(recorder) == state(Recorder.from_dict(buckets))


@pytest.mark.parametrize("value", [1, 2, 3, 127, 128, 129, 255, 256, 999, 10**6, 2**40 - 1, 2**53 + 1, 10**15, 10**18])
def test_a_single_duration_is_within_the_stated_error(value: int) -> None:
    """From 1 ns to 30 years every duration has a bucket whose middle is near enough."""
    assert value == pytest.approx(recorded([value]).quantile(0.5), rel=0, abs=value * RELATIVE_ERROR)


@PROPERTY
@given(st.integers(1, 10**18))
def test_any_duration_is_within_the_stated_error(value: int) -> None:
    """The stated error holds between the round numbers too."""
    assert value == pytest.approx(recorded([value]).quantile(0.5), rel=0, abs=value * RELATIVE_ERROR)


@PROPERTY
@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=50))
def test_quantiles_never_decrease(durations: list[int]) -> None:
    """A higher quantile is never a smaller duration."""
    quantiles = [recorded(durations).quantile(q) for q in QUANTILES]
    assert sorted(quantiles) == quantiles


def test_the_middles_increase() -> None:
    """Buckets are in order and none is empty of values: the middles strictly increase from 1 ns on."""
    assert (np.diff(middles()) > 0).all()
    assert 1 <= middles()[0] <= 1 + RELATIVE_ERROR


@pytest.mark.parametrize("times", [0, 1, 3, 500])
def test_times_is_repeated_recording(times: int) -> None:
    """`times=n` counts each duration n times, whatever its sign."""
    durations = [-5, 0, 0, 1, 1000, 10**9]
    repeated = Recorder()
    repeated.record(durations, times=times)
    assert state(recorded(np.array(durations * times, dtype=np.int64))) == state(repeated)


@pytest.mark.parametrize("durations", [7, np.int64(7), [7], (7,), np.array([7])])
def test_a_number_and_a_list_of_one_are_the_same(durations: ArrayLike) -> None:
    """One duration can be recorded without wrapping it."""
    assert state(recorded([7])) == state(recorded(durations))


@pytest.mark.parametrize("empty", [[], (), np.array([], dtype=np.int64)])
def test_recording_nothing_counts_nothing(empty: ArrayLike) -> None:
    """An empty read leaves the recorder empty."""
    assert len(recorded(empty)) == 0


def test_an_empty_recorder_has_no_quantile() -> None:
    """Without durations there is no latency: NaN, never 0, which would read as fast."""
    recorder = Recorder()
    assert all(math.isnan(recorder.quantile(q)) for q in QUANTILES)
    assert (len(recorder), recorder.to_dict()) == (0, {})


def test_zero_and_negative_are_counted_apart() -> None:
    """A clock that steps back shows: zero and negative durations are counted, not clipped, dropped or rounded."""
    recorder = recorded([-(10**18), -1, 0, 0, 0, 5])
    assert (recorder.negative, recorder.zero, len(recorder)) == (2, 3, 6)
    assert [recorder.quantile(q) for q in (0, 2 / 6, 0.5, 5 / 6)] == [-1.0, -1.0, 0.0, 0.0]
    counts = recorder.to_dict()
    assert (counts.pop("zero"), counts.pop("negative"), sum(counts.values())) == (3, 2, 1)


def test_take_leaves_the_recorder_empty() -> None:
    """An interval's durations are handed over once, and later ones do not reach back into it."""
    recorder = recorded([-1, 0, 1, 1000])
    before = state(recorder)
    taken = recorder.take()
    assert before == state(taken)
    assert state(Recorder()) == state(recorder)
    recorder.record([5, -5, 0])
    assert before == state(taken)


def test_merging_leaves_the_other_alone() -> None:
    """A recorder merged into another can go on by itself."""
    first, second = recorded([1, 2]), recorded([3, 0])
    first.merge(second)
    first.record(4)
    assert state(recorded([3, 0])) == state(second)
