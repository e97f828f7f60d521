"""Stopping in good order: a sign with a deadline, and retries with growing pauses that heed it."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from sentinel.errors import BusError, StoreError, StoreRefusedError
from sentinel.runtime.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_DELAY = 0.05
LONGEST_DELAY = 5.0
"""Seconds before the first retry, and before later ones at most."""

log = logging.getLogger(__name__)


class DeadlineError(Exception):
    """The stop deadline passed while something was still undelivered; never leaves the pipeline."""


class StopSignal:
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


def retry(action: Callable[[], None], stop: StopSignal, on_retry: Callable[[], None]) -> None:
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
