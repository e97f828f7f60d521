"""Plain-text tables: aligned, and no wider than there is room."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.runtime.text_table import WIDTH, cut, note, table

HEADS = ["", "baseline", "optimised"]
ROWS = [["Capacity, msg/s", "1,140", "248,000"], ["Lost", "0", "0"]]

cells = st.text("abcdefgh 12,.", max_size=12).map(str.strip)


def test_numbers_stand_right_and_names_left() -> None:
    """The first column is aligned left, the others right, below their heads and a rule as long as the longest line."""
    expected = [
        "                 baseline  optimised",
        "────────────────────────────────────",
        "Capacity, msg/s     1,140    248,000",
        "Lost                    0          0",
    ]
    assert expected == table(HEADS, ROWS)


def test_heads_of_several_lines_stand_on_the_rule() -> None:
    """A head that is broken by its maker is as deep as it has lines; the shorter ones stand at the bottom."""
    assert ["   at full", "n    speed", "──────────", "1        2"] == table(["n", "at full\nspeed"], [["1", "2"]])


def test_a_block_has_heads_as_deep_as_its_own() -> None:
    """Where columns go to a further block, a deep head in the first leaves no empty lines above the second."""
    lines = table(["n", "at full\nspeed", "x"], [["1", "2", "3"]], width=10)
    assert ["   at full", "n    speed", "──────────", "1        2", "", "n  x", "────", "1  3"] == lines


def test_without_heads_there_are_only_rows() -> None:
    """Rows alone are aligned as well, and nothing is a table without lines."""
    assert [" 2  json", "10  store"] == table([], [["2", "json"], ["10", "store"]], left={1}, rule=False)
    assert [] == table([], [], rule=False)


@given(
    rows=st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), min_size=1, max_size=5)),
    width=st.integers(30, 80),
)
def test_no_line_is_wider_than_asked_for_and_no_cell_is_left_out(rows: list[list[str]], width: int) -> None:
    """Columns that do not fit follow in blocks, each headed by the first column."""
    heads, *rest = rows
    lines = table(heads, rest, width=width)
    assert max(map(len, lines), default=0) <= width
    assert [] == [cell for row in rows for cell in row if not any(cell in line for line in lines)]
    blocks = "\n".join(lines).split("\n\n") if len(heads) > 1 and all(any(row) for row in rows) else []
    assert [] == [block for block in blocks if rest and rest[-1][0] not in block.splitlines()[-1]]


def test_notes_and_lines_fit() -> None:
    """A paragraph is wrapped, with its further lines indented; a line is cut where it must be one."""
    words = "bus: Redis 8.0 answers " * 10
    assert max(map(len, note(words, 40).splitlines())) <= 40
    assert {"  "} == {line[:2] for line in note(words, 40, "  ").splitlines()[1:]}
    assert ("abc", "ab…") == (cut("abc", 3), cut("abcd", 3))


PROGRAM = "from sentinel.runtime.text_table import columns; print(columns(), columns(7))"


@pytest.mark.parametrize("wide", [80, 120])
def test_a_terminal_says_how_wide_it_is(wide: int) -> None:
    """On a terminal its own width counts."""
    import fcntl
    import struct
    import termios

    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, wide, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        subprocess.run([sys.executable, "-c", PROGRAM], stdout=theirs, env=environment, check=True)
        assert [wide, wide] == [int(word) for word in os.read(ours, 100).split()]
    finally:
        os.close(ours)
        os.close(theirs)


def test_where_there_is_no_terminal_the_caller_says_how_wide() -> None:
    """A pipe has no width: a table is as wide as usual, a list for programs as wide as it likes."""
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, env=environment, check=True)
    assert [WIDTH, 7] == [int(word) for word in done.stdout.split()]
