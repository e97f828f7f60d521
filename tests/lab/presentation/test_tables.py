"""Tables: a cell shows a short text, and keeps the number and the file behind it."""

from __future__ import annotations

import pytest

from sentinel.lab.presentation.tables import Cell, counted, figured, table


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (figured(1234.5678, "a/b.json"), '<td data-value="1234.5678"><a class="raw" href="a/b.json">1,230</a></td>'),
        (counted(1_000_000), '<td data-value="1000000">1,000,000</td>'),
        (figured(None, "a.json"), "<td>–</td>"),
        (figured(float("nan"), "a.json"), "<td>–</td>"),
        (Cell("<b>", hint="1 to 2"), '<td><span title="1 to 2">&lt;b&gt;</span></td>'),
        (Cell("3", 3.0, 'x"y'), '<td data-value="3"><a class="raw" href="x&#34;y">3</a></td>'),
    ],
)
def test_a_cell_keeps_what_stands_behind_its_text(cell: Cell, expected: str) -> None:
    """The number with its digits for a copy, a link to its file; a dash has neither; all is escaped."""
    assert expected in table(["", "head"], [["row", cell]])


def test_a_row_may_be_headed_by_a_number() -> None:
    """Such as a trial's, with a link to its record."""
    expected = '<th scope="row" data-value="7"><a class="raw" href="t">7</a></th>'
    assert expected in table(["Trial"], [[Cell("7", 7, "t")]])
