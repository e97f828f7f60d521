"""What the housekeeping thread does on the bus: trimming, and claiming what dead consumers left, for the reader."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentinel.bus import Receiver
    from sentinel.consumer.batching import Read
    from sentinel.runtime.stop import StopSignal

AHEAD = 4
"""Reads that wait for the reader at most: it need not wait for the next claim, and a stop leaves few."""
PAUSE = 0.002
"""Seconds between two looks whether the reader has taken one."""
CLAIM_EVERY = 20
"""Intervals between two looks for entries that other consumers left."""
REST_EVERY = 3
"""Intervals between two looks at the bus while nothing comes: each costs three round trips."""


class Upkeep:
    """`reads` is the reader's to empty; all else is the housekeeping thread's."""

    def __init__(self, receiver: Receiver, stop: StopSignal) -> None:
        self.reads: deque[Read] = deque()
        """Claimed, oldest first."""
        self.due = False
        """Whether others may have left more."""
        self._receiver = receiver
        self._stop = stop
        self._beat = 0
        self._received = -1

    def maintain(self, received: int) -> int:
        """Trim what was acknowledged, once an interval, less often while nothing is received.

        Args:
            received: Messages received so far.

        Returns:
            Entries that were trimmed unread since the last call, as far as they are known.

        Raises:
            BusError: Redis is away, or refuses.
        """
        self._beat += 1
        self.due |= self._beat % CLAIM_EVERY == 0
        before, self._received = self._received, received
        return self._receiver.maintain() if received != before or self._beat % REST_EVERY == 0 else 0

    def claim(self, until: float) -> None:
        """Claim as fast as the reader reads, until there is no more, a stop is asked for, or `until` (monotonic).

        Raises:
            BusError: Redis is away, or refuses.
        """
        while self.due and not self._stop.requested and time.monotonic() < until:
            if len(self.reads) >= AHEAD:
                time.sleep(PAUSE)
            elif (read := self._receiver.claim()) is not None:
                self.reads.append(read)
            else:
                self.due = False
