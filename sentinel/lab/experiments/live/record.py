"""What run.json holds of a watch besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

from typing import Any

import msgspec


class Account(msgspec.Struct, frozen=True):
    """What became of the messages."""

    seconds: float
    """How long the watch took, s."""
    interrupted: bool
    """Whether it was ended by hand."""
    valid: bool
    """Whether every message is accounted for."""
    problems: list[str]
    """Why it is not."""
    sent: int
    """Messages sent."""
    samples: int
    """Of them, this host's own."""
    stored: int | None
    """As the store counts."""
    lost: int
    """Messages sent that were neither received nor left on the stream."""
    rejected: int
    """Messages that could not be decoded, or that the store refused."""
    unread: int
    """Messages left on the stream."""
    overwritten: int
    """Messages whose points took the place of others in the store."""
    retries: int
    """Requests made again."""


class Host(msgspec.Struct, frozen=True):
    """This host, as its agent saw it: percent."""

    samples: int
    """Samples of the agent."""
    cpu: float
    """Median."""
    cpu_max: float
    """Highest CPU."""
    mem: float
    """Median."""
    load1: float | None
    """The last."""


class Answer(msgspec.Struct, frozen=True):
    """What a watch answers."""

    account: Account | None = None
    """None where nothing was watched."""
    figures: dict[str, float | None] = msgspec.field(default_factory=dict)
    """Throughput (msg/s), CPU (µs per message) and latencies (ms) from the first message to the last."""
    host: Host | None = None
    """None where the agent sent no sample."""


class Watched(msgspec.Struct):
    """How long the last watch took."""

    seconds: float = 0.0
    """From its start to its end, s."""
    interrupted: bool = False
    """Whether it was ended by hand."""


class Record(msgspec.Struct, kw_only=True):
    """All of it."""

    summary: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    watched: Watched = msgspec.field(default_factory=Watched)
    """How long the last watch took."""
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
