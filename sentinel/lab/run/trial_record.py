"""What a trial is to do and what it found: records that the trial fills and everything after it reads. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec

from sentinel.lab.statistics.rounds.allocation import Allocation
from sentinel.settings import LoadSettings  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Iterable

LATENCY, CAPACITY, MEMORY, PROFILE, LIVE = "latency", "capacity", "memory", "profile", "live"
HEADLINE = "headline"
"""Group of the trials at the rate that the original published."""
CONTROL = " (again)"
"""End of the label of the A/A leg: the same configuration once more, which shows the run-to-run variation."""
UNTAPPED = " (no tap)"
"""End of the label of a leg that shows what a tap costs: the same configuration once more, without one."""
PILOT = " (pilot)"
"""End of the label, and group, of trials that only show how long a trial should be: they count for nothing else."""
WARM_UP = 1.0
"""Seconds of a paced load before the measured ones."""


@dataclass(frozen=True)
class Plan:
    """What one trial is to do."""

    number: int
    """Its number in the run, from 0: the name of its folder."""
    kind: str
    """`latency`, `capacity`, `memory`, `profile` or `live`."""
    label: str
    """The configuration's label in tables, such as `optimised` or `optimised (again)`."""
    configuration: str
    """The configuration measured, without what sets one leg apart."""
    load: LoadSettings
    """What is sent."""
    batch_size: int = 5000
    """Points that a batch holds at most."""
    repeat: int = 0
    """Which repeat of the same trial, from 0."""
    group: str = ""
    """Trials of one group are compared with each other."""
    linger: float | None = None
    """Seconds that our consumer's reads linger under a light load; None: as it does by itself."""
    percentiles: str = ""
    """Percentiles of latency that are kept besides the usual ones, in percent, joined by commas: `95,99.99`."""

    @property
    def paced(self) -> bool:
        """Whether messages come beside the consumer, at a rate, instead of filling a stream before."""
        return self.kind in (LATENCY, LIVE)


class Memory(TypedDict, total=False):
    """What memray saw of one trial: every request with its full size, freed or not."""

    messages: int
    """Messages consumed while it was recorded."""
    bytes_per_message: float
    """Bytes asked for per message."""
    allocations_per_message: float
    """Requests per message."""
    peak_bytes: int
    """Most that was allocated at once, bytes."""
    locations: dict[str, float]
    """Bytes per message by place: function, file and line."""
    modules: dict[str, float]
    """Bytes per message by module."""


class Profile(TypedDict, total=False):
    """What py-spy sampled of one trial."""

    samples: int
    """Samples that met the consumer at work."""
    left_out: int
    """Other samples."""
    stages: dict[str, int]
    """Samples at work by stage."""
    functions: dict[str, list[int]]
    """Samples in a function itself, and with what it calls, of those at the top."""


class Beside(TypedDict, total=False):
    """What a trial's partners in a duet were, and how the machine bore them."""

    partners: list[int]
    """Numbers of the trials that ran at the same time."""
    place: int
    """In which place this one was started, from 0."""
    apart: float
    """Seconds from the start of the first load (of a drain: from the first read) to that of the last."""
    busy: float
    """Share of the machine's CPU time that was not idle while all were measured, percent."""


class Outcome(msgspec.Struct):
    """What a trial found. Times in ms unless named otherwise."""

    plan: Plan
    """What it was to do."""
    valid: bool = False
    """Whether every message is accounted for, so that it counts."""
    problems: list[str] = []
    """Why the trial is invalid, in sentences."""
    warnings: list[str] = []
    """What speaks against trusting it, in sentences."""
    sender: dict[str, Any] = {}
    """The ledger of all that sent, messages unless named otherwise: see `SenderLedger`; empty where it is missing."""
    consumer: dict[str, Any] = {}
    """The consumer's ledger, messages unless named otherwise: see `ConsumerLedger`; empty where it is missing."""
    stored: int | None = None
    """Points that the store itself counts."""
    unread: int = 0
    """Messages left on the stream, not given to the consumer."""
    lost: int = 0
    """Messages sent that the consumer neither received nor left on the stream."""
    throughput: float = 0.0
    """Messages per second: under a paced load those stored from one flush to another within the measured seconds (to
    the last of all where there are no two); capacity: from the first read."""
    growth: float = 0.0
    """Latency trials: messages by which the backlog grew from the first measured second to the last."""
    sustained: bool = True
    """Latency trials: whether it kept pace with the load, as `sustained.faults` has it."""
    unsustained: list[str] = []
    """Why not, in words; empty if it did, and in older runs."""
    message_bytes: float | None = None
    """Mean size of a message's payload on the bus, bytes; None where nothing was sent, and in older runs."""
    cpu_us: float | None = None
    """CPU of the consumer per message, µs."""
    peak_rss_mb: float | None = None
    """Largest resident memory of the consumer, MB."""
    steal: float = 0.0
    """Share of the machine's time that went to other guests, percent."""
    latencies: dict[str, dict[str, int | float]] = {}
    """internal, e2e, stored, send_delay, visible: percentiles in ms, those of the plan too, and the counts `n`, `zero`
    and `negative` of messages."""
    started: int = 0
    """First intended send, ns since the epoch."""
    memory: Memory = {}
    """Memory trials: see `profiling.summary`."""
    profile: Profile = {}
    """Profile trials: see `flames.summary`; empty where py-spy left nothing."""
    wire: dict[str, Any] = {}
    """Of a trial with a tap: what passed it, as `wire.delivered.summary` has it; empty without one."""
    beside: Beside = {}
    """Of a trial that ran beside others, in a duet; empty of one that ran alone."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        built: dict[str, Any] = msgspec.to_builtins(self, enc_hook=plain)
        return built


class Settling(msgspec.Struct, frozen=True):
    """How the rounds of one group of trials ended, where REPEATS was `auto`."""

    rounds: int
    """Rounds that were carried out."""
    seconds: float
    """How long they took, s."""
    within: float
    """How long they might take, s: the group's part of WITHIN."""
    settled: bool
    """Whether every key ratio had settled: its interval no wider than SETTLE asks for."""
    full: bool
    """Whether these were all rounds that a run may take, whatever time was left."""
    ratios: int
    """Key ratios that were looked at; 0 where nothing can be compared."""
    note: str
    """How narrow the intervals were, in words, the widest first."""


class TrialLength(msgspec.Struct, frozen=True):
    """How long latency trials were, and whether another length would have bought more."""

    given: float
    """DURATION, s."""
    seconds: float
    """Measured seconds of each trial, s: other than DURATION where a pilot said so."""
    pilot: Allocation | None = None
    """What the pilot said before the first round, where there was one."""
    trials: Allocation | None = None
    """What the trials themselves say; None where they are too few or too short."""


def plain(value: object) -> object:
    """NumPy's floats as Python's own: msgspec's hook for what it cannot encode.

    Args:
        value: A NumPy float, which is a Python float by inheritance.

    Raises:
        TypeError: the value is anything else, for which JSON has no form.
    """
    if isinstance(value, float):
        return float(value)
    raise TypeError(f"{type(value).__name__} {value!r} cannot be kept in a record")


def warm_up(count: int) -> int:
    """Messages that a memory trial consumes before its tracker starts.

    Args:
        count: Messages that the trial is asked for.

    Returns:
        A tenth of `count`, and at least 1.
    """
    return max(1, count // 10)


def names_of(outcomes: Iterable[Outcome]) -> list[str]:
    """Kind and label of trials, such as `capacity/optimised`, as `RunData.order` holds them.

    Args:
        outcomes: Trials, in the order in which they were carried out.

    Returns:
        A text for each of them, in the same order.
    """
    return [f"{outcome.plan.kind}/{outcome.plan.label}" for outcome in outcomes]
