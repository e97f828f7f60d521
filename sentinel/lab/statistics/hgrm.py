"""HdrHistogram's percentile distribution (.hgrm) as text, for any plotter of that format.

Pure. Rows stand closer together towards 100 %: five for each halving of the share of values that lie above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

ROWS_A_HALVING = 5
HEAD = f"{'Value':>12} {'Percentile':>14} {'TotalCount':>10} {'1/(1-Percentile)':>14}\n\n"


def distribution(values: NDArray[np.float64], counts: NDArray[np.int64], *, octaves: int, steps: int) -> str:
    """The text of an .hgrm file.

    Args:
        values: Rising, in the unit to be shown; shape (n,).
        counts: Of each value, at least 1; shape (n,).
        octaves: Doublings that the histogram covers, for the footer.
        steps: Buckets in each, for the footer.

    Returns:
        Rows of value, share at or below it (0 to 1), count, and 1 ÷ (1 - share); then the footer.
    """
    cumulative = np.cumsum(counts)
    total = int(cumulative[-1]) if len(cumulative) else 0
    rows = []
    for share in shares(total):
        at = min(int(np.searchsorted(cumulative, share * total)), len(values) - 1)
        above = f"{1 / (1 - share):.2f}" if share < 1 else "inf"
        rows.append(f"{values[at]:12.6f} {share:14.12f} {cumulative[at]:10d} {above:>14}\n")
    return HEAD + "".join(rows) + _footer(values, counts, total, octaves, steps)


def shares(total: int) -> Iterator[float]:
    """Shares of values at which a row of the distribution stands.

    Args:
        total: Values in the histogram.

    Yields:
        Rising shares from 0 to 1, the last of them 1; no share where `total` is 0.
    """
    if not total:
        return
    left = 1.0
    while left * total >= 1:
        yield from (1 - left + left * row / (2 * ROWS_A_HALVING) for row in range(ROWS_A_HALVING))
        left /= 2
    yield 1.0


def _footer(values: NDArray[np.float64], counts: NDArray[np.int64], total: int, octaves: int, steps: int) -> str:
    mean = float(values @ counts) / total if total else 0.0
    deviation = float(np.sqrt((values - mean) ** 2 @ counts / total)) if total else 0.0
    largest = float(values[-1]) if total else 0.0
    return (
        f"#[Mean    = {mean:12.6f}, StdDeviation   = {deviation:12.6f}]\n"
        f"#[Max     = {largest:12.6f}, Total count    = {total:12d}]\n"
        f"#[Buckets = {octaves:12d}, SubBuckets     = {steps:12d}]\n"
    )
