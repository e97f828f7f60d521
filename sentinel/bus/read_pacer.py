"""Read coalescing: a pause between reads that bring few messages."""

from __future__ import annotations

import time


class ReadPacer:
    """Lets a moment pass between reads that bring few messages, so that the next brings more.

    A blocked XREADGROUP returns with the first message of a burst, alone, and Pub/Sub delivers in small pieces. Each
    read costs as much CPU as some fifty messages, and so does the request that follows it: a longer pause saves it, and
    is added to latency. After a silence nothing waits: the message that ends it is read at once.

    Args:
        linger: seconds between the beginnings of two reads under a light load; 0: `SHORT`.
    """

    SHORT = 0.00025
    """Seconds of the pause under a light load where nobody is to linger."""
    MANY = 70_000
    """Messages a second above which the load is heavy if two reads in a row say so: one alone is what a hiccup left."""
    LONG = 0.002
    """Seconds of the pause under a heavy load…"""
    ENOUGH = 500
    """…unless a read brings so many: no pause."""

    def __init__(self, linger: float) -> None:
        self._light = linger or self.SHORT
        self._pause = 0.0
        self._heavy = False
        """Whether the last read brought many."""
        self._last = 0.0
        """When the last read began."""
        self._came = 0.0
        """When it returned."""

    def wait(self) -> None:
        """Wait until the next read may begin."""
        if self._pause and (rest := self._last + self._pause - time.monotonic()) > 0:
            time.sleep(rest)
        self._last = time.monotonic()

    def came(self, messages: int) -> None:
        """Note how many messages a read has brought."""
        before, self._heavy = self._heavy, messages > self.MANY * ((now := time.monotonic()) - self._came)
        self._came = now
        if not messages or messages >= self.ENOUGH:
            self._pause = 0.0
        else:
            self._pause = self.LONG if self._heavy and before else self._light
