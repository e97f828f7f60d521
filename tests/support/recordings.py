"""Recordings made by hand, and what is in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.recording.format import Header
from sentinel.recording.reader import Reader
from sentinel.recording.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AT = 1_764_000_000_000_000_000
"""When the first message of a recording came, ns since the epoch."""
MILLISECOND = 1_000_000


def message(**members: Any) -> bytes:
    """A JSON message; members in place of, or beside, the usual ones."""
    usual = {"timestamp": AT // 10**9, "cpu_usage": 12.5, "mem_usage": 61.25, "send_time_unix_nano": AT}
    return msgspec.json.encode(usual | members)


def recording(path: Path, payloads: Sequence[bytes], times: Sequence[int] | None = None, block: int = 100) -> Path:
    """A recording of these messages, 10 ms apart where no times (ns from the first) are given."""
    offsets = times if times is not None else [10 * MILLISECOND * n for n in range(len(payloads))]
    writer = Writer(path, Header("2026-01-01T00:00:00+00:00", "stream", "metrics"))
    for start in range(0, len(payloads), block):
        writer.add([AT + offset for offset in offsets[start : start + block]], payloads[start : start + block])
        writer.flush()
    writer.close(max(offsets, default=0) + 10 * MILLISECOND, "stop")
    return path


def contents(path: Path) -> tuple[list[int], list[bytes]]:
    """Times and messages of a recording that is whole."""
    with Reader(path) as reader:
        blocks = list(reader.blocks())
    return [time for block in blocks for time in block.times], [each for block in blocks for each in block.payloads]
