"""What dead consumers left unacknowledged: claimed in the housekeeping thread, handed to the reader's."""

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


class Takeover:
    """`reads` is the reader's to empty; all else is the housekeeping thread's."""

    def __init__(self, receiver: Receiver, stop: StopSignal) -> None:
        self.reads: deque[Read] = deque()
        """Claimed, oldest first."""
        self.due = False
        """Whether others may have left more."""
        self._receiver = receiver
        self._stop = stop

    def work(self, until: float) -> None:
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
