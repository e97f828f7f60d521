"""Thinned lines look like the whole ones."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab.interactive.thinning import thinned


@given(st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), max_size=400), st.integers(5, 60))
def test_ends_and_extremes_stay(values: list[float], most: int) -> None:
    """Of any line at most so many points are left: in order, all its own, both ends, the lowest and the highest."""
    x, y = np.arange(len(values)) * 0.25, np.array(values, dtype=float)
    places, kept = thinned(x, y, most)
    assert len(places) == len(kept) <= max(most, min(len(values), most))
    assert list(places) == sorted(set(places))
    assert np.array_equal(kept, y[(places / 0.25).astype(int)], equal_nan=True)
    if len(values):
        assert (x[0], x[-1]) == (places[0], places[-1])
    if not np.isnan(y).all():
        assert (np.nanmin(y), np.nanmax(y)) == (np.nanmin(kept), np.nanmax(kept))


def test_a_short_gap_stays_one() -> None:
    """A single missing value among thousands is still a gap."""
    y = np.ones(5000)
    y[2500] = np.nan
    assert 1 == np.isnan(thinned(np.arange(5000), y)[1]).sum()
