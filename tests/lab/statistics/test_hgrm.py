"""The .hgrm file: every line is one that an HdrHistogram plotter reads, and its figures are those of the values."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab.statistics.hgrm import distribution, shares

ROW = re.compile(r" *(\d+\.\d+) +([01]\.\d{12}) +(\d+) +(\d+\.\d\d|inf)")
FOOTER = re.compile(
    r"#\[Mean {4}= +(\S+), StdDeviation {3}= +(\S+)\]\n"
    r"#\[Max {5}= +(\S+), Total count {4}= +(\d+)\]\n"
    r"#\[Buckets = +(\d+), SubBuckets {5}= +(\d+)\]\n"
)

histograms = st.dictionaries(
    st.floats(min_value=0, max_value=1e9).map(lambda value: round(value, 3)),
    st.integers(min_value=1, max_value=10**9),
    max_size=30,
)


def written(counts: dict[float, int]) -> tuple[list[tuple[float, float, int, float]], list[float]]:
    """Rows and footer of the text for these values and their counts, each line checked for its form."""
    values = sorted(counts)
    text = distribution(
        np.array(values, dtype=float), np.array([counts[v] for v in values], dtype=np.int64), octaves=63, steps=128
    )
    head, empty, *lines = text.splitlines()
    assert ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"] == head.split()
    assert empty == ""
    rows = [ROW.fullmatch(line) for line in lines[:-3]]
    assert None not in rows
    footer = FOOTER.fullmatch("\n".join(lines[-3:]) + "\n")
    assert footer
    numbers = [tuple(map(float, row.groups())) for row in rows if row]
    return [(value, share, int(count), odds) for value, share, count, odds in numbers], [*map(float, footer.groups())]


@given(histograms.filter(bool))
def test_every_row_is_the_quantile_at_its_share(counts: dict[float, int]) -> None:
    """Value and cumulative count of a row are those of the value at its share, and the rows rise to 100 %."""
    rows, _ = written(counts)
    everything, total = sorted(counts), sum(counts.values())
    for value, share, count, odds in rows:
        assert count == sum(n for v, n in counts.items() if v <= value)
        assert count >= share * total * (1 - 1e-9)
        below = [v for v in everything if v < value]
        assert sum(counts[v] for v in below) <= share * total * (1 + 1e-9)
        assert odds == pytest.approx(1 / (1 - share), rel=0.01) if share < 1 else odds == float("inf")
    assert rows == sorted(rows, key=lambda row: row[1])
    assert (everything[-1], 1.0, total) == rows[-1][:3]


@given(histograms)
def test_the_footer_sums_up(counts: dict[float, int]) -> None:
    """Mean, standard deviation, maximum and count are those of all values, zeros for none."""
    _, (mean, deviation, largest, total, octaves, steps) = written(counts)
    weights = np.array(list(counts.values()) or [1], dtype=float)
    values = np.array(list(counts) or [0.0])
    exact = np.average(values, weights=weights)
    assert mean == pytest.approx(exact, abs=1e-6)
    assert deviation == pytest.approx(np.sqrt(np.average((values - exact) ** 2, weights=weights)), abs=1e-6)
    assert (largest, total) == (max(counts, default=0), sum(counts.values()))
    assert (octaves, steps) == (63, 128)


@pytest.mark.parametrize(("total", "rows"), [(0, 0), (1, 6), (1000, 51), (10**9, 151)])
def test_there_are_five_rows_for_each_halving(total: int, rows: int) -> None:
    """So many rows that the last before 100 % stands beyond the last value but one, and no more."""
    actual = list(shares(total))
    assert rows == len(actual)
    assert [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.55] == [round(share, 9) for share in actual[:7]] or rows < 7
    assert actual == sorted(set(actual))
