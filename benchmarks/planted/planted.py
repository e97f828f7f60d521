"""Configurations whose truth is known: optimised by another name, and with a busy loop a read.

`same` is optimised. `costlier` burns a quarter of the CPU time that its process needs: 1.25 times the CPU per message.
`slowed` burns a quarter of the time that passes besides: 0.8 times the capacity, if neither what waits for the reader
goes on meanwhile nor the loop takes a core from bus and store. A package of its own, found on PYTHONPATH by its entry
points.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.consumer.choices import DecodeChoice
from sentinel.consumer.configurations import OPTIMISED
from sentinel.model.codecs import MSGSPEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.model.codecs import Decoded

SHARE = 0.25
"""Time of the loop ÷ all other: 20 % of the whole."""


class Loop:
    """Decodes as msgspec does, then burns what is due for all that was used since the first read.

    Args:
        used: seconds that were used so far, of the kind that counts.
        burning: seconds of the same kind, of the loop's own thread.
    """

    def __init__(self, used: Callable[[], float], burning: Callable[[], float]) -> None:
        self._used, self._burning = used, burning
        self.burnt = 0.0
        """Seconds of the loop."""
        self._begun: float | None = None

    @property
    def worked(self) -> float:
        """Seconds of all else since the first read."""
        return 0.0 if self._begun is None else self._used() - self._begun - self.burnt

    def __call__(self, payloads: Sequence[bytes]) -> Decoded:
        """Decode a read."""
        if self._begun is None:
            self._begun = self._used()
        decoded = MSGSPEC(payloads)
        self._burn(SHARE * self.worked - self.burnt)
        return decoded

    def _burn(self, seconds: float) -> None:
        begun = self._burning()
        while self._burning() - begun < seconds:
            pass
        self.burnt += self._burning() - begun


cost, slow = Loop(time.process_time, time.thread_time), Loop(time.monotonic, time.monotonic)
COSTLY = DecodeChoice("costly", "msgspec, and a busy loop for this process's CPU time", "planted:cost")
SLOW = DecodeChoice("slow", "msgspec, and a busy loop for all time that passes", "planted:slow")
SAME = replace(OPTIMISED, name="same")
COSTLIER = replace(OPTIMISED, name="costlier", decode=COSTLY)
SLOWED = replace(OPTIMISED, name="slowed", decode=SLOW)
