"""Times that cannot be: a sender's clock, or its unit, is wrong, and its points would lie where nobody looks.

Pure. A read is checked as a whole; only one that holds such a time is looked at message by message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sentinel.model.codecs import Decoded, Rejected
from sentinel.model.sample import columns

if TYPE_CHECKING:
    from sentinel.model.sample import Sample

SECOND = 1_000_000_000
"""ns."""
DAY = 86_400 * SECOND


class TimeBounds(NamedTuple):
    """Where the times of points may lie."""

    earliest: int = 946_684_800 * SECOND
    """ns since the epoch: the year 2000."""
    ahead: int = DAY
    """ns past the moment of the read, by this host's clock."""
    apart: int = DAY
    """ns that a message's two times, `timestamp` and `send_time_unix_nano`, may differ by: beyond, a unit is wrong."""

    def sift(self, decoded: Decoded, now: int) -> Decoded:
        """Move samples whose time is impossible to the rejected messages.

        Args:
            decoded: the messages of one read.
            now: when the read returned, ns since the epoch.
        """
        if not decoded.samples or self._hold(decoded, now):
            return decoded
        bad = {rejected.position for rejected in decoded.rejected}
        total = len(decoded.samples) + len(bad)
        positions = [position for position in range(total) if position not in bad]
        kept, rejected = [], list(decoded.rejected)
        for position, sample in zip(positions, decoded.samples, strict=True):
            if problem := self._problem(sample, now):
                rejected.append(Rejected(position, "time", problem))
            else:
                kept.append(sample)
        return Decoded(kept, rejected, columns(kept))

    def _hold(self, decoded: Decoded, now: int) -> bool:
        """Whether all times are within bounds, even the first of one kind and the last of the other."""
        times = decoded.columns.numbers[2::3]
        first, last = min(times), max(times)
        if first < self.earliest or last > now + self.ahead:
            return False
        # Of many messages a second as a set is a small one, which is quicker to go through than a list.
        seconds = {sample.timestamp for sample in decoded.samples}
        return last - SECOND * min(seconds) <= self.apart and SECOND * max(seconds) - first <= self.apart

    def _problem(self, sample: Sample, now: int) -> str:
        """Why the sample's times cannot be; empty if they can."""
        given = f"timestamp={sample.timestamp} s, send_time_unix_nano={sample.sent}: expected"
        latest = now + self.ahead
        if not self.earliest <= sample.time <= latest:
            return f"{given} a point's time, the latter unless 0, from {self.earliest} to {latest} ns since 1970"
        if abs(sample.time - SECOND * sample.timestamp) > self.apart:
            return f"{given} two times of one moment, {self.apart / SECOND:g} s apart at most"
        return ""
