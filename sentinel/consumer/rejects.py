"""Rejected messages on their way to the dead-letter stream, beside the sound ones and never in their way.

A dead letter that Redis refuses waits, its message unacknowledged, and is tried again by the housekeeping thread; after
`PATIENCE` its message is dropped, since a stream keeps all that lies behind an unacknowledged entry.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from sentinel.errors import BusError
from sentinel.runtime.outage import EVERY, Outage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.bus import DeadLetters, Letter

PATIENCE = 30.0
"""Seconds that a dead letter waits for Redis to take it."""
MOST = 10_000
"""Letters and ids that wait at most; each letter is cut, see `DeadLetters`."""

SAID = 300
"""Characters of a reason in the log."""

log = logging.getLogger(__name__)


class RejectedBatch(NamedTuple):
    """Letters of one read or batch, and the entries to acknowledge once they are settled."""

    letters: Sequence[Letter]
    ids: Sequence[bytes]
    since: float
    """When it came, by the monotonic clock."""

    @property
    def weight(self) -> int:
        """What the parcel adds to `MOST`."""
        return len(self.letters) + len(self.ids)


class Rejects:
    """Letters on their way to the dead-letter stream. Safe between threads.

    Args:
        letters: the stream.
        settle: told of each parcel, with False once it is kept and with True once it is dropped.
    """

    def __init__(self, letters: DeadLetters, settle: Callable[[RejectedBatch, bool], None]) -> None:
        self._letters = letters
        self._settle = settle
        self._waiting: deque[RejectedBatch] = deque()
        self._weight = 0
        self._lock = threading.Lock()
        self._outage = Outage("the dead-letter stream", log)
        self._dropped = 0
        """Letters dropped since the outage began."""
        self._count, self._due = 0, -math.inf
        """Messages rejected here, and when (monotonic) the next may be said."""

    def put(self, letters: Sequence[Letter], ids: Sequence[bytes]) -> None:
        """Keep letters now, if Redis takes them and none wait; else let them wait.

        Args:
            letters: rejected messages of one read or batch.
            ids: entries to acknowledge once the letters are settled.
        """
        self._say([letter for letter in letters if letter[1] != "store"])
        parcel = RejectedBatch([self._letters.cut(letter) for letter in letters], ids, time.monotonic())
        if self._waiting or not self._kept(parcel):
            with self._lock:
                self._waiting.append(parcel)
                self._weight += parcel.weight

    def _say(self, letters: Sequence[Letter]) -> None:
        """The first rejected message, and one a minute; the writer says what the store refuses."""
        self._count += len(letters)
        if letters and time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY
            _, reason, detail = letters[-1]
            log.warning("a message was rejected (%s): %s; rejected so far: %d", reason, detail[:SAID], self._count)

    def retry(self) -> None:
        """Try again with those that wait, and drop what waited too long or is too much. For one thread."""
        while self._waiting and self._kept(self._waiting[0]):
            self._take()
        while self._waiting and (self._weight > MOST or time.monotonic() - self._waiting[0].since > PATIENCE):
            self._drop(self._take())

    def close(self, *, keep: bool) -> None:
        """Make one last attempt.

        Args:
            keep: whether the bus keeps what is not acknowledged: what still waits is then left so, else dropped.
        """
        self.retry()
        while self._waiting and not keep:
            self._drop(self._take())
        self._letters.close()

    def _kept(self, parcel: RejectedBatch) -> bool:
        try:
            self._letters.put(parcel.letters)
        except BusError as error:
            with self._lock:
                self._outage.failed(error, "dead letters wait, sound messages do not")
            return False
        with self._lock:
            self._outage.over(f"{self._dropped} dead letters were dropped" if self._dropped else "")
            self._dropped = 0
        self._settle(parcel, False)
        return True

    def _take(self) -> RejectedBatch:
        with self._lock:
            parcel = self._waiting.popleft()
            self._weight -= parcel.weight
        return parcel

    def _drop(self, parcel: RejectedBatch) -> None:
        if not self._dropped:
            log.warning("rejected messages are dropped: Redis took no dead letter for too long, or too many wait")
        self._dropped += len(parcel.letters)
        self._settle(parcel, True)
