"""What SentinelStream (the Go engine) published of itself: the bar that is set, not measured here."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = "SentinelStream (Go), its published results"


@dataclass(frozen=True)
class Figure:
    """A published figure: a number, a range, or a bound of which one end is open."""

    low: float | None
    high: float | None
    higher: bool = False
    """Whether more is better."""

    def met_by(self, value: float) -> bool:
        """Whether a value is better than the figure; of a range its worse end counts.

        Args:
            value: In the figure's unit.
        """
        if self.higher:
            return self.low is not None and value > self.low
        return self.high is not None and value < self.high

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.low:,.0f}+"
        if self.low is None:
            return f"< {self.high:g}"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g}–{self.high:g}"


HIGHEST_RATE, LEAST_REDUCTION = 25_000.0, 58.0
RATE = Figure(HIGHEST_RATE, None, higher=True)
"""Messages a second."""
LATENCIES = {"internal_p99": Figure(None, 1), "e2e_p99": Figure(6, 9)}
"""Milliseconds, by measure."""
REDUCTION = Figure(LEAST_REDUCTION, LEAST_REDUCTION, higher=True)
"""Percent of allocated bytes per message."""
