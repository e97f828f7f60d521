"""What holds a consumer up: of every interval the longest write, and the longest run of the garbage collector.

A collection may begin anywhere, also while a lock is held: nothing here takes any. Two threads that note at once lose
at most the shorter of two.
"""

from __future__ import annotations

import gc
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITTEN, COLLECTED = "longest_write", "longest_collection"
"""Keys of an interval in the record, each with when it began (ns since the epoch) and how long it took (ns)."""


class Stalls:
    """Of one consumer, since the last `take`."""

    def __init__(self) -> None:
        self._longest: dict[str, tuple[int, int]] = {}

    def note(self, kind: str, took: int) -> None:
        """Something has just ended.

        Args:
            kind: `WRITTEN` or `COLLECTED`.
            took: ns.
        """
        known = self._longest.get(kind)
        if known is None or took > known[1]:
            self._longest[kind] = time.time_ns() - took, took

    def take(self) -> dict[str, tuple[int, int]]:
        """The longest of each kind that there was: when it began, ns since the epoch, and how long it took, ns."""
        taken, self._longest = self._longest, {}
        return taken

    @contextmanager
    def collections(self) -> Iterator[None]:
        """Note every run of this process's garbage collector while the block lasts."""
        began = 0

        def heard(phase: str, _info: dict[str, Any]) -> None:
            nonlocal began
            if phase == "start":
                began = time.monotonic_ns()
            elif began:
                self.note(COLLECTED, time.monotonic_ns() - began)

        gc.callbacks.append(heard)
        try:
            yield
        finally:
            gc.callbacks.remove(heard)
