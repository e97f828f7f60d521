"""Configurations whose truth is known: optimised by another name, and with a busy loop a read.

`same` is optimised. `costlier` burns a quarter of the CPU time that its process needs: 1.25 times the CPU per message.
`slowed` burns a quarter of what bus and store need, too: a capacity of 0.8, where no core is idle or where the reader
is what all else waits for. A package of its own, found on PYTHONPATH by its entry points.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import psutil

from sentinel.consumer.choices import DecodeChoice
from sentinel.consumer.configurations import OPTIMISED
from sentinel.model.codecs import MSGSPEC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.model.codecs import Decoded

SHARE = 0.25
"""CPU time of the loop ÷ that of all else: 20 % of the whole."""


@cache
def servers() -> list[psutil.Process]:
    """Bus and store, where the lab has started them: whoever started this consumer started them too."""
    own = psutil.Process()
    return [process for process in own.parent().children() if process != own]


def of_the_pipeline() -> float:
    """CPU seconds that this process, bus and store have used."""
    return time.process_time() + sum(sum(process.cpu_times()[:2]) for process in servers())


class Loop:
    """Decodes as msgspec does, then burns the CPU time that is due for all that was used since the first read."""

    def __init__(self, used: Callable[[], float]) -> None:
        self._used = used
        self.burnt = 0.0
        """CPU seconds of the loop."""
        self._begun: float | None = None

    @property
    def worked(self) -> float:
        """CPU seconds of all else since the first read."""
        return 0.0 if self._begun is None else self._used() - self._begun - self.burnt

    def __call__(self, payloads: Sequence[bytes]) -> Decoded:
        """Decode a read."""
        if self._begun is None:
            self._begun = self._used()
        decoded = MSGSPEC(payloads)
        self._burn(SHARE * self.worked - self.burnt)
        return decoded

    def _burn(self, seconds: float) -> None:
        begun = time.thread_time()
        while time.thread_time() - begun < seconds:
            pass
        self.burnt += time.thread_time() - begun


cost, slow = Loop(time.process_time), Loop(of_the_pipeline)
COSTLY = DecodeChoice("costly", "msgspec, and a busy loop for this process's CPU time", "planted:cost")
SLOW = DecodeChoice("slow", "msgspec, and a busy loop for the CPU time of bus and store too", "planted:slow")
SAME = replace(OPTIMISED, name="same")
COSTLIER = replace(OPTIMISED, name="costlier", decode=COSTLY)
SLOWED = replace(OPTIMISED, name="slowed", decode=SLOW)
