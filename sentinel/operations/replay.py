"""Dead letters tried again: messages go back on the bus, and lines that the store refused go to the store.

A refused letter holds the line that the consumer made of its message, and nothing else is needed to store it. A letter
is removed after Redis, or the store, has taken what it holds: what is interrupted is done again, and nothing is lost.
A point that is written twice overwrites itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.errors import StoreRefusedError
from sentinel.store import StoreClient, identify, write_target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentinel.bus.dead_letters import DeadLetter, DeadLetterReader
    from sentinel.settings import StoreSettings

STORE = "store"
"""The reason of what the store refused."""


@dataclass
class Replayed:
    """What became of the letters."""

    sent: int = 0
    """Put back on the bus."""
    written: int = 0
    """Lines taken by the store."""
    cut: int = 0
    """Kept: only a part of the payload is there."""
    refused: int = 0
    """Kept: the store refuses them still."""
    words: str = ""
    """The store's, of the last that it refused."""


class Replay:
    """Tries letters again, page by page. Connects to the store when that is first needed.

    Args:
        box: the letters.
        store: where lines go that the store refused.
        transport: where messages go, `pubsub` or `stream`.
        dry: only count what would be done.
    """

    def __init__(self, box: DeadLetterReader, store: StoreSettings, transport: str, *, dry: bool = False) -> None:
        self.done = Replayed()
        self._box = box
        self._settings = store
        self._transport = transport
        self._dry = dry
        self._store: StoreClient | None = None
        self._target = ""

    def run(self, pages: Iterator[Sequence[DeadLetter]], note: Callable[[int], None]) -> Replayed:
        """Try all letters.

        Args:
            pages: letters, a page at a time.
            note: told how many letters were looked at, after each page.

        Raises:
            BusError: Redis is away, or nobody subscribes to the channel; the rest is kept.
            StoreError: the store is away, or refuses for a reason of its own; the rest is kept.
        """
        for page in pages:
            whole = [letter for letter in page if not letter.cut]
            self.done.cut += len(page) - len(whole)
            self._send([letter for letter in whole if letter.reason != STORE])
            self._write([letter for letter in whole if letter.reason == STORE])
            note(len(page))
        return self.done

    def _send(self, letters: Sequence[DeadLetter]) -> None:
        if letters and not self._dry:
            self._box.put_back(letters, self._transport)
            self._box.remove(letters)
        self.done.sent += len(letters)

    def _write(self, letters: Sequence[DeadLetter]) -> None:
        if not letters or self._dry:
            self.done.written += len(letters)
            return
        refused: list[DeadLetter] = []
        self._sift(letters, refused)
        self.done.refused += len(refused)

    def _sift(self, letters: Sequence[DeadLetter], refused: list[DeadLetter]) -> None:
        """Write them, and remove each that the store takes; bisects what it refuses."""
        try:
            self._post(b"\n".join(letter.payload for letter in letters))
        except StoreRefusedError as error:
            if len(letters) == 1:
                self.done.words = str(error)
                refused += letters
                return
            half = len(letters) // 2
            self._sift(letters[:half], refused)
            self._sift(letters[half:], refused)
        else:
            self._box.remove(letters)
            self.done.written += len(letters)

    def _post(self, body: bytes) -> None:
        if self._store is None:
            self._target = write_target(self._settings, identify(self._settings))
            self._store = StoreClient(self._settings)
        self._store.write(self._target, body)

    def close(self) -> None:
        """Close the connection to the store."""
        if self._store is not None:
            self._store.close()
