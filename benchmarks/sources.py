"""CPU a message by number of sources, in the load generator and in the consumer: no bus, no store.

    python benchmarks/sources.py
    python benchmarks/sources.py --named

Messages of 16 to 1,000,000 sources in turn are numbered and encoded as the load generator does it, then decoded,
encoded as lines, traced and followed as the consumer does it, in reads of 1,000. What is measured comes after each
source was seen once; every round has all numbers of sources. Printed are medians over the rounds, and the memory that
a source takes. With `--named` each source is a host with a name and three tags instead of a number.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.consumer.measuring.overwrites import Overwrites
from sentinel.consumer.measuring.sequences import Sequences
from sentinel.consumer.measuring.trace import Tracer
from sentinel.load.payloads import SequenceNumbers, encoder
from sentinel.model.codecs import CODECS, MSGSPEC
from sentinel.model.lineprotocol import LineEncoder
from sentinel.model.sample import Sample
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable

READ = 1000
"""Messages of a read."""
BATCH = 5
"""Reads that are followed together."""
BASE = 1_764_000_000 * 10**9
LEAST = 200_000
"""Messages that are measured at least."""


class Path:
    """The way of messages from some sources, with the CPU seconds of each part."""

    def __init__(self, sources: int, *, named: bool) -> None:
        self.sources, self.seconds = sources, {"generator": 0.0, "consumer": 0.0}
        self._payloads = of_hosts if named else encoder(LoadSettings())
        self._numbers = SequenceNumbers(sources, 0)
        self._lines, self._trace = LineEncoder("run"), Tracer()
        self._sequences, self._overwrites = Sequences(), Overwrites()

    def take(self, first: int, messages: int) -> None:
        """Carry so many messages, the first of them at this place of the whole."""
        for start in range(first, first + messages, READ * BATCH):
            traces = [self._read(at) for at in range(start, start + READ * BATCH, READ)]
            self._timed("consumer", self._follow, traces)

    def _read(self, at: int) -> Any:
        places = np.arange(at, at + READ)
        payloads = self._timed("generator", self._made, places % self.sources, BASE + places * 1000)
        return self._timed("consumer", self._consumed, payloads)

    def _made(self, sources: Any, times: Any) -> list[bytes]:
        return self._payloads(sources, self._numbers.next_of(sources), times)

    def _consumed(self, payloads: list[bytes]) -> Any:
        decoded = MSGSPEC(payloads)
        self._lines(decoded.samples, decoded.columns)
        return self._trace(decoded.samples, decoded.columns)

    def _follow(self, traces: list[Any]) -> None:
        columns = zip(*((t.times, t.sources, t.numbers, t.places) for t in traces), strict=True)
        times, sources, numbers, series = (np.frombuffer(b"".join(column), np.int64) for column in columns)
        self._sequences.see(sources, numbers, 1.0)
        self._overwrites.see(series, times, numbers)

    def _timed(self, part: str, do: Callable[..., Any], *words: Any) -> Any:
        begun = time.process_time()
        result = do(*words)
        self.seconds[part] += time.process_time() - begun
        return result


def of_hosts(sources: Any, numbers: Any, times: Any) -> list[bytes]:
    """Messages of hosts with a name, each with its three tags."""
    encode = CODECS["json"].encode
    return [
        encode(
            Sample(
                sent // 10**9, 12.5, 43.25, sent, f"web-{source:07}.example", seq=seq,
                tags={"rack": f"r{source % 97}", "region": f"eu-{source % 5}", "role": "db" if source % 3 else "web"},
            )
        )
        for source, seq, sent in zip(sources.tolist(), numbers.tolist(), times.tolist(), strict=True)
    ]  # fmt: skip


def measured(sources: int, *, named: bool) -> dict[str, float]:
    """CPU of a message in both parts, µs, once every source was seen."""
    path, messages = Path(sources, named=named), max(sources, LEAST)
    path.take(0, messages)
    path.seconds = dict.fromkeys(path.seconds, 0.0)
    path.take(messages, LEAST)
    return {part: 1e6 * seconds / LEAST for part, seconds in path.seconds.items()}


def memory(sources: int, *, named: bool) -> float:
    """Bytes that a source takes in the consumer."""
    tracemalloc.start()
    path = Path(sources, named=named)
    before = tracemalloc.get_traced_memory()[0]
    path.take(0, max(sources, READ * BATCH))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown / sources


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sources", type=lambda text: [int(word) for word in text.split(",")], default=[16, 1000, 100_000, 1_000_000]
    )
    parser.add_argument("--named", action="store_true", help="hosts with names and tags")
    options = parser.parse_args()
    rounds: list[dict[int, dict[str, float]]] = []
    for number in range(options.rounds):
        order = options.sources if number % 2 == 0 else options.sources[::-1]
        rounds.append({sources: measured(sources, named=options.named) for sources in order})
    first = options.sources[0]
    print("| sources | generator, µs | ratio | consumer, µs | ratio | bytes a source |")
    print("|" + " ---: |" * 6)
    for sources in options.sources:
        cells = [f"{sources:,}"]
        for part in ("generator", "consumer"):
            cells.append(f"{statistics.median(r[sources][part] for r in rounds):.2f}")
            cells.append(f"{statistics.median(r[sources][part] / r[first][part] for r in rounds):.2f}")
        held = memory(sources, named=options.named) if sources >= 1000 else float("nan")
        print(f"| {' | '.join(cells)} | {held:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
