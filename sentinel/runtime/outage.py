"""What is logged while something does not work: at its start, when the reason changes, every minute, at its end.

Digits do not make another reason: a port, a time or a count in it may differ each time.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable

EVERY = 60.0
"""Seconds between two lines of one reason."""
STEADY = 10.0
"""Seconds that it must work for until a failure counts as another outage: twice the longest wait before an attempt."""


class Outage:
    """Logs the outages of one thing. `attempts` counts failures in a row, which a short while of working does not end.

    Args:
        what: its name, such as `Redis`.
        log: where outages are told.
        clock: seconds, monotonic.
    """

    def __init__(self, what: str, log: logging.Logger, clock: Callable[[], float] = time.monotonic) -> None:
        self.attempts = 0
        self._what = what
        self._log = log
        self._clock = clock
        self._began = self._said_at = 0.0
        self._ended: float | None = None
        self._reason = ""
        self._saying = False
        """Whether a line was logged that no end line has followed."""

    @property
    def lasts(self) -> bool:
        """Whether it did not work when last heard of."""
        return self.attempts > 0 and self._ended is None

    def failed(self, error: Exception, meanwhile: str) -> None:
        """Note that it did not work.

        Args:
            error: why.
            meanwhile: what is done about it, for the log.
        """
        now = self._clock()
        if self._ended is not None and now - self._ended >= STEADY:
            self.attempts = 0
        self._ended = None
        self.attempts += 1
        if self.attempts == 1:
            self._began, self._reason = now, ""
        reason = re.sub(r"\d+", "", str(error))
        if reason != self._reason or now - self._said_at >= EVERY:
            lasting = f" (for {now - self._began:.0f} s, {self.attempts} attempts)" if self.attempts > 1 else ""
            self._log.warning("%s; %s%s", error, meanwhile, lasting)
            self._reason, self._said_at, self._saying = reason, now, True

    def over(self, left: str = "") -> None:
        """Note that it works.

        Args:
            left: what the outage leaves to do or has cost, for the log.
        """
        if not self.lasts:
            return
        self._ended = self._clock()
        if self._saying:
            self._saying = False
            lasted, tried = self._ended - self._began, f"{self.attempts} failed attempt{'s' * (self.attempts > 1)}"
            self._log.warning("%s answers again after %.1f s and %s%s", self._what, lasted, tried, left and f"; {left}")
