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
        """Ask to stop reading and to be done within `seconds`; of several requests the earliest deadline holds."""
        self._deadline = min(self._deadline, time.monotonic() + seconds)
        self._asked.set()

    def wait(self, seconds: float) -> bool:
        """Wait until a stop is requested, up to `seconds`.

        Returns:
            Whether a stop was requested.
        """
        return self._asked.wait(seconds)

    @property
    def requested(self) -> bool:
        """Whether a stop was requested."""
        return self._asked.is_set()

    @property
    def deadline(self) -> float:
        """When to be done, seconds of the monotonic clock; infinite while no stop is requested."""
        return self._deadline

    @property
    def left(self) -> float:
        """Seconds until the deadline, at least 0; infinite while no stop is requested."""
        return max(0.0, self._deadline - time.monotonic())

    def join(self, thread: threading.Thread, seconds: float = float("inf")) -> bool:
        """Wait until a thread has ended, no longer than the deadline allows.

        Args:
            thread: the thread.
            seconds: to wait at most.

        Returns:
            Whether the thread has ended.
        """
        end = time.monotonic() + seconds
        while thread.is_alive() and (rest := min(end - time.monotonic(), self.left)) > 0:
            thread.join(min(rest, 0.1))
        return not thread.is_alive()

    def pause(self, seconds: float) -> None:
        """Sleep for `seconds`, but no longer than the deadline allows."""
        end = time.monotonic() + seconds
        while (rest := min(end - time.monotonic(), self.left)) > 0:
            time.sleep(min(rest, 0.1))


def backoff(attempt: int, jitter: float) -> float:
    """Seconds to wait before an attempt: doubling from `FIRST_DELAY` to `LONGEST_DELAY`, times 0.5 to 1.

    Args:
        attempt: its number, from 1.
        jitter: 0 to 1; the factor grows with it.
    """
    return float(min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 30)) * (0.5 + jitter / 2))


def retry(action: Callable[[], None], stop: StopSignal, on_retry: Callable[[], None]) -> None:
    """Repeat an action, with backoff, until it works.

    Args:
        action: what to do; it may raise BusError or StoreError.
        stop: its deadline ends the attempts.
        on_retry: called before each further attempt.

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
