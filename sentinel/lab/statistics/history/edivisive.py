"""Change points of a series by E-divisive means: how many there are is not given, nor any distribution. Pure.

Source: D. S. Matteson, N. A. James, A nonparametric approach for multiple change point analysis of multivariate data,
Journal of the American Statistical Association 109 (2014), 334-345 (arXiv 1306.4933). Theirs are the scaled divergence
of two parts, its maximum over the place of the change and the end of the second part, the division of what has been
divided, and the test that rearranges values within the parts; the exponent of the distances is 1. "E-divisive means" is
the name under which D. Daly et al. brought it to series of benchmarks (The use of change point detection to identify
software performance regressions in a continuous integration system, ICPE 2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from sentinel.lab.statistics.rounds.ranks import Floats

LEVEL = 0.02
"""Share of series without a change in which one is seen nevertheless, at most: with less, ten values could show none
but one in their middle."""
PERMUTATIONS = 999
"""Of each test: its p is a multiple of 1 / 1000."""
LEAST = 3
"""Values on either side of a change point: two that are off are what any machine does now and then."""


@dataclass(frozen=True)
class ChangePoint:
    """Where a series changed."""

    at: int
    """Index of the first value after the change."""
    p: float
    """Share of rearranged series that show a change as clear as this, itself counted."""


@dataclass(frozen=True)
class Split:
    """The division of a stretch of values into two that differ most."""

    statistic: float
    """The scaled energy distance of both parts; minus infinity where the stretch is too short for two."""
    at: int
    """Values before it."""


def change_points(
    values: ArrayLike, level: float = LEVEL, *, permutations: int = PERMUTATIONS, seed: int = 1
) -> list[ChangePoint]:
    """Where a series changed, from the clearest change to the first that chance might show as well.

    Args:
        values: In the order of time, finite.
        level: The largest p of a change point.
        permutations: Of each test.
        seed: Of the permutations: the same series has the same change points.

    Returns:
        Change points in the order of time.

    Raises:
        ValueError: a value is not finite.
    """
    series = np.asarray(values, float)
    if not np.isfinite(series).all():
        raise ValueError("a series with a change point is made of finite numbers: leave missing values out")
    distances = np.abs(series[:, None] - series[None, :])
    random, changes = np.random.default_rng(seed), list[ChangePoint]()
    most = math.floor(level * (permutations + 1) + 1e-9)
    while True:
        parts = list(_parts(len(series), changes))
        at, statistic = _clearest(distances, parts)
        if not statistic > 0:
            return changes
        orders = (_rearranged(parts, random) for _ in range(permutations))
        reached = _reached(distances, parts, statistic, orders, most)
        if reached > most:
            return changes
        changes = sorted([*changes, ChangePoint(at, reached / (permutations + 1))], key=lambda change: change.at)


def _parts(n: int, changes: Sequence[ChangePoint]) -> Iterator[tuple[int, int]]:
    """First index and end of each stretch between change points."""
    return pairwise([0, *(change.at for change in changes), n])


def _rearranged(parts: Sequence[tuple[int, int]], random: np.random.Generator) -> NDArray[np.intp]:
    """An order of all values in which each stays in its part."""
    return np.concatenate([random.permutation(np.arange(first, end)) for first, end in parts])


def _clearest(distances: Floats, parts: Sequence[tuple[int, int]]) -> tuple[int, float]:
    """The clearest change within any of the parts: its place in the series, and its statistic."""
    splits = [(first, split(distances[first:end, first:end])) for first, end in parts]
    first, best = max(splits, key=lambda pair: pair[1].statistic)
    return first + best.at, best.statistic


def _reached(
    distances: Floats, parts: Sequence[tuple[int, int]], statistic: float, orders: Iterable[NDArray[np.intp]], most: int
) -> int:
    """How many orders of the values show a change as clear as this, itself counted; no more are asked than `most`."""
    reached = 1
    for order in orders:
        reached += _clearest(distances[np.ix_(order, order)], parts)[1] >= statistic * (1 - 1e-12)
        if reached > most:
            break
    return reached


def split(distances: Floats, least: int = LEAST) -> Split:
    """The division into two adjacent parts that differ most; the second may end before the stretch does.

    Args:
        distances: Of every value to every other, (n, n).
        least: The least number of values in a part.
    """
    n = len(distances)
    if n < 2 * least:
        return Split(-math.inf, 0)
    sums = np.zeros((n + 1, n + 1))
    sums[1:, 1:] = distances.cumsum(axis=0).cumsum(axis=1)
    at, end = np.arange(least, n - least + 1)[:, None], np.arange(2 * least, n + 1)[None, :]
    size = np.maximum(end - at, 2)
    before, across = sums[at, at], sums[at, end]
    energy = 2 * (across - before) / (at * size) - before / (at * (at - 1))
    energy -= (sums[end, end] - 2 * across + before) / (size * (size - 1))
    scaled = np.where(end - at >= least, at * size / (at + size) * energy, -np.inf)
    place = int(scaled.argmax()) // scaled.shape[1]
    return Split(float(scaled.max()), least + place)
