"""A figure's numbers as CSV: what the columns hold is said in the file, and another program reads them back."""

from __future__ import annotations

import io
import math

import pandas as pd

from sentinel.lab.presentation.figure_data import FigureData

DATA = FigureData(
    {"name": "of the configuration", "value": "latency, ms", "n": "trials"},
    [("a, b", 1234567.891, 3), ("c", math.nan, None), ("d", 0.000123456789, 10_000_000), ("e", 25000.0, 1)],
)


def test_the_notes_name_every_column_with_its_unit() -> None:
    """Title and columns stand above the head, each in a line that readers of CSV pass over."""
    notes = [line for line in DATA.csv("latency of run x").splitlines() if line.startswith("#")]
    expected = ["# latency of run x", "# name: of the configuration", "# value: latency, ms", "# n: trials"]
    assert expected == notes


def test_numbers_come_back() -> None:
    """Six digits of what is measured, all of what is counted; what is not there is empty."""
    frame = pd.read_csv(io.StringIO(DATA.csv("x")), comment="#")
    assert list(DATA.columns) == list(frame.columns)
    assert [1.23457e6, 0.000123457, 25000.0] == frame["value"].dropna().tolist()
    assert [3, 10_000_000, 1] == frame["n"].dropna().tolist()
    assert ["a, b", "c", "d", "e"] == frame["name"].tolist()
