"""The limits of a machine: what the bus alone and the store alone can do, and which of them bounds a throughput.

Pure. `limits` measures them; a run keeps them in run.json as `limits`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.run.run import Run

BUS = PUBLISH, XADD, READ, DELIVERY = "PUBLISH", "XADD", "stream read", "Pub/Sub delivery"
"""Names of the bus's limits."""
LINES = (1, 256, 5000)
"""Lines per request with which the store is measured…"""
CONNECTIONS = (1, 2, 4)
"""…and over how many connections; at each number of lines those that reach most are its limit."""
AT_REFERENCE = "at the reference"
"""What is said in place of a share of more than 100 %: a limit that was passed is none."""


def store(lines: int) -> str:
    """The name of the store's limit at a number of lines per request.

    Args:
        lines: One of `LINES`.
    """
    return f"store, {formatting.counted(lines, 'line')}"


def bound_of(run: Run, transport: str, *, paced: bool) -> Limit | None:
    """The limit that a throughput of this run is held against.

    Args:
        run: A run whose record may hold limits.
        transport: `stream` or `pubsub`.
        paced: Whether messages are added while they are read.

    Returns:
        See `bound`; None where limits were not measured.
    """
    return bound(run.data.limits, transport, paced=paced)


def bound(limits: Iterable[Limit], transport: str, *, paced: bool) -> Limit | None:
    """The lowest of the limits on the messages' way.

    Every message passes the store, of which the highest of its limits counts, whatever a configuration makes of it, so
    that all are held against the same limit. Before that, a message on a stream is read; in a paced load it is also
    added meanwhile. On Pub/Sub it is delivered, which takes sending and reading at once. Each limit is measured alone,
    so the bound is a generous one: a pipeline whose parts share the cores stays below it.

    Args:
        limits: All limits that were measured.
        transport: `stream` or `pubsub`.
        paced: Whether messages are added while they are read.

    Returns:
        The limit; None where one on the way was not measured.
    """
    known = {limit.name: limit for limit in limits}
    way = [READ, *([XADD] if paced else [])] if transport == "stream" else [DELIVERY]
    passed, stored = [known.get(name) for name in way], [known.get(store(lines)) for lines in LINES]
    if None in (*passed, *stored):
        return None
    best = max(filter(None, stored), key=lambda limit: limit.highest)
    return min([*filter(None, passed), best], key=lambda limit: limit.highest)


def share(throughput: float | None, limit: Limit | None) -> str:
    """A throughput held against a limit.

    Args:
        throughput: Messages per second.
        limit: What bounds it.

    Returns:
        Percent, or that it is at least as much; a dash where either is not known.
    """
    if throughput is None or limit is None:
        return formatting.NOTHING
    return AT_REFERENCE if throughput > limit.highest else formatting.figure(100 * throughput / limit.highest)


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
    def passes(self) -> bool:
        """Whether it is more than the limit, which then is none but a reference."""
        return self.value > self.limit.highest

    @property
    def part(self) -> float:
        """Of the limit; more than 1 is never shown."""
        return self.value / self.limit.highest

    @property
    def share(self) -> str:
        """`75.0 %`, or with both figures `at the reference (120,000 of 100,000)`."""
        if self.passes:
            return f"{AT_REFERENCE} ({formatting.figure(self.value)} of {formatting.figure(self.limit.highest)})"
        return f"{formatting.figure(100 * self.part)} %"

    @property
    def against(self) -> str:
        """The same with the limit's name: `75.0 % of stream read`."""
        return f"{self.share}, {self.limit.name}" if self.passes else f"{self.share} of {self.limit.name}"
