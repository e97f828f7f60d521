"""A thread that works beside a `with` block, from its start to its end."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self


class Beside(ABC):
    """Works in a thread of its own while its block runs; the block's end waits for the last of the work.

    Args:
        name: Of the thread.
    """

    def __init__(self, name: str) -> None:
        self.done = threading.Event()
        """Set once the block has ended."""
        self._thread = threading.Thread(target=self.work, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self._thread.join()

    @abstractmethod
    def work(self) -> None:
        """All of the work; it ends soon after `done` is set."""
