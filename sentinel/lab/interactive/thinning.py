"""Lines with fewer points that look the same: of each stretch its lowest and its highest point. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST = 800
"""Points that a line keeps at most: about as many as a wide panel has pixels."""


def thinned(x: ArrayLike, y: ArrayLike, most: int = MOST) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """A line with at most so many points.

    Args:
        x: Places, rising.
        y: Values, as many; NaN where there is a gap.
        most: Points that are kept, 5 or more.

    Returns:
        Places and values, a choice of those given: the first and the last, every extreme, and where there are gaps some
        of each.
    """
    places, values = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(places) <= most:
        return places, values
    inner = np.arange(1, len(places) - 1)
    kept = {0, len(places) - 1}
    # Of three points a stretch at most: lowest, highest, and a gap if there is one.
    for stretch in np.array_split(inner, (most - 2) // 3):
        kept.update(_extremes(stretch, values[stretch]))
    chosen = sorted(kept)
    return places[chosen], values[chosen]


def _extremes(positions: NDArray[np.int64], values: NDArray[np.float64]) -> set[int]:
    """Where the lowest and the highest value are, and the first gap."""
    gaps, known = np.isnan(values), ~np.isnan(values)
    chosen = set(positions[gaps][:1].tolist())
    if known.any():
        inside = positions[known]
        chosen |= {int(inside[values[known].argmin()]), int(inside[values[known].argmax()])}
    return chosen
