"""What run.json holds of a run about linger besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.statistics.compare import Comparison, Ratio
from sentinel.lab.statistics.reliability import Validity


class Point(msgspec.Struct, frozen=True):
    """One linger under one load."""

    rate: float
    """Of the load, msg/s."""
    linger: float
    """How long reads linger, ms."""
    cpu_us: float
    """CPU of the consumer, µs per message, median over the rounds."""
    cpu: Ratio
    """CPU ÷ that with the shortest linger, over rounds."""
    p50: float
    """Stored p50, ms, median over the rounds."""
    p99: Ratio
    """Stored p99, ms: the Hodges–Lehmann estimate over the rounds, with its interval."""


class Knee(msgspec.Struct, frozen=True):
    """Where waiting longer stops to pay."""

    linger: float
    """ms."""
    agreed: int
    """Rounds without which it is the knee as well, each left out by itself."""
    rounds: int
    """Rounds in which all was measured."""


class Answer(msgspec.Struct, frozen=True):
    """What such a run answers."""

    validity: Validity
    """Whether every message is accounted for."""
    default: float
    """How long the consumer lingers by itself, ms."""
    points: list[Point]
    """By rate and linger, both rising; what has no valid trial is not there."""
    knee: Knee | None = None
    """None where some linger has no valid trial, or nothing was saved."""


class Record(Comparison, kw_only=True):
    """All of it."""

    answer: Answer | None = None
    """None in a run that ended before its sum."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)


def label(ms: float) -> str:
    """`5 ms`: what is measured with that linger is called so."""
    return f"{ms:g} ms"
