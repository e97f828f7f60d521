"""What run.json holds of a watch besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


class Account(msgspec.Struct, frozen=True):
    """What became of the messages."""

    seconds: float
    interrupted: bool
    valid: bool
    problems: list[str]
    """Why it is not."""
    sent: int
    samples: int
    """Of them, this host's own."""
    stored: int | None
    """As the store counts."""
    lost: int
    rejected: int
    unread: int
    overwritten: int
    retries: int
    """Requests made again."""


class Host(msgspec.Struct, frozen=True):
    """This host, as its agent saw it: percent."""

    samples: int
    cpu: float
    """Median."""
    cpu_max: float
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


class Record(msgspec.Struct, kw_only=True):
    """All of it."""

    summary: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)


def of_run(run: Run) -> Record:
    """A run's record.

    Raises:
        msgspec.ValidationError: it is damaged; the message names the key.
    """
    return msgspec.convert(run.data, Record)
