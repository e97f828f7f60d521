"""E-divisive means: published and made-up changes are seen where they are, and chance is not taken for one."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.lab.statistics.history.edivisive import LEAST, LEVEL, change_points, split

NILE = [
    *(1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140),
    *(1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969),
    *(831, 726, 456, 824, 702, 1120, 1100, 832, 764, 821, 768, 845, 864, 862, 698, 845, 744, 796, 1040, 759),
    *(781, 865, 845, 944, 984, 897, 822, 1010, 771, 676, 649, 846, 812, 742, 801, 1040, 860, 874, 848, 890),
    *(744, 749, 838, 1050, 918, 986, 797, 923, 975, 815, 1020, 906, 901, 1170, 912, 746, 919, 718, 714, 740),
]
"""Annual flow of the Nile at Aswan, 1871 to 1970, 10^8 m³ (G. W. Cobb, Biometrika 65, 1978): it fell after 1898."""


def series(seed: int, *parts: tuple[int, float], spread: float = 0.05) -> Any:
    """Normal values: so many around each level in turn."""
    random = np.random.default_rng(seed)
    return np.concatenate([random.normal(level, spread, n) for n, level in parts])


def places(values: Any) -> list[int]:
    """Where it changed."""
    return [change.at for change in change_points(values)]


def test_the_nile_fell_after_1898() -> None:
    """The one change point of the series that most methods are tried on: the first lower year is 1899."""
    (change,) = change_points(NILE)
    assert (1899, True) == (1871 + change.at, change.p <= LEVEL)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([(5, 1.0), (5, 1.3)], [5]),
        ([(7, 1.0), (3, 1.3)], [7]),
        ([(12, 1.0), (12, 1.2)], [12]),
        ([(10, 1.0), (10, 1.5), (10, 1.0)], [10, 20]),
        ([(8, 1.0), (8, 2.0), (8, 1.5), (8, 3.0)], [8, 16, 24]),
        ([(30, 1.0), (4, 1.4)], [30]),
    ],
)
def test_changes_are_seen_where_they_are(parts: list[tuple[int, float]], expected: list[int]) -> None:
    """One change or several, upwards and back, near the end as well: each where it was made, also upside down."""
    values = series(1, *parts)
    assert expected == places(values) == places(-values)


def test_chance_is_seldom_taken_for_a_change() -> None:
    """Of series that never change, hardly more than the level are said to have changed."""
    wrong = sum(bool(places(series(seed, (14, 1.0)))) for seed in range(100))
    assert wrong <= 100 * LEVEL + 3


def test_what_hardly_varies_never_changed() -> None:
    """Equal values, too few values and none at all have no change point; the largest of few is none either."""
    assert [[]] * 5 == [places(values) for values in ([2.0] * 20, [1.0, 2.0], [], [1.0] * 9 + [2.0], [1.0] * 5)]


def test_the_same_series_has_the_same_change_points() -> None:
    """Permutations are seeded: a page made again says the same."""
    values = series(7, (9, 1.0), (9, 1.1))
    assert change_points(values) == change_points(list(values))


def test_a_missing_value_is_refused() -> None:
    """NaN is no number that differs from others."""
    with pytest.raises(ValueError, match="finite numbers"):
        change_points([1.0, math.nan, 2.0])


def energy(values: list[float], at: int, end: int) -> float:
    """The scaled divergence of both parts, written out as the paper does."""
    left, right = values[:at], values[at:end]
    across = 2 / (len(left) * len(right)) * sum(abs(x - y) for x in left for y in right)
    within = [sum(abs(x - y) for x, y in combinations(part, 2)) / math.comb(len(part), 2) for part in (left, right)]
    return len(left) * len(right) / (len(left) + len(right)) * (across - sum(within))


NUMBERS = st.lists(st.integers(-50, 50).map(float), min_size=2 * LEAST, max_size=12)


@given(NUMBERS)
@settings(max_examples=60)
def test_the_statistic_is_the_paper_s(values: list[float]) -> None:
    """The best division is that of all divisions and all ends of the second part, written out."""
    n = len(values)
    ends = [(at, end) for at in range(LEAST, n) for end in range(at + LEAST, n + 1)]
    array = np.array(values)
    best = split(np.abs(array[:, None] - array[None, :]))
    assert best.statistic == pytest.approx(max(energy(values, at, end) for at, end in ends), abs=1e-9)
    assert best.statistic == pytest.approx(
        max(energy(values, best.at, end) for end in range(best.at + LEAST, n + 1)), abs=1e-9
    )


@given(NUMBERS, st.floats(0.125, 8), st.integers(-100, 100))
@settings(max_examples=30)
def test_neither_unit_nor_origin_matters(values: list[float], unit: float, origin: int) -> None:
    """A series in another unit, from another zero, has its change points at the same places."""
    scale = 2.0 ** round(math.log2(unit))  # exact, so that ties stay ties
    assert places(values) == places([scale * value + scale * origin for value in values])
