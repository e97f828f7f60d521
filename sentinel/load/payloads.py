"""What the messages of a load look like: numbered by source, with seeded readings, in the codec's encoding.

Pure: the same seed, source, number and time make the same bytes.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample
from sentinel.settings import LEAST_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sentinel.settings import LoadSettings

    Integers = NDArray[np.int64]
    Encode = Callable[[Integers, Integers, Integers], list[bytes]]
    """Parallel arrays (source, its sequence number, send time in ns since the epoch) to payloads."""

POOL = 1024
"""Readings made before the start, from the seed, and used in turn."""
TAG_SETS = 100
"""Different sets of tags, as of hosts in so many racks; a source always has the same."""
_TRACED = np.dtype("<i8,<f8,<f8,<i8,<u4,<u4")
"""The binary codec's layout, for many at once (docs/measurements.md: payloads)."""


class SequenceNumbers:
    """Sequence numbers of the sources, each counting its own messages.

    Args:
        sources: how many there are, numbered from 0.
        first: number of each source's first message.
    """

    def __init__(self, sources: int, first: int) -> None:
        self._next = np.full(sources, first)

    def next_of(self, sources: Integers) -> Integers:
        """Give out the next number of each message's source.

        Args:
            sources: the source of each message, in the order of sending.

        Returns:
            The number of each message, as long as `sources`.
        """
        numbers = np.empty_like(sources)
        order = np.argsort(sources, kind="stable")
        ordered = sources[order]
        # Only the sources of these messages are looked at: there may be a million others.
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])[: len(ordered)]
        counts = np.diff(np.r_[starts, len(ordered)])
        numbers[order] = self._next[ordered] + np.arange(len(ordered)) - np.repeat(starts, counts)
        self._next[ordered[starts]] += counts
        return numbers


def encoder(settings: LoadSettings) -> Encode:
    """The function that makes the payloads of a load's messages."""
    generator = random.Random(settings.seed)  # noqa: S311 - play data
    pool = [(round(generator.uniform(0, 100), 2), round(generator.uniform(20, 90), 2)) for _ in range(POOL)]
    if settings.codec == "binary":
        return _binary(np.array(pool).T)
    encode = CODECS[settings.codec].encode

    def encoded(source: int, seq: int, sent: int) -> bytes:
        cpu, mem = pool[(source + seq) % POOL]
        return encode(Sample(sent // 1_000_000_000, cpu, mem, sent, source=source, seq=seq))

    def wide(source: int, seq: int, sent: int) -> bytes:
        return encoded(source, seq, sent)[:-1] + fields[(source + seq) % POOL] + tags[source % TAG_SETS] + b"}"

    fields, tags = _fields(settings.fields - LEAST_FIELDS, generator), _tags(settings.tags)
    made = wide if settings.fields > LEAST_FIELDS or settings.tags else encoded
    return lambda sources, numbers, sent: list(map(made, sources.tolist(), numbers.tolist(), sent.tolist()))


def _fields(count: int, generator: random.Random) -> list[bytes]:
    """The end of a message from its further fields on, for each of the readings."""
    if not count:
        return [b""] * POOL
    names = [f"reading_{number:03}" for number in range(LEAST_FIELDS + 1, LEAST_FIELDS + 1 + count)]
    readings = ({name: round(generator.uniform(0, 1000), 2) for name in names} for _ in range(POOL))
    return [b',"fields":' + msgspec.json.encode(each) for each in readings]


def _tags(count: int) -> list[bytes]:
    """The end of a message from its tags on, for each set of them."""
    if not count:
        return [b""] * TAG_SETS
    sets = ({f"tag_{n:02}": f"value_{(s * (n + 1)) % TAG_SETS:02}" for n in range(count)} for s in range(TAG_SETS))
    return [b',"tags":' + msgspec.json.encode(each) for each in sets]


def _binary(pool: NDArray[np.float64]) -> Encode:
    def payloads(sources: Integers, numbers: Integers, sent: Integers) -> list[bytes]:
        cpu, mem = pool[:, (sources + numbers) % POOL]
        rows = np.empty(len(sent), dtype=_TRACED)
        for name, column in zip(
            _TRACED.names or (), (sent // 1_000_000_000, cpu, mem, sent, sources, numbers), strict=True
        ):
            rows[name] = column
        whole, size = rows.tobytes(), _TRACED.itemsize
        return [whole[start : start + size] for start in range(0, len(whole), size)]

    return payloads
