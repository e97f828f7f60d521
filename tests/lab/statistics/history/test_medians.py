"""The interval of a median: order statistics with the coverage that they state."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab.statistics.history.medians import interval


@pytest.mark.parametrize(("n", "ends", "coverage"), [(2, (1, 2), 0.5), (4, (1, 4), 0.875), (6, (1, 6), 0.96875)])
def test_few_values_span_their_interval(n: int, ends: tuple[int, int], coverage: float) -> None:
    """Up to six values the interval goes from the smallest to the largest, whatever it covers."""
    assert (*ends, coverage) == interval([*range(n, 0, -1)])


@pytest.mark.parametrize("n", [7, 9, 12, 14])
def test_the_coverage_is_that_of_all_signs(n: int) -> None:
    """Each value lies above or below the median alike: counted over all ways in which they may."""
    low, high, coverage = interval(range(n)) or (0, 0, 0)
    kept = sum(low + 1 <= sum(signs) <= high for signs in product((0, 1), repeat=n))
    assert coverage == pytest.approx(kept / 2**n)
    assert coverage >= 0.95


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40))
def test_the_interval_is_made_of_two_values(values: list[float]) -> None:
    """Both ends are among the values, and the middle of them lies between."""
    low, high, coverage = interval(values) or (0, 0, 0)
    assert {low, high} <= {*values}
    assert low <= sorted(values)[len(values) // 2] <= high
    assert 0 < coverage < 1


def test_a_single_value_has_none() -> None:
    """Neither has nothing at all."""
    assert (None, None) == (interval([1.0]), interval([]))
