"""How long work will still take: what its kinds were expected to take, corrected by what they really took. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 99
"""Percent that are shown, at most, before the end."""


class Estimate:
    """Seconds of work by kind. Steps of a kind are slower here than expected by a common factor, which is learnt.

    Args:
        expected: Seconds of all steps of each kind.
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._left = dict(expected)
        self._expected = dict.fromkeys(expected, 0.0)
        self._took = dict.fromkeys(expected, 0.0)

    def done(self, kind: str, expected: float, took: float) -> None:
        """A step is over.

        Args:
            kind: The step's.
            expected: Seconds that it was expected to take.
            took: Seconds that it took.
        """
        self.skip(kind, expected)
        self._expected[kind] = self._expected.get(kind, 0.0) + expected
        self._took[kind] = self._took.get(kind, 0.0) + took

    def skip(self, kind: str, expected: float) -> None:
        """A step will not be taken.

        Args:
            kind: The step's.
            expected: Seconds that it was expected to take; infinity takes all that are left, less than zero adds some.
        """
        self._left[kind] = max(0.0, self._left.get(kind, 0.0) - expected)

    def scale(self, kind: str) -> float:
        """The seconds that a kind's steps took ÷ the seconds expected; 1 before the first is over.

        Args:
            kind: Of the steps.
        """
        expected = self._expected.get(kind, 0.0)
        return self._took[kind] / expected if expected else 1.0

    @property
    def left(self) -> float:
        """Seconds that all steps left will take."""
        return sum(seconds * self.scale(kind) for kind, seconds in self._left.items())


def share(done: float, left: float) -> int:
    """How far unfinished work is.

    Args:
        done: Seconds that it took so far.
        left: Seconds that it will still take.

    Returns:
        Percent of the whole time, `MOST` at most.
    """
    return min(MOST, int(100 * done / (done + left))) if done + left > 0 else 0


def clock(seconds: float) -> str:
    """A duration as `0:07`, `12:34` or `1:02:03`.

    Args:
        seconds: Fractions are cut off.
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
