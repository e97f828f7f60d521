"""The limits of a machine: what the bus alone and the store alone can do, and which of them bounds a throughput.

Pure. `limits` measures them; a run keeps them in run.json as `limits`.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from sentinel.lab import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.lab.runs import Run

BUS = PUBLISH, XADD, READ, DELIVERY = "PUBLISH", "XADD", "stream read", "Pub/Sub delivery"
"""Names of the bus's limits."""
LINES = (1, 256, 5000)
"""Lines per request with which the store is measured."""


def store(lines: int) -> str:
    """Name of the store's limit at so many lines per request."""
    return f"store, {words.counted(lines, 'line')}"


@dataclass(frozen=True)
class Limit:
    """What one part of the stack can do when nothing else is asked of the machine, its measuring client included."""

    name: str
    words: str
    """What is counted, as `messages that Redis takes by …`."""
    unit: str
    """`msg/s` or `points/s`; a message becomes a point."""
    values: tuple[float, ...]
    """One a repeat, in `unit`."""

    @property
    def median(self) -> float:
        """Of the repeats."""
        return statistics.median(self.values)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"values": list(self.values)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**data, "values": tuple(data["values"])})


def of_run(run: Run) -> list[Limit]:
    """The limits measured in a run; none in runs older than they."""
    return [Limit.from_dict(limit) for limit in run.data.get("limits", [])]


def bound(limits: Iterable[Limit], transport: str, batch_size: int, *, paced: bool) -> Limit | None:
    """The limit that a throughput cannot pass: the lowest of those on its messages' way. None where one is missing.

    Every message passes the store, which takes far more of them in large requests: the measurement whose lines per
    request come nearest to `batch_size` counts, whatever a configuration makes of it, so that all are held against
    one limit. Before that, a message on a stream is read; in a paced load it is also added meanwhile. On Pub/Sub it is
    delivered, which takes sending and reading at once. Each limit is measured alone, so the bound is a generous one:
    a pipeline whose parts share the cores stays below it.
    """
    known = {limit.name: limit for limit in limits}
    nearest = min(LINES, key=lambda lines: abs(math.log(lines / batch_size)))
    way = [READ, *([XADD] if paced else [])] if transport == "stream" else [DELIVERY]
    passed = [known.get(name) for name in (*way, store(nearest))]
    found = [limit for limit in passed if limit is not None]
    return min(found, key=lambda limit: limit.median) if len(found) == len(passed) else None


def share(throughput: float | None, limit: Limit | None) -> float | None:
    """The throughput in percent of the limit; None where either is not known."""
    return None if throughput is None or limit is None else 100 * throughput / limit.median


@dataclass(frozen=True)
class Throughput:
    """What a configuration reached, held against what bounds it."""

    key: str
    """Whose look it has: a configuration's name, or `HEADLINE`."""
    label: str
    value: float
    """msg/s."""
    trials: int
    """How many stand behind it."""
    limit: Limit
    at_least: bool = False
    """Whether it may be more: nothing higher was found to fail."""

    @property
    def share(self) -> float:
        """Percent of the limit."""
        return 100 * self.value / self.limit.median
