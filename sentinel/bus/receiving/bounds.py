"""How much of Redis's memory may become ours: replies, and payloads in them, have a limit in bytes.

XREADGROUP, XCLAIM and Pub/Sub bound nothing but the number of entries. A reply beyond `MOST` is given up with its
connection; the entries in it are read again, fewer at a time, and one that is too long by itself is never taken in.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from redis._parsers import _HiredisParser  # redis-py has no public name for it

from sentinel.model.codecs import MAX_PAYLOAD, Oversized

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 32 << 20
"""Bytes of one reply; Redis itself cuts off a Pub/Sub subscriber behind by so many."""
ENOUGH = 4 << 20
"""Bytes that a read had better not exceed: 1,000 messages of 4 KiB."""
HEAD = 8192
"""Bytes kept of the beginning of a reply: the ids, and all that a dead letter holds of a payload."""

_BEYOND = f"more than {MOST:,} bytes"


class TooLongError(Exception):
    """A reply is longer than `MOST`, and its connection of no more use; never leaves the bus.

    Attributes:
        head: Its beginning.
    """

    def __init__(self, head: bytes) -> None:
        super().__init__(f"an answer of {_BEYOND} was given up")
        self.head = head


class ReadCount:
    """How many entries to ask for: as many as it says, fewer while they are large."""

    def __init__(self, most: int) -> None:
        self.now = most
        self._most = most

    def came(self, entries: int, size: int) -> None:
        """A read brought so many entries, of so many bytes together."""
        if size > ENOUGH:
            self.now = max(1, entries * ENOUGH // size)
        elif self.now < self._most:
            self.now = min(self._most, 2 * self.now)

    def too_many(self) -> None:
        """The reply to so many was given up."""
        self.now = 1


def entry_too_long(head: bytes) -> list[Any]:
    """The one entry of a reply of which no more than the head is known, as RESP2 has it: [id, [field, value]].

    Raises:
        TooLongError: there is no entry in it.
    """
    match = re.search(rb"\*2\r\n\$\d+\r\n(\d+-\d+)\r\n\*\d+\r\n\$\d+\r\n", head)
    if not match:
        raise TooLongError(head)
    value = re.compile(rb"\r\n\$\d+\r\n").search(head, match.end())  # past the field's name
    return [match[1], [b"", Oversized.beginning(head[value.end() :] if value else b"", _BEYOND)]]


def payload_too_long() -> bytes:
    """In place of a Pub/Sub message that was given up."""
    return Oversized.beginning(b"", _BEYOND)


def shortened(payloads: Sequence[bytes]) -> Sequence[bytes]:
    """Payloads of a read of more than `MAX_PAYLOAD` bytes, without what nobody will look at."""
    return [p if len(p) <= MAX_PAYLOAD else Oversized.beginning(p[:HEAD], f"{len(p):,} bytes") for p in payloads]


class _CountingReader:
    """A `hiredis.Reader` that counts what it is fed for one reply, and keeps the beginning."""

    def __init__(self, reader: Any) -> None:
        self.gets, self.has_data, self._feed = reader.gets, reader.has_data, reader.feed
        self.taken = 0
        """Bytes; whoever begins to read a reply sets it to 0."""
        self._head = bytearray()

    def feed(self, buffer: bytearray, start: int, count: int) -> None:
        """See hiredis."""
        if not self.taken:
            self._head.clear()
        if len(self._head) < HEAD:
            self._head += buffer[start : start + min(count, HEAD)]
        self.taken += count
        if self.taken > MOST:
            raise TooLongError(bytes(self._head))
        self._feed(buffer, start, count)


class BoundedParser(_HiredisParser):
    """redis-py's own, that gives up a reply longer than `MOST`."""

    _counting: _CountingReader | None = None

    def on_connect(self, connection: Any, **options: Any) -> None:
        """Redis-py's hook."""
        super().on_connect(connection, **options)  # type: ignore[no-untyped-call]
        reader: Any = _CountingReader(self._reader)
        self._reader = self._counting = reader

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Redis-py's hook, once a reply."""
        if self._counting is not None:
            self._counting.taken = 0
        return super().read_response(*args, **options)
