"""What a trial is to do and what it found: records that the trial fills and everything after it reads. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from sentinel.settings import LoadSettings

LATENCY, CAPACITY, MEMORY, PROFILE, LIVE = "latency", "capacity", "memory", "profile", "live"
HEADLINE = "headline"
"""Group of the trials at the rate that the original published."""
CONTROL = " (again)"
"""End of the label of the A/A leg: the same configuration once more, which shows the run-to-run variation."""
WARM_UP = 1.0
"""Seconds of a paced load before the measured ones."""


@dataclass(frozen=True)
class Plan:
    """What one trial is to do."""

    number: int
    kind: str
    label: str
    """The configuration's label in tables, such as `optimised` or `optimised (again)`."""
    configuration: str
    load: LoadSettings
    batch_size: int = 5000
    repeat: int = 0
    group: str = ""
    """Trials of one group are compared with each other."""

    @property
    def paced(self) -> bool:
        """Whether messages come beside the consumer, at a rate, instead of filling a stream before."""
        return self.kind in (LATENCY, LIVE)


@dataclass
class Outcome:
    """What a trial found. Times in ms unless named otherwise."""

    plan: Plan
    valid: bool = False
    problems: list[str] = field(default_factory=list)
    """Why the trial is invalid, in sentences."""
    warnings: list[str] = field(default_factory=list)
    sender: dict[str, Any] = field(default_factory=dict)
    consumer: dict[str, Any] = field(default_factory=dict)
    stored: int | None = None
    """Points that the store itself counts."""
    unread: int = 0
    """Messages left on the stream, not given to the consumer."""
    lost: int = 0
    throughput: float = 0.0
    """Messages per second: under a paced load those stored from one flush to another within the measured seconds (to
    the last of all where there are no two); capacity: from the first read."""
    growth: float = 0.0
    """Latency trials: messages by which the backlog grew from the first measured second to the last."""
    sustained: bool = True
    """Latency trials: whether it kept pace with the load, as `sustained.faults` has it."""
    unsustained: list[str] = field(default_factory=list)
    """Why not, in words; empty if it did, and in older runs."""
    cpu_us: float | None = None
    """CPU of the consumer per message, µs."""
    peak_rss_mb: float | None = None
    steal: float = 0.0
    """Share of the machine's time that went to other guests, percent."""
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    """internal, e2e, stored, send_delay: see `series.percentiles`."""
    started: int = 0
    """First intended send, ns since the epoch."""
    memory: dict[str, Any] = field(default_factory=dict)
    """Memory trials: see `profiling.summary`."""
    profile: dict[str, Any] = field(default_factory=dict)
    """Profile trials: see `flames.summary`; empty where py-spy left nothing."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        plan = Plan(**data["plan"] | {"load": LoadSettings(**data["plan"]["load"])})
        return cls(**data | {"plan": plan})


def warm_up(count: int) -> int:
    """Messages, out of `count` or beside them, that a memory trial consumes before its tracker starts."""
    return max(1, count // 10)
