"""What is timed to find a limit, and how it is counted up.

The client that measures works on the same machine: its time is part of what it finds. What does not count up is an
error, not a figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.errors import TrialError

if TYPE_CHECKING:
    from collections.abc import Callable

SOURCES = 128
MOST_BYTES = 100_000_000
"""Of prepared lines, or of messages on a stream, at once."""


@dataclass(frozen=True)
class Measurement:
    """One thing to be timed, in one way: those of one name are several ways, of which the fastest counts."""

    name: str
    words: str
    unit: str
    timed: Callable[[int], float]
    """Does it so many times; returns the seconds that it took, preparation and tidying left out."""
    step: int
    """Counts are multiples of it."""
    most: int


def agree(what: str, counted: int, expected: int) -> None:
    """Make sure that what was counted is what was expected.

    Args:
        what: The things counted, in words.
        counted: How many there were.
        expected: How many there must be.

    Raises:
        TrialError: they differ.
    """
    if counted != expected:
        raise TrialError(f"{what}: {counted:,} were counted, expected {expected:,}: there is no limit to be had so")
