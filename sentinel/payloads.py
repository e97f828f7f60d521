"""What the messages of a load look like: seeded readings, in the codec's encoding.

Pure: the same seed, source, number and time make the same bytes.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from sentinel.codecs import CODECS
from sentinel.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.settings import LoadSettings

POOL = 1024
"""Readings made before the start, from the seed, and used in turn."""


def encoder(settings: LoadSettings) -> Callable[[int, int, int, int], bytes]:
    """A function from (source, sequence number, send time in ns, index into the pool of readings) to a payload."""
    generator = random.Random(settings.seed)  # noqa: S311 - play data
    pool = [(round(generator.uniform(0, 100), 2), round(generator.uniform(20, 90), 2)) for _ in range(POOL)]
    encode = CODECS[settings.codec].encode

    def payload(source: int, seq: int, sent: int, pick: int) -> bytes:
        cpu, mem = pool[pick % POOL]
        return encode(Sample(sent // 1_000_000_000, cpu, mem, sent, source=source, seq=seq))

    return payload
