"""Times that cannot be: a sender's clock, or its unit, is wrong, and its points would lie where nobody looks.

Pure. A read is checked as a whole; only one that holds such a time is looked at message by message.
"""

from __future__ import annotations

from typing import NamedTuple

from sentinel.codecs import Decoded, Rejected
from sentinel.sample import Columns, columns


class TimeBounds(NamedTuple):
    """Where the times of points may lie."""

    earliest: int
    """ns since the epoch."""
    ahead: int
    """ns past the moment of the read."""

    def _hold(self, known: Columns, now: int) -> bool:
        times = known.numbers[2::3]
        return not times or (min(times) >= self.earliest and max(times) <= now + self.ahead)

    def sift(self, decoded: Decoded, now: int) -> Decoded:
        """A read that returned at `now` (ns since the epoch), its impossible times among the rejected."""
        if self._hold(decoded.columns, now):
            return decoded
        bad = {rejected.position for rejected in decoded.rejected}
        total = len(decoded.samples) + len(bad)
        positions = [position for position in range(total) if position not in bad]
        kept, rejected = [], list(decoded.rejected)
        for position, sample in zip(positions, decoded.samples, strict=True):
            if self.earliest <= sample.time <= now + self.ahead:
                kept.append(sample)
            else:
                detail = (
                    f"timestamp={sample.timestamp} s, send_time_unix_nano={sample.sent}: expected a point's time, the"
                    f" latter unless 0, from {self.earliest} to {now + self.ahead} ns since 1970"
                )
                rejected.append(Rejected(position, "time", detail))
        return Decoded(kept, rejected, columns(kept))
