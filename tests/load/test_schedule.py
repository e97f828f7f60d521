"""Schedule: intended send times are exact, seeded, strictly increasing, and whole when given out in slices."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import SettingsError
from sentinel.load.schedule import DUTY, OPEN, SLICE, Schedule, Slice, due
from sentinel.settings import LoadSettings

PROPERTY = settings(deadline=None, max_examples=150, derandomize=True)
SECOND = 1_000_000_000


def whole(schedule: Schedule) -> Slice:
    """All slices, joined."""
    parts = [schedule.until(end) for end in schedule.slices()]
    return Slice(np.concatenate([p.times for p in parts]), np.concatenate([p.sources for p in parts]))


@PROPERTY
@given(st.floats(0.1, 5000.0), st.floats(0.001, 4.0), st.integers(1, 20))
def test_constant_sends_exactly_what_falls_before_the_end(rate: float, duration: float, workers: int) -> None:
    """The count is that of the multiples of 1/rate in [0, duration), reckoned exactly, and no time is past the end."""
    end = round(duration * SECOND)
    schedule = whole(Schedule("constant", workers, rate, duration, seed=1))
    assert ceil(Fraction(end) * Fraction(rate) / SECOND) == len(schedule.times)
    assert all(0 <= time < end for time in schedule.times.tolist())


@pytest.mark.parametrize(
    ("rate", "duration", "count"),
    [
        (1000, 1, 1000),
        (1000, 10, 10_000),
        (25_000, 2, 50_000),
        (3, 1, 3),
        (7, 3, 21),
        (1, 0.5, 1),
        (0.5, 4, 2),
        (1, 1.0001, 2),
        (33.3, 10, 333),
        (1000.1, 10, 10_001),
        (100_000, 0.25, 25_000),
        (0.1, 30, 3),
        (1e6, 0.3, 300_000),
        (999_999, 1, 999_999),
    ],
)
def test_constant_sends_rate_times_duration(rate: float, duration: float, count: int) -> None:
    """The number of messages is rate x duration, rounded up."""
    assert count == len(whole(Schedule("constant", 4, rate, duration, seed=1)).times)


@pytest.mark.parametrize("rate", [1, 3, 7, 999, 1000, 12_345.6, 100_000])
def test_constant_is_evenly_spaced_without_drift(rate: float) -> None:
    """Message i is sent at i/rate, within 1 ns however far into the schedule, across the joints too."""
    times = whole(Schedule("constant", 4, rate, 3.5, seed=1)).times
    assert np.abs(times - np.arange(len(times)) * SECOND / rate).max() <= 1


@pytest.mark.parametrize("workers", [1, 3, 16, 5000])
def test_constant_goes_round_the_sources(workers: int) -> None:
    """Message i belongs to source i mod workers, across the joints too."""
    sources = whole(Schedule("constant", workers, 1001, 3.2, seed=1)).sources
    assert [i % workers for i in range(len(sources))] == sources.tolist()


@PROPERTY
@given(st.sampled_from([0.7, 10, 333.3, 20_000]), st.lists(st.integers(1, 2 * SECOND), min_size=1, max_size=8))
def test_constant_slices_join_to_the_whole_wherever_they_are_cut(rate: float, ends: list[int]) -> None:
    """Cut anywhere, the slices joined are what one slice gives: no gap, no repeat."""
    ends = sorted(ends)
    schedule = Schedule("constant", 7, rate, ends[-1] / SECOND, seed=1)
    parts = [schedule.until(end) for end in ends]
    expected = Schedule("constant", 7, rate, ends[-1] / SECOND, seed=1).until(ends[-1])
    assert expected.times.tolist() == np.concatenate([p.times for p in parts]).tolist()
    assert expected.sources.tolist() == np.concatenate([p.sources for p in parts]).tolist()


@pytest.mark.parametrize("loop", ["constant", "poisson"])
@pytest.mark.parametrize("duration", [0.25, 1, 1.5, 3])
@pytest.mark.parametrize("rate", [697, 2000, 2922])
def test_every_time_lies_in_its_own_slice(loop: str, duration: float, rate: float) -> None:
    """A slice holds what falls due from the end before it up to its own, so nothing is given out late."""
    schedule, start = Schedule(loop, 5, rate, duration, seed=3), 0
    for end in schedule.slices():
        times = schedule.until(end).times
        assert start <= times[0] <= times[-1] < end
        start = end


@pytest.mark.parametrize("duration", [1e-6, 0.5, 1, 1.0000001, 2, 7.25, 3600])
def test_slices_are_bounded_and_end_with_the_schedule(duration: float) -> None:
    """No slice is longer than SLICE, none is empty, and the last end is the schedule's own."""
    ends = list(Schedule("constant", 1, 1, duration, seed=1).slices())
    assert round(duration * SECOND) == ends[-1]
    assert all(0 < end - start <= SLICE for start, end in zip([0, *ends], ends, strict=False))


UNEVEN = st.sampled_from(["bursts", "ramp"])


@PROPERTY
@given(UNEVEN, st.floats(0.1, 5000.0), st.floats(0.001, 4.0), st.integers(1, 20))
def test_uneven_loops_send_as_many_as_a_constant_one(loop: str, rate: float, duration: float, sources: int) -> None:
    """All times lie within the schedule and strictly increase, and sources take turns."""
    end = round(duration * SECOND)
    actual, even = (whole(Schedule(each, sources, rate, duration, seed=1)) for each in (loop, "constant"))
    assert len(even.times) == len(actual.times)
    assert even.sources.tolist() == actual.sources.tolist()
    assert (np.diff(actual.times) > 0).all()
    assert all(0 <= time < end for time in actual.times.tolist())


@PROPERTY
@given(UNEVEN, st.sampled_from([0.7, 333.3, 20_000]), st.lists(st.integers(1, 2 * SECOND), min_size=1, max_size=8))
def test_slices_of_uneven_loops_join_to_the_whole(loop: str, rate: float, ends: list[int]) -> None:
    """Cut anywhere, each slice holds what falls due within it, and joined they are what one slice gives."""
    ends, start = sorted(ends), 0
    schedule, parts = Schedule(loop, 7, rate, ends[-1] / SECOND, seed=1), []
    for end in ends:
        parts.append(schedule.until(end))
        assert all(start <= time < end for time in parts[-1].times.tolist())
        start = end
    expected = Schedule(loop, 7, rate, ends[-1] / SECOND, seed=1).until(ends[-1])
    assert expected.times.tolist() == np.concatenate([p.times for p in parts]).tolist()
    assert expected.sources.tolist() == np.concatenate([p.sources for p in parts]).tolist()


@pytest.mark.parametrize(("duration", "period"), [(3, 1.0), (2.6, 2.6 / 3), (0.3, 0.3)])
def test_bursts_are_as_stated(duration: float, period: float) -> None:
    """A fifth of every period at five times the rate, then nothing; a whole number of periods of about a second."""
    times = whole(Schedule("bursts", 4, 1000, duration, seed=1)).times / SECOND
    bursts, within = np.divmod(times + 1e-9, period)
    assert within.max() < DUTY * period
    assert 1000 * period == pytest.approx(np.bincount(bursts.astype(int)), abs=1)
    assert np.diff(times)[:50] == pytest.approx(DUTY / 1000, rel=1e-3)


@PROPERTY
@given(st.sampled_from(OPEN), st.floats(0.5, 5.0), st.lists(st.floats(0, 1), min_size=2, max_size=2))
def test_what_falls_due_between_two_moments_is_known(loop: str, duration: float, ends: list[float]) -> None:
    """To a message of a load that is spread by no chance, and on average of one that is."""
    load = LoadSettings(loop=loop, rate=2000, duration=duration)
    since, until = (end * duration for end in sorted(ends))
    times = whole(Schedule(loop, 3, load.rate, duration, seed=1)).times / SECOND
    expected = ((since <= times) & (times < until)).sum()
    assert expected == pytest.approx(due(load, since, until), abs=2 if loop != "poisson" else 600)


def test_a_ramp_rises_from_a_tenth_to_nearly_double() -> None:
    """Evenly: each tenth of the time sends as many more than the one before."""
    counts = np.histogram(whole(Schedule("ramp", 4, 10_000, 5, seed=1)).times, bins=10, range=(0, 5 * SECOND))[0]
    assert 10_000 * 0.5 * np.linspace(0.19, 1.81, 10) == pytest.approx(counts, abs=2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("rate", "duration"), [(50, 4), (1000, 3), (20_000, 2.5), (300_000, 1)])
def test_poisson_keeps_its_mean_rate(seed: int, rate: float, duration: float) -> None:
    """The number of messages is within 5 sigma of rate x duration."""
    count = len(whole(Schedule("poisson", 8, rate, duration, seed)).times)
    assert rate * duration == pytest.approx(count, abs=5 * (rate * duration) ** 0.5)


@pytest.mark.parametrize("seed", range(3))
def test_poisson_gaps_are_exponential(seed: int) -> None:
    """Gaps scatter as much as their mean, joints included, as those of a memoryless process do and no even ones do."""
    gaps = np.diff(whole(Schedule("poisson", 8, 10_000, 5, seed)).times)
    assert gaps.mean() == pytest.approx(gaps.std(), rel=5 * (2 / len(gaps)) ** 0.5)


@PROPERTY
@given(
    st.integers(0, 2**32),
    st.sampled_from([10, 5000, 10**7, 5 * 10**8]),
    st.lists(st.integers(1, 50_000), min_size=1, max_size=6, unique=True),
)
def test_poisson_times_strictly_increase_however_dense(seed: int, rate: float, ends: list[int]) -> None:
    """No two messages share a ns, within a slice or across a joint, even at one message every 2 ns."""
    schedule = Schedule("poisson", 3, rate, max(ends) / SECOND, seed)
    times = np.concatenate([schedule.until(end).times for end in sorted(ends)])
    assert (np.diff(times) > 0).all()
    assert (times >= 0).all()


def test_poisson_is_the_same_for_the_same_seed_only() -> None:
    """The seed in the run's record gives the schedule again, and another seed gives another one."""
    first, again, other = (whole(Schedule("poisson", 8, 1000, 2.5, seed)) for seed in (1, 1, 2))
    assert first.times.tolist() == again.times.tolist()
    assert first.sources.tolist() == again.sources.tolist()
    assert first.times.tolist() != other.times.tolist()


def test_poisson_spreads_over_all_sources() -> None:
    """Every source sends its share, within 5 sigma."""
    sources = whole(Schedule("poisson", 8, 10_000, 2, seed=1)).sources
    counts = np.bincount(sources, minlength=8)
    assert len(counts) == 8
    assert [len(sources) / 8] * 8 == pytest.approx(counts.tolist(), abs=5 * (len(sources) / 8) ** 0.5)


@pytest.mark.parametrize("loop", OPEN)
def test_the_arrays_are_parallel_integers(loop: str) -> None:
    """Times and sources are as long as each other, and integers: a time is never rounded on its way to the wire."""
    part = Schedule(loop, 3, 100, 1, seed=1).until(SECOND)
    assert (np.int64, np.int64) == (part.times.dtype, part.sources.dtype)
    assert len(part.times) == len(part.sources)


@pytest.mark.parametrize("loop", ["constant", "poisson"])
def test_a_slice_without_messages_is_empty(loop: str) -> None:
    """A rate so low that nothing falls due gives empty slices, not errors."""
    schedule = Schedule(loop, 1, 1e-6, 3, seed=1)
    counts = [len(schedule.until(end).times) for end in schedule.slices()]
    assert [int(loop == "constant")] + [0] * (len(counts) - 1) == counts


@pytest.mark.parametrize("loop", ["closed", "burst", "", "Constant"])
def test_a_loop_without_a_schedule_is_refused(loop: str) -> None:
    """A closed loop has no intended times, an unknown one neither; the message says which loops do."""
    with pytest.raises(SettingsError) as caught:
        Schedule(loop, 1, 1, 1, seed=1)
    assert f"loop={loop!r} has no schedule: expected one of constant, poisson, bursts, ramp" == str(caught.value)


def test_every_open_loop_has_a_schedule() -> None:
    """All loops that the settings offer, but `closed`, can be scheduled, up to the last moment."""
    ends = {list(Schedule(loop, 1, 1, 1, seed=0).slices())[-1] for loop in OPEN}
    assert {1_000_000_000} == ends
