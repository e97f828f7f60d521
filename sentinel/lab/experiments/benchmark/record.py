"""What run.json holds of a benchmark besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.statistics.compare import Comparison, Verdict
from sentinel.lab.statistics.reliability import Validity


class Shortfall(msgspec.Struct, frozen=True):
    """A configuration that did not sustain the common load."""

    configuration: str
    """Which one."""
    trials: int
    """In so many trials…"""
    of: int
    """…of so many valid ones."""


class CommonLoad(msgspec.Struct, frozen=True):
    """The load at which latencies are compared, where both configurations have a valid trial."""

    rate: float
    """msg/s."""
    tail: str
    """The tail that all trials carry: `p99` or `max`."""
    compared: bool
    """Whether enough trials of both sustained it."""
    short: list[Shortfall]
    """The configurations that did not sustain it."""


class Headline(msgspec.Struct, frozen=True):
    """The last configuration alone at HEADLINE_RATE."""

    rate: float
    """msg/s."""
    trials: int
    """Valid ones."""
    sustained: int
    """Of them."""
    lost: int
    """Messages, in all of them."""
    tail: str
    """`p99` or `max`, as its sustained trials carry it."""
    latencies: dict[str, float]
    """Median of that tail over the sustained trials, ms, by kind; `stored` alone of a contender
    that keeps no record; empty where there is none."""


class Answer(msgspec.Struct, frozen=True):
    """What a benchmark answers."""

    validity: Validity
    """Whether every message is accounted for."""
    new: str
    """The configuration in question…"""
    old: str
    """…and what it is held against; the same where there is but one."""
    verdicts: dict[str, Verdict]
    """By measure: those looked at for what got worse, and those that have a sentence of their own."""
    looked_at: list[str]
    """Measures among them that were looked at for what got worse."""
    load: CommonLoad | None
    """The load at which latencies are compared; None where a configuration has no valid trial of it."""
    bytes: tuple[float, float] | None
    """Allocated per message, new and old; None where memory was not measured on both sides."""
    headline: Headline
    """The last configuration alone at HEADLINE_RATE."""


class Record(Comparison, kw_only=True):
    """All of it."""

    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
