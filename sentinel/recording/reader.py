"""Reading a recording, a block at a time: what is damaged or cut off is refused, and said how much of it is whole."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Self

import msgspec

from sentinel.errors import RecordingError
from sentinel.recording import format as layout
from sentinel.recording.format import HEAD, MAGIC, MESSAGES, TAIL, VERSION, Block, Header, Trailer

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

EXPECTED = "expected a recording, as `sentinel record` makes them"


class _BrokenError(Exception):
    """What is wrong with a file, in words; never leaves this module."""


class Reader:
    """A recording that is read once, from its beginning to its end.

    Args:
        path: the file.

    Raises:
        RecordingError: it cannot be read, or is no recording of a version that is known here.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trailer: Trailer | None = None
        """Known once all blocks were read."""
        self.blocks_read = 0
        self.messages = 0
        """In the blocks read so far."""
        self.size = 0
        """Bytes of their payloads."""
        self._chain = zlib.crc32(layout.beginning())
        if path.exists() and not path.is_file():
            raise RecordingError(f"{path} is no file: {EXPECTED}")
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise RecordingError(f"the recording {path} cannot be read: {error.strerror}") from error
        try:
            self.header = self._begun()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self) -> Iterator[Block]:
        """All blocks, in order; once they are through, `trailer` is known.

        Raises:
            RecordingError: the file is cut off or damaged; the message names the last whole block.
        """
        while (block := self._next()) is not None:
            self.blocks_read += 1
            self.messages += len(block.payloads)
            self.size += sum(map(len, block.payloads))
            yield block

    def _begun(self) -> Header:
        start = self._file.read(len(layout.beginning()))
        if not start:
            raise RecordingError(f"{self.path} is empty: {EXPECTED}")
        if not (start.startswith(MAGIC) or MAGIC.startswith(start)):
            raise RecordingError(f"{self.path} is no recording: {EXPECTED}")
        version = int.from_bytes(start[len(MAGIC) :], "little")
        if len(start) == len(layout.beginning()) and version != VERSION:
            newer = ", so a newer one is needed" if version > VERSION else ""
            raise RecordingError(
                f"{self.path} is a recording of version {version}: this program reads {VERSION}{newer}"
            )
        try:
            return msgspec.json.decode(self._frame({HEAD})[1], type=Header)
        except (_BrokenError, ValueError) as error:
            raise RecordingError(f"{self.path} is cut off or damaged in its header: nothing of it is whole") from error

    def _next(self) -> Block | None:
        """The next block; None at the end."""
        try:
            tag, body = self._frame({MESSAGES, TAIL})
            if tag == MESSAGES:
                return layout.unpacked(body)
            self.trailer = self._ended(msgspec.json.decode(body, type=Trailer))
        except _BrokenError as error:
            raise self._broken(str(error)) from error
        except OSError as error:
            raise self._broken(f"cannot be read on ({error.strerror})") from error
        except ValueError as error:
            raise self._broken("is damaged") from error
        return None

    def _ended(self, trailer: Trailer) -> Trailer:
        counts = (trailer.messages, trailer.size, trailer.blocks)
        if counts != (self.messages, self.size, self.blocks_read) or self._file.read(1):
            raise _BrokenError("is damaged")
        return trailer

    def _frame(self, tags: Container[bytes]) -> tuple[bytes, bytes]:
        """Tag and body of the next frame, which has one of these tags."""
        tag, size, crc = layout.FRAME.unpack(self._exactly(layout.FRAME.size))
        if size > layout.LARGEST:
            raise _BrokenError("is damaged")
        body = self._exactly(size)
        if crc != layout.checksum(tag, body, self._chain) or tag not in tags:
            raise _BrokenError("is damaged")
        self._chain = crc
        return tag, body

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) < count:
            raise _BrokenError("is cut off")
        return data

    def _broken(self, how: str) -> RecordingError:
        if not self.blocks_read:
            return RecordingError(f"{self.path} {how} before its first whole block: nothing of it can be played")
        return RecordingError(
            f"{self.path} {how} behind block {self.blocks_read:,}, the last whole one ({self.messages:,} messages up to"
            f" there): `sentinel record --repair {self.path} OUT` keeps these"
        )
