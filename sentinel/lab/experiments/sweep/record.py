"""What run.json holds of a sweep besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.experiments.sweep.knee import Knee, Step
from sentinel.lab.statistics.compare import Comparison, Verdict
from sentinel.lab.statistics.reliability import Validity


class Cause(msgspec.Struct, frozen=True):
    """What stands against a configuration at the next rate: of the trials that have the commonest reason."""

    why: str
    """One of the reasons of `knee`."""
    lost: int = 0
    """Messages, in all of them."""
    growth: float | None = None
    """Messages by which the backlog grew, median."""
    unsustained: list[str] = msgspec.field(default_factory=list)
    """Why the load of the first of them was not sustained."""
    sent: float | None = None
    """What the load generator sent, msg/s, median."""
    stored_p99: float | None = None
    """ms, median; of their maximum where that is their `tail`."""
    send_delay_p99: float | None = None
    """Likewise."""
    tail: str = "p99"
    """The tail that these trials carry: `p99`, or `max` where their messages are too few."""


class Answer(msgspec.Struct, frozen=True):
    """What a sweep answers, besides its knees and their ratio."""

    validity: Validity
    """Whether every message is accounted for."""
    slo: float
    """Of stored p99, ms."""
    duration: float
    """Measured seconds of a step."""
    causes: dict[str, Cause]
    """By configuration; those to which no rate was offered beyond their knee have none."""
    verdict: Verdict | None = None
    """Of the last configuration's highest rate against the first's; None of a single one, and in older runs."""


class Record(Comparison, kw_only=True):
    """All of it; `summary` has the medians of the confirming trials at each knee."""

    steps: list[Step] = msgspec.field(default_factory=list)
    """Every trial, as a step of the climb or of the confirmation."""
    knees: dict[str, Knee] = msgspec.field(default_factory=dict)
    """By configuration."""
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
