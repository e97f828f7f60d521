"""One limit, as a record keeps it. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """What one part of the stack can do when nothing else is asked of the machine, its measuring client included."""

    name: str
    """Of what is measured, such as `XADD`."""
    words: str
    """What is counted, as `messages that Redis takes by …`."""
    unit: str
    """`msg/s` or `points/s`; a message becomes a point."""
    values: tuple[float, ...]
    """One a repeat, in `unit`."""

    @property
    def median(self) -> float:
        """Of the repeats."""
        return statistics.median(self.values)

    @property
    def highest(self) -> float:
        """Of the repeats: what throughputs are held against."""
        return max(self.values)
