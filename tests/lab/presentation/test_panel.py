"""A panel of the live view: where values lie on its scale, and names beside their lines."""

from __future__ import annotations

import numpy as np
import pytest

from sentinel.lab.presentation.panel import Scale, spread


@pytest.mark.parametrize("wanted", [[], [5.0], [10.0, 10.0, 10.0], [98.0, 99.0, 100.0], [0.0, 50.0, 51.0]])
def test_names_do_not_overlap(wanted: list[float]) -> None:
    """Names keep their order and their distance, and stay within the panel."""
    actual = spread(wanted, 13.0, 100.0)
    assert len(wanted) == len(actual)
    assert all(gap >= 13.0 - 1e-9 for gap in np.diff(actual))
    assert all(place <= 100.0 for place in actual)


def test_a_scale_goes_from_nought_to_its_last_tick() -> None:
    """Values lie between its ends in proportion."""
    assert [0.0, 0.25, 1.0] == Scale([0.0, 10.0, 20.0]).share(np.array([0.0, 5.0, 20.0])).tolist()


def test_a_logarithmic_scale_has_no_place_for_nought() -> None:
    """A decade is as high as any other; what is not above 0 is left out."""
    actual = Scale([1.0, 10.0, 100.0], logarithmic=True).share(np.array([0.0, -1.0, 1.0, 10.0, 100.0]))
    assert np.isnan(actual[:2]).all()
    assert [0.0, 0.5, 1.0] == actual[2:].tolist()
