"""Measures of trials, and which way each is better. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import Ratio, Verdict, Word


@dataclass(frozen=True)
class Measure:
    """A measure of trials: what it is called, in which unit, and which way is better."""

    name: str
    """As `measures.measures` calls it."""
    title: str
    unit: str
    higher: bool = False
    """Whether more is better."""
    repeated: bool = True
    """Whether there are several trials of each configuration: memray traces one, in which every request is counted."""

    @property
    def inline(self) -> str:
        """The title within a sentence; an abbreviation stays as it is."""
        return self.title if self.title[1:2].isupper() else f"{self.title[:1].lower()}{self.title[1:]}"

    def gain(self, ratio: float | None) -> float:
        """The logarithm of a ratio, positive where the ratio is for the better.

        Args:
            ratio: New ÷ old.

        Returns:
            The natural logarithm; NaN where the ratio is None, zero or negative.
        """
        return math.log(ratio if self.higher else 1 / ratio) if ratio and ratio > 0 else math.nan

    def judged(self, ratio: Ratio, band: float) -> Word:
        """`compare.verdict`'s word; a measure that is taken once is judged by the ratio itself.

        Args:
            ratio: New ÷ old.
            band: The noise floor, less one.
        """
        if not self.repeated and ratio.value is not None:
            ratio = Ratio(ratio.value, ratio.value, ratio.value, 2)
        return compare.verdict(ratio, band, higher_is_better=self.higher)

    def verdict(self, ratio: Ratio | None, floor: float | None) -> Verdict:
        """The whole verdict on this measure.

        Args:
            ratio: New ÷ old; None where the measure was not taken on both sides.
            floor: The noise floor that an A/A control showed, less one; None without a control, which makes it `BAND`.
        """
        values, band = ratio or compare.UNKNOWN, compare.BAND if floor is None else floor
        return Verdict(self.name, self.judged(values, band), values, band, floor is not None)
