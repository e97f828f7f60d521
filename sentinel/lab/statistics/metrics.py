"""Measures of trials, and which way each is better. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import Ratio


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

    def gain(self, ratio: float) -> float:
        """The logarithm of a ratio, positive where it is for the better; NaN where there is none."""
        return math.log(ratio if self.higher else 1 / ratio) if ratio > 0 else math.nan

    def judged(self, ratio: Ratio, band: float) -> str:
        """`compare.verdict`'s word; single trials of what does not repeat are judged by the ratio itself."""
        if not self.repeated and math.isfinite(ratio.value):
            ratio = Ratio(ratio.value, ratio.value, ratio.value, 2)
        return compare.verdict(ratio, band, higher_is_better=self.higher)
