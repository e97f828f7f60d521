"""What one measure must be, as run.json keeps it. Pure."""

from __future__ import annotations

import msgspec

from sentinel.lab import formatting
from sentinel.lab.statistics.metrics import measure

TIMES = "×"
"""Unit of a quotient."""


class Bound(msgspec.Struct, frozen=True):
    """What one measure must be: of one configuration, or divided by that of another."""

    measure: str
    """What is bounded, by its name in the summary."""
    of: str
    """The configuration that it is bounded for, or `headline`."""
    against: str = ""
    """The configuration to divide by; empty: the value itself is bounded."""
    at_least: float | None = None
    """The smallest value that passes, in the measure's unit or, of a quotient, in none."""
    at_most: float | None = None
    """The largest, likewise."""
    rounds: tuple[int, int] | None = None
    """At least so many, of so many rounds, must lie within it each by itself; None where all together decide."""

    @property
    def head(self) -> str:
        """`Capacity, optimised ÷ baseline`."""
        known = measure(self.measure)
        title = known.title if known else self.measure
        return f"{title[:1].upper()}{title[1:]}, {self.of}{f' ÷ {self.against}' if self.against else ''}"

    @property
    def unit(self) -> str:
        """Of its limit: the measure's, or `TIMES`."""
        known = measure(self.measure)
        return TIMES if self.against else known.unit if known else ""

    def keeps(self, value: float) -> bool:
        """Whether a value lies within the bound, its edge included.

        Args:
            value: In `unit`.
        """
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0)

    def __str__(self) -> str:
        sign, limit = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most or 0.0)
        often = f" in {self.rounds[0]} of {self.rounds[1]} rounds" if self.rounds else ""
        return f"{sign} {with_unit(formatting.plain(limit), self.unit)}{often}"


def with_unit(number: str, unit: str) -> str:
    """`75×`, `9 ms`.

    Args:
        number: As it is to be read.
        unit: Of it; `TIMES` stands close.
    """
    return f"{number}{unit}" if unit == TIMES else f"{number} {unit}".rstrip()
