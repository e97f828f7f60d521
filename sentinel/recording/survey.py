"""What is in a recording: how much of it can be played, from how many sources, and how it is spread over time."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from sentinel.errors import RecordingError
from sentinel.model.codecs import MSGSPEC
from sentinel.model.sample import source_of
from sentinel.recording.format import Header, Trailer
from sentinel.recording.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

    from sentinel.recording.format import Block

SECOND = 1_000_000_000
"""ns."""
SHORTEST = 1_000_000
"""ns between the first message and the last below which a recording has no spacing of its own."""
_BINARY = frozenset({32, 40})
"""Lengths of binary messages."""


@dataclass
class Survey:
    """Of a whole recording. A message that is none of ours counts as foreign; all else is about the others."""

    header: Header = field(default_factory=Header)
    trailer: Trailer = field(default_factory=lambda: Trailer(0, 0, 0, 0))
    sha256: str = ""
    """Of the file, in hexadecimal."""
    messages: int = 0
    """That can be played."""
    size: int = 0
    """Bytes of their payloads."""
    binary: int = 0
    """How many of them are binary."""
    first: int = 0
    """When the first of them came, ns since the epoch."""
    last: int = 0
    """When the last of them came."""
    known: set[Hashable] = field(default_factory=set, repr=False)
    """What tells their sources apart."""
    foreign: Counter[str] = field(default_factory=Counter)
    """Other messages by the reason for which a consumer would reject them."""
    tenths: Counter[int] = field(default_factory=Counter, repr=False)
    """Messages by tenth of a second from the first."""

    def add(self, block: Block) -> None:
        """Take a block in."""
        decoded = MSGSPEC(block.payloads)
        self.foreign.update(rejected.reason for rejected in decoded.rejected)
        bad = {rejected.position for rejected in decoded.rejected}
        kept = [n for n in range(len(block.times)) if n not in bad] if bad else range(len(block.times))
        if not kept:
            return
        self.known.update(map(source_of, decoded.columns.series))
        lengths = [len(block.payloads[n]) for n in kept]
        self.messages += len(lengths)
        self.size += sum(lengths)
        self.binary += sum(length in _BINARY for length in lengths)
        self.first = self.first or block.times[kept[0]]
        self.last = block.times[kept[-1]]
        self.tenths.update((block.times[n] - self.first) * 10 // SECOND for n in kept)

    @property
    def sources(self) -> int:
        """How many there are."""
        return len(self.known)

    @property
    def period(self) -> int:
        """ns from the first message to where it would come again, were the recording played in a loop.

        Behind the last message lies a gap such as there is between any two. Of a single message it is the recording's
        length.
        """
        if self.messages < 2:
            return max(self.trailer.length, SHORTEST)
        return (self.last - self.first) * self.messages // (self.messages - 1)

    @property
    def rate(self) -> float:
        """Messages per second, as they came; 0 where they have no spacing of their own: all of them came at once."""
        if self.messages > 1 and self.last - self.first < SHORTEST:
            return 0.0
        return self.messages * SECOND / self.period

    @property
    def codec(self) -> str:
        """Of the messages: `json`, `binary`, or both."""
        if 0 < self.binary < self.messages:
            return "json and binary"
        return "binary" if self.binary else "json"


def survey(path: Path) -> Survey:
    """Read a recording through.

    Args:
        path: the file.

    Raises:
        RecordingError: it cannot be read, is none, or is not whole.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise RecordingError(f"the recording {path} cannot be read: {error.strerror}") from error
    return _surveyed(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)
def _surveyed(path: Path, changed: int, size: int) -> Survey:
    """Once for a file as it is."""
    del changed, size
    collected = Survey()
    with Reader(path) as reader:
        for block in reader.blocks():
            collected.add(block)
        assert reader.trailer is not None
        collected.header, collected.trailer = reader.header, reader.trailer
    with path.open("rb") as file:
        collected.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return collected


def playable(path: Path) -> Survey:
    """Likewise, of a recording that is to be played.

    Args:
        path: the file.

    Raises:
        RecordingError: as `survey`, or it has no message that can be played.
    """
    surveyed = survey(path)
    if not surveyed.messages:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in surveyed.foreign.most_common())
        raise RecordingError(f"{path} has no message that can be played: a consumer would reject all ({reasons})")
    return surveyed
