"""What a figure draws, as a tidy table for other programs: one row a value, units in the head. Pure."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class FigureData:
    """The numbers of a figure, made of the same data as its lines and bars."""

    columns: Mapping[str, str]
    """What each column holds, with its unit, by the column's name; in the order of the columns."""
    rows: Sequence[Sequence[object]]
    """As many values as columns each; numbers that are not there are None or NaN."""

    def csv(self, title: str) -> str:
        """The table as CSV; lines that begin with `#` say what it is and what each column holds.

        Args:
            title: What it is; it stands in the first line.

        Returns:
            Lines that end with a newline: the notes, the columns' names, then a row a line.
        """
        file = io.StringIO()
        file.write(f"# {title}\n")
        file.writelines(f"# {name}: {meaning}\n" for name, meaning in self.columns.items())
        table = csv.writer(file, lineterminator="\n")
        table.writerow(self.columns)
        table.writerows([_text(value) for value in row] for row in self.rows)
        return file.getvalue()


def _text(value: object) -> str:
    """Numbers to six significant digits, counts exact; empty where there is none."""
    if isinstance(value, float):
        return "" if not math.isfinite(value) else f"{value:.0f}" if value.is_integer() else f"{value:.6g}"
    return "" if value is None else str(value)
