"""A recording made of another: masked, or what is whole of one that was cut off."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec

from sentinel.errors import RecordingError
from sentinel.recording.mask import Mask
from sentinel.recording.reader import Reader
from sentinel.recording.writer import DiskFullError, Writer

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.recording.format import Trailer

log = logging.getLogger(__name__)


def masked(path: Path, out: Path) -> Trailer:
    """Write a recording again, with names and values replaced.

    Args:
        path: the recording.
        out: the one that is written.

    Returns:
        The trailer of the new one; `left_out` has the messages that could not be masked.

    Raises:
        RecordingError: `path` is not whole or has no message that can be masked, `out` cannot be written, or two
            sources would become one; nothing is written then.
    """
    with Reader(path) as reader:
        writer = Writer(out, msgspec.structs.replace(reader.header, masked=True, key=""))
        try:
            left_out = _mask(reader, writer)
        except BaseException:
            writer.discard()
            raise
        if writer.messages:
            return _closed(writer, reader.trailer, left_out)
        writer.discard()
    raise RecordingError(f"{path} has no message that can be masked")


def _mask(reader: Reader, writer: Writer) -> int:
    """Write all messages masked; how many could not be."""
    mask, left_out = Mask(), 0
    for block in reader.blocks():
        pairs = [(time, mask(payload)) for time, payload in zip(*block, strict=True)]
        kept = [(time, payload) for time, payload in pairs if payload is not None]
        left_out += len(pairs) - len(kept)
        writer.add([time for time, _ in kept], [payload for _, payload in kept])
    return left_out


def repaired(path: Path, out: Path) -> Trailer:
    """Write again what is whole of a recording that was cut off or damaged.

    Args:
        path: the recording.
        out: the one that is written.

    Returns:
        The trailer of the new one.

    Raises:
        RecordingError: `path` is whole, or nothing of it is, or `out` cannot be written; nothing is written then.
    """
    with Reader(path) as reader:
        writer = Writer(out, reader.header)
        times: list[int] = []
        try:
            for block in reader.blocks():
                writer.add(block.times, block.payloads)
                times += [block.times[0], block.times[-1]]
        except RecordingError as error:
            if not writer.messages or isinstance(error, DiskFullError):
                writer.discard()
                raise
            log.warning("%s", str(error).partition(": ")[0])
            return writer.close(times[-1] - times[0], "repair")
        except BaseException:
            writer.discard()
            raise
        writer.discard()
        raise RecordingError(f"{path} is whole: there is nothing to repair")


def _closed(writer: Writer, before: Trailer | None, left_out: int) -> Trailer:
    assert before is not None
    counts = {"interruptions": before.interruptions, "away": before.away, "left_out": before.left_out + left_out}
    return writer.close(before.length, before.ended, **counts)
