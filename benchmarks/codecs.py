"""What a codec costs where: bytes on the wire, and CPU of decoding and encoding a message. No bus, no store.

    python benchmarks/codecs.py

Messages of both codecs, with readings of two decimals as the load generator has them and with all digits of a double,
are decoded and encoded as lines in reads of some size, as `optimised` does it. Each round has all of them in turn;
printed are medians over the rounds, and the ratio to JSON with two decimals.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from typing import TYPE_CHECKING

from sentinel.model.codecs import CODECS, MSGSPEC
from sentinel.model.lineprotocol import LineEncoder
from sentinel.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

BASE = 1_764_000_000 * 10**9
DIGITS = {"two decimals": 2, "all digits": 17}
MESSAGES = 50_000
"""That are measured in a round."""


def payloads(codec: str, digits: int) -> list[bytes]:
    """A read's worth of messages of 16 sources, over and over."""
    chance = random.Random(1)  # noqa: S311 - play data
    samples = [
        Sample(
            BASE // 10**9, round(chance.uniform(0, 100), digits), round(chance.uniform(20, 90), digits), BASE + n,
            source=n % 16, seq=n,
        )
        for n in range(MESSAGES)
    ]  # fmt: skip
    return list(map(CODECS[codec].encode, samples))


def cost(do: Callable[[], object]) -> float:
    """CPU seconds."""
    begun = time.process_time()
    do()
    return time.process_time() - begun


def measured(messages: list[bytes], read: int) -> tuple[float, float]:
    """CPU of decoding and of encoding a message, µs."""
    lines, reads = LineEncoder("run"), [messages[n : n + read] for n in range(0, len(messages), read)]
    decoded = [MSGSPEC(each) for each in reads]
    decode = cost(lambda: [MSGSPEC(each) for each in reads])
    encode = cost(lambda: [lines(each.samples, each.columns) for each in decoded])
    return 1e6 * decode / len(messages), 1e6 * encode / len(messages)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--read", type=int, default=500, help="Messages of a read.")
    options = parser.parse_args()
    kinds = {(codec, name): payloads(codec, digits) for name, digits in DIGITS.items() for codec in CODECS}
    rounds = [
        {kind: measured(messages, options.read) for kind, messages in kinds.items()} for _ in range(options.rounds)
    ]
    print("| codec | readings | bytes on the wire | decode, µs | encode, µs | both, ratio |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    first = next(iter(kinds))
    for kind, messages in kinds.items():
        decode, encode = (statistics.median(r[kind][n] for r in rounds) for n in range(2))
        ratio = statistics.median(sum(r[kind]) / sum(r[first]) for r in rounds)
        size = sum(map(len, messages)) / len(messages)
        print(f"| {' | '.join(kind)} | {size:.0f} | {decode:.2f} | {encode:.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
