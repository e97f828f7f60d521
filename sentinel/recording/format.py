"""The file format of recordings: frames, each with a checksum that also covers all frames before it.

Pure. docs/recordings.md describes it: magic, version, a header, blocks of messages, a trailer with counts. The chained
checksum shows a frame that is damaged, missing or out of its place; the trailer shows a file that was cut off.
"""

from __future__ import annotations

import struct
import zlib
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

MAGIC = b"\x89SREC\r\n\x1a"
"""A byte that no text has, and line ends that a transfer as text would change."""
VERSION = 1
HEAD, MESSAGES, TAIL = b"HEAD", b"MSGS", b"TAIL"
"""Tags of frames, in the order in which they come."""
LARGEST = 8 << 20
"""Bytes of a frame's body at most, and of a block unpacked: a damaged length must not fill the memory."""
LEVEL = 1
"""zlib's quickest: recording must keep pace with the bus."""
FRAME = struct.Struct("<4sII")
"""Tag, bytes of the body, checksum."""
_BLOCK = struct.Struct("<qII")
"""Time of the first message, number of messages, bytes unpacked."""


class Header(msgspec.Struct, frozen=True):
    """What a recording begins with."""

    created: str = ""
    """When it was begun, ISO 8601 in UTC."""
    transport: str = ""
    """`pubsub` or `stream`."""
    key: str = ""
    """Name of the channel or stream; empty where the recording is masked."""
    masked: bool = False
    """Whether names and values were replaced."""
    compression: str = "zlib"
    """How blocks are packed."""


class Trailer(msgspec.Struct, frozen=True):
    """What a recording ends with."""

    messages: int
    """In all blocks."""
    size: int
    """Bytes of their payloads."""
    blocks: int
    """How many there are."""
    length: int
    """ns from the beginning of the recording to its end."""
    ended: str = ""
    """What ended it: `bytes`, `duration`, `stop`, `disk`, `bus`, `mask`, or `repair` where it was cut off."""
    interruptions: int = 0
    """How often the bus was away."""
    away: int = 0
    """ns for which it was."""
    left_out: int = 0
    """Messages that were too long to be kept, or could not be masked."""


class Block(NamedTuple):
    """Some messages: parallel sequences."""

    times: Sequence[int]
    """When each arrived, ns since the epoch, never decreasing."""
    payloads: Sequence[bytes]
    """The messages as they were sent."""


def beginning() -> bytes:
    """The first bytes of every recording."""
    return MAGIC + VERSION.to_bytes(2, "little")


def checksum(tag: bytes, body: bytes, before: int) -> int:
    """Of a frame.

    Args:
        tag: of the frame.
        body: of the frame.
        before: checksum of the frame before it; of the first frame that of `beginning`.
    """
    return zlib.crc32(body, zlib.crc32(tag + len(body).to_bytes(4, "little"), before))


def framed(tag: bytes, body: bytes, before: int) -> bytes:
    """A frame as it is written; arguments as those of `checksum`."""
    return FRAME.pack(tag, len(body), checksum(tag, body, before)) + body


def packed(block: Block) -> bytes:
    """The body of a block's frame."""
    count, first = len(block.times), block.times[0]
    steps = struct.pack(f"<{count}q", 0, *(later - earlier for earlier, later in pairwise(block.times)))
    lengths = struct.pack(f"<{count}I", *map(len, block.payloads))
    whole = steps + lengths + b"".join(block.payloads)
    return _BLOCK.pack(first, count, len(whole)) + zlib.compress(whole, LEVEL)


def unpacked(body: bytes) -> Block:
    """The inverse of `packed`.

    Raises:
        ValueError: the body is none of a block.
    """
    if len(body) < _BLOCK.size:
        raise ValueError("too short")
    first, count, size = _BLOCK.unpack_from(body)
    whole = _inflated(body[_BLOCK.size :], size)
    if not count or 12 * count > size:
        raise ValueError(f"{count} messages in {size} bytes")
    steps = struct.unpack_from(f"<{count}q", whole)
    lengths = struct.unpack_from(f"<{count}I", whole, 8 * count)
    ends = list(accumulate(lengths, initial=12 * count))
    if ends[-1] != size or min(steps) < 0:
        raise ValueError("lengths and times that cannot be")
    times = [first + step for step in accumulate(steps)]
    return Block(times, [whole[start:end] for start, end in pairwise(ends)])


def _inflated(data: bytes, size: int) -> bytes:
    """Bytes unpacked, if they are as many as was said."""
    if size > LARGEST:
        raise ValueError(f"{size} bytes")
    unpacker = zlib.decompressobj()
    try:
        whole = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(whole) != size or not unpacker.eof or unpacker.unused_data:
        raise ValueError("another length than was said")
    return whole
