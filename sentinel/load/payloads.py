"""What the messages of a load look like: seeded readings, in the codec's encoding.

Pure: the same seed, source, number and time make the same bytes.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np

from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sentinel.settings import LoadSettings

    Integers = NDArray[np.int64]
    Encode = Callable[[Integers, Integers, Integers], list[bytes]]
    """Parallel arrays (source, its sequence number, send time in ns since the epoch) to payloads."""

POOL = 1024
"""Readings made before the start, from the seed, and used in turn."""
_TRACED = np.dtype("<i8,<f8,<f8,<i8,<u4,<u4")
"""The binary codec's layout, for many at once: 0.21 µs a message in pieces of 50, 0.14 of 200, one by one 0.39."""


def encoder(settings: LoadSettings) -> Encode:
    """A function that makes the payloads of a load's messages."""
    generator = random.Random(settings.seed)  # noqa: S311 - play data
    pool = [(round(generator.uniform(0, 100), 2), round(generator.uniform(20, 90), 2)) for _ in range(POOL)]
    if settings.codec == "binary":
        return _binary(np.array(pool).T)
    encode = CODECS[settings.codec].encode

    def one(source: int, seq: int, sent: int) -> bytes:
        cpu, mem = pool[(source + seq) % POOL]
        return encode(Sample(sent // 1_000_000_000, cpu, mem, sent, source=source, seq=seq))

    return lambda sources, numbers, sent: list(map(one, sources.tolist(), numbers.tolist(), sent.tolist()))


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
