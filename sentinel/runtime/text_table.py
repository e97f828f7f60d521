"""Plain text for terminals: tables, notes and lines that fit.

A terminal says how wide it is. Where none does, the output goes to a file or a program.
"""

from __future__ import annotations

import shutil
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

WIDTH = 100
"""Columns of text that goes to no terminal, and the most of a paragraph, which reads badly where it is wider."""
APART = "  "


def columns(elsewhere: int = WIDTH) -> int:
    """Columns of the terminal that stdout is, or `elsewhere` where it is none."""
    return shutil.get_terminal_size((elsewhere, 24)).columns


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    left: Collection[int] = (0,),
    rule: bool = True,
    width: int | None = None,
) -> list[str]:
    """A table as lines.

    Args:
        heads: One for each column; empty for a table without heads. Line breaks in them are kept.
        rows: As many cells as heads each.
        left: Numbers of the columns that are aligned left; the others are aligned right.
        rule: Whether a line is drawn below the heads.
        width: Columns that a line may have. What does not fit follows in further blocks, each with the first column.

    Returns:
        Lines without blanks at their ends.
    """
    split = [name.split("\n") for name in heads]
    deep = max(map(len, split), default=0)
    top = list(zip(*([""] * (deep - len(name)) + name for name in split), strict=True))
    body = list(rows)
    widths = [max(map(len, column)) for column in zip(*top, *body, strict=True)]
    lines: list[str] = []
    for block in _blocks(widths, width):
        named, laid = ([_line(row, block, widths, left) for row in part] for part in (top, body))
        drawn = ["─" * max(map(len, [*named, *laid]))] if rule else []
        lines += [*([""] if lines else []), *filter(None, named), *drawn, *laid]
    return lines


def _blocks(widths: Sequence[int], width: int | None) -> list[list[int]]:
    """Numbers of the columns that stand beside each other; the first is in every block."""
    blocks: list[list[int]] = [[]]
    for number in range(len(widths)):
        block = [*blocks[-1], number]
        fits = width is None or sum(widths[n] + len(APART) for n in block) - len(APART) <= width
        if fits or len(block) <= 2:
            blocks[-1] = block
        else:
            blocks.append([0, number])
    return blocks


def _line(row: Sequence[str], block: Iterable[int], widths: Sequence[int], left: Collection[int]) -> str:
    cells = (row[n].ljust(widths[n]) if n in left else row[n].rjust(widths[n]) for n in block)
    return APART.join(cells).rstrip()


def head(text: str, width: int) -> str:
    """A column's head, broken into lines of `width` columns where its words allow it."""
    return "\n".join(textwrap.wrap(text, width))


def note(text: str, width: int | None = None, indent: str = "") -> str:
    """A paragraph, wrapped.

    Args:
        text: The paragraph.
        width: Columns; None asks the terminal.
        indent: In front of its further lines.
    """
    return textwrap.fill(text, width or min(columns(), WIDTH), subsequent_indent=indent, break_on_hyphens=False)


def cut(text: str, width: int) -> str:
    """The text, with an ellipsis in place of what `width` columns do not hold."""
    return text if len(text) <= width else f"{text[: width - 1]}…"
