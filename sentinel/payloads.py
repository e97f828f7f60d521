"""What the messages of a load look like: seeded readings, encoded by template.

Pure: the same seed, source, number and time make the same bytes.
"""

from __future__ import annotations

import random
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.settings import LoadSettings

POOL = 1024
"""Readings made before the start, from the seed, and used in turn."""


def encoder(settings: LoadSettings) -> Callable[[int, int, int, int], bytes]:
    """A function from (source, sequence number, send time in ns, index into the pool of readings) to a payload.

    By template: 0.8 µs for JSON against 1.6 µs through the general encoder.
    """
    generator = random.Random(settings.seed)  # noqa: S311 - play data
    pool = [(round(generator.uniform(0, 100), 2), round(generator.uniform(20, 90), 2)) for _ in range(POOL)]
    if settings.codec == "binary":
        pack = struct.Struct("<qddqII").pack

        def binary(source: int, seq: int, sent: int, pick: int) -> bytes:
            cpu, mem = pool[pick % POOL]
            return pack(sent // 1_000_000_000, cpu, mem, sent, source, seq)

        return binary
    texts = [b'"cpu_usage":%r,"mem_usage":%r' % pair for pair in pool]

    def as_json(source: int, seq: int, sent: int, pick: int) -> bytes:
        return b'{"timestamp":%d,%b,"send_time_unix_nano":%d,"source":%d,"seq":%d}' % (
            sent // 1_000_000_000,
            texts[pick % POOL],
            sent,
            source,
            seq,
        )

    return as_json
