"""Two configurations whose truth is known: `same` is optimised by another name, `slowed` has a busy loop a read.

A package of its own, found on PYTHONPATH by its entry points: the lab measures both as it measures any other.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.consumer.choices import DecodeChoice
from sentinel.consumer.configurations import OPTIMISED
from sentinel.model.codecs import MSGSPEC

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.model.codecs import Decoded

SHARE = 0.25
"""CPU time of the loop ÷ that of all else: the loop takes 20 % of the whole, so that a message costs 1.25× as much."""


class Slowed:
    """Decodes as msgspec does, then burns the CPU time that is due.

    It is due for all that the process has done since its first read, in whichever thread.
    """

    def __init__(self) -> None:
        self.burnt = 0.0
        """CPU seconds of the loop."""
        self._begun: float | None = None

    @property
    def worked(self) -> float:
        """CPU seconds of all else in this process since the first read."""
        return 0.0 if self._begun is None else time.process_time() - self._begun - self.burnt

    def __call__(self, payloads: Sequence[bytes]) -> Decoded:
        """Decode a read."""
        if self._begun is None:
            self._begun = time.process_time()
        decoded = MSGSPEC(payloads)
        self._burn(SHARE * self.worked - self.burnt)
        return decoded

    def _burn(self, seconds: float) -> None:
        begun = time.thread_time()
        while time.thread_time() - begun < seconds:
            pass
        self.burnt += time.thread_time() - begun


decode = Slowed()
BURNING = DecodeChoice("burning", "msgspec, and a busy loop a read", "planted:decode")
SAME = replace(OPTIMISED, name="same")
SLOWED = replace(OPTIMISED, name="slowed", decode=BURNING)
