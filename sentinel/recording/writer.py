"""Writing a recording: under a temporary name until it is whole, a block at a time, with what fits on a full disk."""

from __future__ import annotations

import errno
import os
import zlib
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from sentinel.errors import RecordingError
from sentinel.recording.format import HEAD, MESSAGES, TAIL, Block, Header, Trailer, beginning, checksum, framed, packed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

BLOCK_BYTES = 1 << 20
"""Bytes of payloads from which a block is written: a longer one packs little better, and holds more back."""
BLOCK_MESSAGES = 50_000
"""Messages likewise."""


class DiskFullError(RecordingError):
    """A block could not be written; what was written before is whole, and `close` keeps it."""


class _Mark(NamedTuple):
    """The end of a whole frame, and what lies before it."""

    offset: int
    chain: int
    blocks: int = 0
    messages: int = 0
    size: int = 0


class Writer:
    """A recording that grows. What is added is in the file once a block is full, or with `flush`.

    Args:
        path: where it is to be once it is whole; a file that is there is never overwritten.
        header: what it begins with.

    Raises:
        RecordingError: there is such a file, or it cannot be written.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._part = path.with_name(f"{path.name}.part")
        if path.exists():
            raise RecordingError(f"{path} is there already, and recordings are not overwritten: choose another name")
        try:
            self._file = self._part.open("xb", buffering=0)
        except FileExistsError:
            raise RecordingError(
                f"{self._part} is there already: another recording is under way, or was ended by force;"
                f" `sentinel record --repair {self._part} OUT` keeps what it has"
            ) from None
        except OSError as error:
            raise RecordingError(f"{path} cannot be written: {error.strerror}") from error
        self._marks = deque([_Mark(0, zlib.crc32(beginning()))], maxlen=2)
        self._times: list[int] = []
        self._payloads: list[bytes] = []
        self._held = 0
        try:
            self._put(beginning())
            self._append(HEAD, msgspec.json.encode(header))
        except RecordingError:
            self.discard()
            raise

    @property
    def messages(self) -> int:
        """Added so far."""
        return self._marks[-1].messages + len(self._times)

    @property
    def written(self) -> int:
        """Bytes of the file so far."""
        return self._marks[-1].offset

    def add(self, times: Sequence[int], payloads: Sequence[bytes]) -> None:
        """Add messages.

        Args:
            times: when each arrived, ns since the epoch, never decreasing.
            payloads: as long as `times`, each no longer than `codecs.MAX_PAYLOAD`.

        Raises:
            DiskFullError: a block could not be written.
        """
        for time, payload in zip(times, payloads, strict=True):
            self._times.append(time)
            self._payloads.append(payload)
            self._held += len(payload)
            if self._held >= BLOCK_BYTES or len(self._times) >= BLOCK_MESSAGES:
                self.flush()

    def flush(self) -> None:
        """Write what was added as a block.

        Raises:
            DiskFullError: it could not be written, and is dropped.
        """
        block, size = Block(self._times, self._payloads), self._held
        self._times, self._payloads, self._held = [], [], 0
        if block.times:
            self._append(MESSAGES, packed(block), len(block.times), size)

    def close(self, length: int, ended: str, **more: int) -> Trailer:
        """Write the trailer, and give the file its name.

        Args:
            length: ns that the recording took.
            ended: see Trailer.
            more: further counts of the trailer.

        Returns:
            The trailer.

        Raises:
            DiskFullError: there is no room for anything.
            RecordingError: the name was taken meanwhile; the message says where the recording is.
        """
        try:
            self.flush()
        except DiskFullError:
            ended = "disk"
        try:
            trailer = self._end(length, ended, more)
        except DiskFullError:
            if not self._marks[-1].blocks:
                raise
            self._marks.pop()  # not even so little fits: the last block makes room
            self._back()
            trailer = self._end(length, "disk", more)
        os.fsync(self._file.fileno())
        self._file.close()
        self._name()
        return trailer

    def _end(self, length: int, ended: str, more: dict[str, int]) -> Trailer:
        last = self._marks[-1]
        trailer = Trailer(last.messages, last.size, last.blocks, length, ended, **more)
        self._append(TAIL, msgspec.json.encode(trailer))
        return trailer

    def discard(self) -> None:
        """Remove what was written."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _append(self, tag: bytes, body: bytes, messages: int = 0, size: int = 0) -> None:
        """Write a frame, whole or not at all."""
        before = self._marks[-1]
        self._put(framed(tag, body, before.chain))
        counts = before.blocks + (tag == MESSAGES), before.messages + messages, before.size + size
        self._marks.append(_Mark(self._file.tell(), checksum(tag, body, before.chain), *counts))

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._back()
            raise DiskFullError(f"{self.path} cannot be written on: {error.strerror}") from error

    def _back(self) -> None:
        """Take away what lies behind the last whole frame."""
        self._file.truncate(self._marks[-1].offset)
        self._file.seek(self._marks[-1].offset)

    def _name(self) -> None:
        """Give the file its name, unless another one took it meanwhile."""
        try:
            os.link(self._part, self.path)
        except FileExistsError:
            raise RecordingError(f"{self.path} was made meanwhile by another: the recording is {self._part}") from None
        except OSError as error:
            if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}:
                raise RecordingError(f"{self._part} cannot be renamed to {self.path}: {error.strerror}") from error
            self._part.rename(self.path)  # a file system without links
        else:
            self._part.unlink()
