"""One connection that posts batches of lines, and finds those that the store will never take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.consumer.writing.delivery import Refused
from sentinel.errors import StoreRefusedError
from sentinel.store import StoreClient, write_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.consumer.batching import Batch
    from sentinel.consumer.writing.writers import Outlet

MOST_NAMED = 20
"""Lines that a store may name, one after the other, of one body; with more, bisecting is quicker."""


class Poster:
    """For one thread, but for `cut_off`."""

    def __init__(self, outlet: Outlet) -> None:
        self._store = StoreClient(outlet.store)
        self._target = write_target(outlet.store, outlet.server)
        self._delivery = outlet.delivery(self._post, apart=_apart)
        self._refusals = outlet.refusals
        self._named: list[Refused] = []

    def deliver(self, batch: Batch) -> list[Refused]:
        """Write a batch.

        Returns:
            The points that the store will never take.

        Raises:
            DeadlineError: the stop deadline passed first.
        """
        self._named = []
        refused = self._delivery.deliver([block.points for block in batch.blocks])
        return [*self._named, *refused] if self._named else refused

    def _post(self, packs: Sequence[bytes]) -> None:
        try:
            self._store.write(self._target, b"\n".join(packs))
        except StoreRefusedError as error:
            if error.line is None:
                raise
            self._post_rest(_apart(packs), error)

    def _post_rest(self, lines: list[bytes], error: StoreRefusedError) -> None:
        """Write all but the lines that the store names. Bisecting would wait for a flush of its log at every step."""
        named: list[Refused] = []
        while True:
            if error.line is None or not 0 <= error.line < len(lines) > 1 or len(named) == MOST_NAMED:
                raise error
            named.append(self._confirmed(lines.pop(error.line), error))
            try:
                self._store.write(self._target, b"\n".join(lines))
            except StoreRefusedError as following:
                error = following
            else:
                break
        self._named += named
        for refused in named:
            self._refusals.note(refused)

    def _confirmed(self, line: bytes, error: StoreRefusedError) -> Refused:
        """The line as refused by itself. Raises `error` where it is not: then another one is meant."""
        try:
            self._store.write(self._target, line)
        except StoreRefusedError as alone:
            return Refused(line, str(alone))
        raise error

    def cut_off(self) -> None:
        """Let the write under way, and every later one, fail at once. From another thread."""
        self._store.cut_off()

    def close(self) -> None:
        """Close the connection."""
        self._store.close()


def _apart(packs: Sequence[bytes]) -> list[bytes]:
    """The single lines; none holds a newline of its own."""
    return b"\n".join(packs).split(b"\n")
