"""What passed a tap, read after the trial: requests and their answers, with their times.

`exchanges` reads the notes of every connection. HTTP/1.1 as stores and their clients speak it: bodies with a length,
in chunks, or up to the connection's end; kept-alive connections; answers in the order of their requests.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab.contenders.wire.tap import FROM_STORE, HEAD, TO_STORE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD_END = b"\r\n\r\n"
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes that a packed body may become; what is beyond is left out."""
NO_BODY = (b"204", b"304")


@dataclass
class Message:
    """A request or an answer."""

    first: bytes
    """The first line of its head."""
    headers: dict[bytes, bytes]
    """By lower-case name."""
    began: tuple[int, int]
    """When its first byte came: ns since the epoch, and by the monotonic clock."""
    ended: tuple[int, int] = (0, 0)
    """When its last byte came."""
    body: bytearray = field(default_factory=bytearray)

    @property
    def status(self) -> int:
        """Of an answer."""
        words = self.first.split()
        return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0

    @property
    def target(self) -> str:
        """Path and query of a request."""
        words = self.first.split()
        return words[1].decode("latin-1") if len(words) > 1 else ""

    def content(self) -> bytes:
        """The body, unpacked."""
        if b"gzip" not in self.headers.get(b"content-encoding", b""):
            return bytes(self.body)
        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(bytes(self.body), MOST_UNPACKED)
        except zlib.error:
            return b""


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; None where none came."""

    request: Message
    answer: Message | None


class Parser:
    """Takes one direction of a connection in pieces, and gives out whole messages."""

    def __init__(self, *, answers: bool) -> None:
        self._answers = answers
        self._rest = bytearray()
        self._message: Message | None = None
        self._left = 0
        """Bytes of the body, or of its chunk, that are still to come; -1: up to the connection's end."""
        self._chunked = False

    def feed(self, piece: bytes, at: tuple[int, int]) -> Iterator[Message]:
        """Messages that end with this piece, which came at this moment."""
        self._rest += piece
        while self._begun(at) and self._filled():
            message, self._message = self._message, None
            assert message is not None
            message.ended = at
            if not (self._answers and message.first.split()[1:2] == [b"100"]):
                yield message

    def close(self, at: tuple[int, int]) -> Iterator[Message]:
        """The message that only the connection's end has ended."""
        if self._message is not None and self._left < 0:
            self._message.ended = at
            yield self._message

    def _begun(self, at: tuple[int, int]) -> bool:
        """Whether there is a message whose head is whole."""
        if self._message is not None:
            return True
        end = self._rest.find(HEAD_END)
        if end < 0:
            return False
        first, *lines = bytes(self._rest[:end]).lstrip(b"\r\n").split(b"\r\n")
        del self._rest[: end + len(HEAD_END)]
        pairs = (line.partition(b":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._message = Message(first, headers, at)
        self._chunked = b"chunked" in headers.get(b"transfer-encoding", b"").lower()
        self._left = 0 if self._chunked else self._length(first, headers)
        return True

    def _length(self, first: bytes, headers: dict[bytes, bytes]) -> int:
        if b"content-length" in headers:
            return int(headers[b"content-length"])
        status = first.split()[1:2]
        bodyless = not self._answers or status[0] in NO_BODY or status[0].startswith(b"1")
        return 0 if bodyless else -1

    def _filled(self) -> bool:
        """Move what has come into the body; whether that is whole."""
        assert self._message is not None
        if self._chunked:
            return self._chunks(self._message.body)
        count = len(self._rest) if self._left < 0 else min(self._left, len(self._rest))
        self._message.body += self._rest[:count]
        del self._rest[:count]
        if self._left > 0:
            self._left -= count
        return self._left == 0

    def _chunks(self, body: bytearray) -> bool:
        while (end := self._rest.find(b"\r\n")) >= 0:
            size = int(bytes(self._rest[:end]).partition(b";")[0] or b"0", 16)
            whole = end + 2 + size + 2
            if len(self._rest) < whole:
                return False
            body += self._rest[end + 2 : end + 2 + size]
            del self._rest[:whole]
            if not size:
                return True
        return False


def exchanges(folder: Path) -> Iterator[Exchange]:
    """All of a tap's folder, connection by connection; in each in the order of their requests.

    Args:
        folder: That of the tap's notes.
    """
    for path in sorted(folder.glob("*.notes"), key=lambda path: int(path.stem)):
        yield from _connection(path)


def _connection(path: Path) -> Iterator[Exchange]:
    parsers = {TO_STORE: Parser(answers=False), FROM_STORE: Parser(answers=True)}
    waiting: list[Message] = []
    at = (0, 0)
    for at, direction, piece in _notes(path):
        for message in parsers[direction].feed(piece, at):
            if direction == TO_STORE:
                waiting.append(message)
            elif waiting:
                yield Exchange(waiting.pop(0), message)
    for message in parsers[FROM_STORE].close(at):
        if waiting:
            yield Exchange(waiting.pop(0), message)
    yield from (Exchange(request, None) for request in waiting)


def _notes(path: Path) -> Iterator[tuple[tuple[int, int], int, bytes]]:
    """(moment, direction, bytes) of every note; one that was cut off ends them."""
    with path.open("rb") as file:
        while len(head := file.read(HEAD.size)) == HEAD.size:
            now, tick, direction, count = HEAD.unpack(head)
            piece = file.read(count)
            if len(piece) < count:
                return
            yield (now, tick), direction, piece
