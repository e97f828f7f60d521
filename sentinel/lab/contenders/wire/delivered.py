"""What a consumer delivered, as the wire shows it: points with their times, and what the store answered.

The point's nanosecond is the intended send time, its tags name the source: latency, throughput, duplicates and
overwritten points follow for any program. Points that do not say so are counted as what they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from sentinel.lab.contenders.wire import messages
from sentinel.model.histogram import Recorder
from sentinel.runtime.record import INTERVAL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sentinel.lab.contenders.wire.messages import Exchange

    Integers = NDArray[np.int64]

WRITES = ("/write", "/api/v2/write", "/api/v3/write_lp")
UNITS = {"": 1, "n": 1, "ns": 1, "nanosecond": 1, "u": 1000, "us": 1000, "microsecond": 1000} | {
    "ms": 10**6, "millisecond": 10**6, "s": 10**9, "second": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
}  # fmt: skip
"""ns in one unit of a write's `precision`."""
COARSE = 10**6
"""ns from which on a clock's step is too coarse for a latency."""
PROBE_SOURCE = 2**32 - 1
"""The source of messages that only ask whether a consumer reads."""
PROBE = b"source=%d" % PROBE_SOURCE
_SERIES = re.compile(rb"(?:[^ \\]|\\.)*")
_SOURCE = re.compile(rb",(?:source|host)=")


@dataclass
class Delivered:
    """All that one consumer wrote, in the order of its answers. Times in ns."""

    requests: int = 0
    """Writes that the store acknowledged."""
    refused: int = 0
    """Writes that it answered otherwise."""
    unanswered: int = 0
    sizes: list[int] = field(default_factory=list)
    """Points of each acknowledged write."""
    answered: list[int] = field(default_factory=list)
    """When it was acknowledged, since the epoch."""
    taken: list[int] = field(default_factory=list)
    """From the last byte of the write to the last of its answer."""
    series: list[bytes] = field(default_factory=list)
    """Series by number."""
    numbers: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    """Of each point's series."""
    times: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    """Of each point."""
    values: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    """Hash of each point's fields."""
    unstamped: int = 0
    """Points without a time of their own."""
    probes: int = 0
    """Points of messages that only asked whether the consumer reads; they are in nothing else."""
    places: set[str] = field(default_factory=set)
    """Buckets or databases written to."""

    @property
    def points(self) -> int:
        """Points acknowledged, each as often as it was."""
        return len(self.times)

    def distinct(self) -> tuple[int, int, int]:
        """Points that differ in series or time; those delivered again; those whose values another overwrote."""
        order = np.lexsort((self.values, self.times, self.numbers))
        numbers, times, values = self.numbers[order], self.times[order], self.values[order]
        same = (numbers[1:] == numbers[:-1]) & (times[1:] == times[:-1])
        again = same & (values[1:] == values[:-1])
        overwritten = int(np.count_nonzero(same)) - int(np.count_nonzero(again))
        return self.points - int(np.count_nonzero(same)), int(np.count_nonzero(again)), overwritten

    def unidentified(self, run: str) -> int:
        """Points whose tags name no source, or not this run."""
        tag = b",run=" + run.encode()
        bad = [not (_SOURCE.search(key) and tag in key) for key in self.series]
        return int(np.count_nonzero(np.array([*bad, False])[self.numbers])) if self.points else 0

    def unmeasurable(self, run: str) -> str:
        """Why the points tell no latency, or empty."""
        if not self.points:
            return "no point was acknowledged"
        if self.unstamped:
            return f"{self.unstamped:,} of its points carry no time of their own"
        if np.count_nonzero(self.times % COARSE) < 0.5 * self.points:
            whole = np.count_nonzero(self.times % 10**9) < 0.5 * self.points
            return f"its points carry whole {'seconds' if whole else 'milliseconds'}, not the time of the message"
        if (strangers := self.unidentified(run)) > 0.01 * self.points:
            return f"{strangers:,} of its {self.points:,} points do not name their source and run"
        return ""

    def intervals(self, measured: bool) -> list[dict[str, Any]]:
        """Lines as a consumer's record has them, made from what the store acknowledged; latency where it is `measured`.

        What was received is not known: what was written stands for it.
        """
        lines: list[dict[str, Any]] = []
        ends = np.cumsum(self.sizes)
        moments = np.array(self.answered, np.int64)
        for first, last in _halves(moments):
            low, high = (int(ends[first - 1]) if first else 0), int(ends[last - 1])
            counts = {"received": high, "written": high, "rejected": 0, "last_stored": int(moments[last - 1])}
            line: dict[str, Any] = {"at": int(moments[last - 1])} | counts
            if measured:
                recorder = Recorder()
                recorder.record(np.repeat(moments[first:last], self.sizes[first:last]) - self.times[low:high])
                line["stored"] = recorder.to_dict()
            lines.append(line)
        return lines


def _halves(moments: Integers) -> list[tuple[int, int]]:
    """Slices of what was answered within the same interval of the clock."""
    if not len(moments):
        return []
    cuts = np.flatnonzero(np.diff(moments // int(INTERVAL * 1e9))) + 1
    edges = [0, *cuts.tolist(), len(moments)]
    return list(pairwise(edges))


def read(folder: Path) -> Delivered:
    """What passed the tap of this folder, the first messages of a `ready` probe left out.

    Args:
        folder: That of the tap's notes.
    """
    return delivered(messages.exchanges(folder))


def delivered(exchanges: Iterable[Exchange]) -> Delivered:
    """What these exchanges delivered, probes left out. Pure."""
    results, known, probes = Delivered(), dict[bytes, int](), set[bytes]()
    writes: list[tuple[int, int, Integers, Integers, Integers]] = []
    for exchange in exchanges:
        parts = urlsplit(exchange.request.target)
        if not parts.path.endswith(WRITES) or not exchange.request.first.startswith(b"POST"):
            continue
        if exchange.answer is None:
            results.unanswered += 1
        elif exchange.answer.status // 100 != 2:
            results.refused += 1
        else:
            every = _lines(exchange.request.content())
            lines = [line for line in every if PROBE not in line]
            probes.update(line for line in every if PROBE in line)
            if not lines:
                continue
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            results.places.add(query.get("bucket") or query.get("db") or "")
            unit = UNITS.get(query.get("precision", ""), 1)
            writes.append((exchange.answer.ended[0], _took(exchange), *_points(lines, unit, known, results)))
    writes.sort(key=lambda write: write[0])
    results.series, results.probes = list(known), len(probes)
    results.requests = len(writes)
    results.answered, results.taken = [write[0] for write in writes], [write[1] for write in writes]
    results.sizes = [len(write[2]) for write in writes]
    results.numbers, results.times, results.values = (_joined(writes, column) for column in (2, 3, 4))
    return results


def _took(exchange: Exchange) -> int:
    assert exchange.answer is not None
    return exchange.answer.ended[1] - exchange.request.ended[1]


def _joined(writes: list[Any], column: int) -> Integers:
    return np.concatenate([np.empty(0, np.int64), *(write[column] for write in writes)])


def _lines(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip() and not line.startswith(b"#")]


def _points(
    lines: list[bytes], unit: int, known: dict[bytes, int], results: Delivered
) -> tuple[Integers, Integers, Integers]:
    """Series number, time (ns) and hash of the fields of each line."""
    numbers, times, values = list[int](), list[int](), list[int]()
    for line in lines:
        series = line[: line.find(b" ")] if b"\\" not in line else _SERIES.match(line)[0]  # type: ignore[index]
        fields, _, stamp = line[len(series) + 1 :].rstrip().rpartition(b" ")
        if not (fields and stamp.lstrip(b"-").isdigit()):
            fields, stamp = line[len(series) + 1 :], b"0"
            results.unstamped += 1
        numbers.append(known.setdefault(series, len(known)))
        times.append(int(stamp) * unit)
        values.append(hash(fields))
    return np.array(numbers, np.int64), np.array(times, np.int64), np.array(values, np.int64)


def summary(values: Delivered, run: str) -> dict[str, Any]:
    """The wire's account of a trial, for its outcome: counts, batch sizes, the store's time in ms, what is unknown."""
    distinct, again, overwritten = values.distinct()
    counts = {name: getattr(values, name) for name in ("requests", "refused", "unanswered", "points")}
    return counts | {
        "distinct": distinct,
        "duplicated": again,
        "overwritten": overwritten,
        "unidentified": values.unidentified(run),
        "batch": _spread(np.array(values.sizes)),
        "store_ms": _spread(np.array(values.taken) / 1e6),
        "unmeasurable": values.unmeasurable(run),
    }


def _spread(values: NDArray[Any]) -> dict[str, float]:
    if not len(values):
        return {}
    middle, tail = np.percentile(values, [50, 99], method="inverted_cdf")
    return {"p50": float(middle), "p99": float(tail), "max": float(values.max())}
