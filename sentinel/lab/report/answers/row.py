"""A row of key results: short texts, and the numbers and files behind them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.tables import Cell

if TYPE_CHECKING:
    from sentinel.lab.statistics.compare import Ratio


@dataclass(frozen=True)
class Row:
    """One row: its head, and a text for every column."""

    name: str
    unit: str
    published: str
    cells: list[str]
    factor: Ratio | None = None
    """Of the two configurations compared."""
    spreads: tuple[str, ...] = ()
    """Smallest, largest and n behind each cell, where there are several trials."""
    short: str = ""
    """The head where there is little room."""
    values: tuple[float | None, ...] = ()
    """The number behind each cell, in `unit`; empty where the texts are all that there is."""
    raws: tuple[str, ...] = ()
    """Address of the file behind each cell, as a page of the run sees it."""

    @property
    def ratio(self) -> str:
        """With its interval."""
        return formatting.ranged(self.factor)

    @property
    def bare_ratio(self) -> str:
        """Without."""
        return formatting.times(self.factor.value) if self.factor else NOTHING

    @property
    def head(self) -> str:
        """`Internal p50, ms`."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def shown(self) -> list[Cell]:
        """Its cells on a page; what stands there as a dash has no number either."""
        return [
            Cell(text, value if text != NOTHING else None, raw, spread)
            for text, value, raw, spread in zip(
                self.cells,
                self.values or (None,) * len(self.cells),
                self.raws or ("",) * len(self.cells),
                self.spreads or ("",) * len(self.cells),
                strict=True,
            )
        ]

    def factored(self, raw: str) -> Cell:
        """Its ratio on a page.

        Args:
            raw: Address of the file that has it.
        """
        if self.factor is None:
            return Cell(self.ratio)
        return Cell(self.ratio, self.factor.value, raw, formatting.note(self.factor))
