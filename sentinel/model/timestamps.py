"""Times of samples by a wall clock that may stand still, step back or jump.

Pure: both clocks are arguments. Durations are never taken from the wall clock; it only says what time it is.
"""

from __future__ import annotations

JUMP = 1_000_000_000
"""ns by which the wall clock may part from the monotonic one between two samples before that counts as a jump."""


class Timestamps:
    """Follows a wall clock: times strictly increase while it stands still or is corrected, and jump when it jumps."""

    def __init__(self) -> None:
        self._last = 0
        self._offset: int | None = None
        self.jump = 0
        """ns by which the clock jumped before the last time given; 0 where it did not."""

    def next(self, wall: int, monotonic: int) -> int:
        """The time of the next sample; later than all before, unless the wall clock jumped back.

        Args:
            wall: wall clock, ns since the epoch.
            monotonic: monotonic clock at the same moment, ns.

        Returns:
            ns since the epoch.
        """
        offset = wall - monotonic
        parted = 0 if self._offset is None else offset - self._offset
        self._offset = offset
        self.jump = parted if abs(parted) > JUMP else 0
        self._last = wall if self.jump else max(self._last + 1, wall)
        return self._last
