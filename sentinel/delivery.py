"""When the store, or Redis, says no: retry what may pass, bisect what the store refuses, know when to stop."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.errors import BusError, StoreError, StoreRefusedError
from sentinel.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.ledger import ConsumerLedger

FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0

log = logging.getLogger(__name__)


class DeadlineError(Exception):
    """The stop deadline passed while something was still undelivered; never leaves the pipeline."""


class StopSign:
    """Says when to stop: first asked politely, with a deadline; then at once."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._deadline = float("inf")

    def request(self, seconds: float) -> None:
        """Stop reading and be done within `seconds`; asked again, the earlier deadline holds."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Wait until somebody asks, but no longer than `seconds`; whether somebody did."""
        return self._asked.wait(seconds)

    @property
    def requested(self) -> bool:
        """Whether anybody asked."""
        return self._asked.is_set()

    @property
    def deadline(self) -> float:
        """When to be done, by the monotonic clock; infinite while nobody asked."""
        return self._deadline

    @property
    def left(self) -> float:
        """Seconds until the deadline; infinite while nobody asked."""
        return max(0.0, self._deadline - time.monotonic())

    def join(self, thread: threading.Thread, seconds: float = float("inf")) -> bool:
        """Wait until the thread has ended, up to `seconds` and no longer than the deadline allows; whether it has."""
        end = time.monotonic() + seconds
        while thread.is_alive() and (rest := min(end - time.monotonic(), self.left)) > 0:
            thread.join(min(rest, 0.1))
        return not thread.is_alive()

    def pause(self, seconds: float) -> None:
        """Sleep, but no longer than the deadline allows."""
        end = time.monotonic() + seconds
        while (rest := min(end - time.monotonic(), self.left)) > 0:
            time.sleep(min(rest, 0.1))


def backoff(attempt: int, jitter: float) -> float:
    """Seconds before attempt 1, 2, …: doubling from first to longest, times 0.5 … 1 as `jitter` goes from 0 to 1."""
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 30)) * (0.5 + jitter / 2))


def insist(action: Callable[[], None], stop: StopSign, on_retry: Callable[[], None]) -> None:
    """Do `action` until it works; errors that may pass are retried with backoff.

    Raises:
        StoreRefusedError: at once; the same body will never do.
        DeadlineError: the stop deadline passed first.
    """
    outage: Outage | None = None
    while True:
        try:
            action()
        except StoreRefusedError:
            raise
        except (StoreError, BusError) as error:
            outage = outage or Outage("the store" if isinstance(error, StoreError) else "Redis", log)
            outage.failed(error, "trying again")
            asked = error.retry_after if isinstance(error, StoreError) else None
            delay = asked if asked is not None else backoff(outage.attempts, random.random())  # noqa: S311 - jitter
            if stop.left <= 0:
                raise DeadlineError(str(error)) from error
            stop.pause(delay)
            on_retry()
        else:
            if outage:
                outage.over()
            return


class Refused(NamedTuple):
    """A point that the store will never take."""

    point: Any
    words: str
    """The store's."""

    @property
    def line(self) -> bytes:
        """The point as the store refused it."""
        if isinstance(self.point, bytes):
            return self.point
        text: str = self.point if isinstance(self.point, str) else self.point.to_line_protocol()
        return text.encode()


class RefusalLog:
    """Says what the store refuses, in its own words: at once, and then once in `seconds`."""

    def __init__(self, seconds: float = 60.0) -> None:
        self._seconds = seconds
        self._due = -math.inf
        self._count = 0

    def note(self, refused: Refused) -> None:
        """A message was refused for good."""
        self._count += 1
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._seconds
        log.warning("%s; messages refused so far: %d, kept as dead letters", refused.words, self._count)


class Courier:
    """Delivers points through `post`, retrying what may pass and bisecting what the store refuses.

    `apart` turns what was refused into single points, where points may come as packs of several.
    """

    def __init__(
        self,
        post: Callable[[Sequence[Any]], None],
        stop: StopSign,
        ledger: ConsumerLedger,
        apart: Callable[[Sequence[Any]], Sequence[Any]] = list,
        refusals: RefusalLog | None = None,
    ) -> None:
        self._post = post
        self._stop = stop
        self._ledger = ledger
        self._apart = apart
        self._refusals = refusals or RefusalLog()

    def deliver(self, points: Sequence[Any]) -> list[Refused]:
        """Write all; returns each point that the store will never take, with its words.

        Halves may be written twice on the way (1.x keeps the good part of a refused body): points overwrite themselves.

        Raises:
            DeadlineError: the stop deadline passed first.
        """
        try:
            insist(lambda: self._post(points), self._stop, self._count_retry)
        except StoreRefusedError as error:
            single = self._apart(points)
            if len(single) == 1:
                refused = Refused(single[0], str(error))
                self._refusals.note(refused)
                return [refused]
            half = len(single) // 2
            return [*self.deliver(single[:half]), *self.deliver(single[half:])]
        self._ledger.requests += 1
        return []

    def _count_retry(self) -> None:
        self._ledger.retries += 1
