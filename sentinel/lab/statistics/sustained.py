"""Whether a paced load was sustained: the one definition, for every notebook. Pure; `series` reads what it judges.

A load is sustained if all of it was sent, the backlog did not grow, at least `ENOUGH` of what was offered was stored
while it lasted, no latency rose, and no queue was left at the end. Each is measured so that a steady sawtooth passes,
whatever the time that a batch waits: the backlog from the mean of one second to that of another, throughput from one
flush to another, and latency as the p50 of all messages of the first and of the last third, into which whole flushes
fall. Of a replay, whose rate varies, throughput is not compared with the mean rate. A queue that was there from the
beginning shows in e2e, which ends before a batch waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab.formatting import figure, plain
from sentinel.lab.run.trial_record import WARM_UP
from sentinel.settings import CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.settings import LoadSettings

GROWN, GROWN_SHARE = 1.0, 0.1
"""Seconds, and share, of the measured load by which a backlog may grow: the less of the two."""
ENOUGH, HICCUP = 0.99, 0.05
"""Share of the offered load that counts as all of it; seconds of load that may be missing in any case: of a short
trial one slow request would be over 1 %."""
RISE, RISE_MS = 1.25, 20.0
"""A p50 has risen if in the last third it is larger than in the first by this factor and by so many ms besides: the
first flush after the start may be a part of one, and a busy neighbour is no queue."""


@dataclass(frozen=True)
class Pace:
    """The signs of whether a trial kept pace with its load."""

    unsent: int = 0
    """Messages that the load generator did not come to send."""
    growth: float = 0.0
    """Messages by which the backlog grew over the measured seconds."""
    flushed: tuple[int, float] | None = None
    """Messages stored from one flush to another, and the seconds between; None where there are no two flushes."""
    p50: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By kind of latency, e2e and stored: its p50 (ms) in the first and in the last third of the measured seconds; NaN
    where it is not known."""
    offered: float | None = None
    """msg/s that were offered meanwhile, where that is not the load's rate."""


def faults(load: LoadSettings, pace: Pace) -> list[str]:
    """Why a load was not sustained.

    Args:
        load: What was offered: rate (msg/s) and duration (s, the warm-up included).
        pace: What the trial showed.

    Returns:
        One clause a reason; empty where the load was sustained.
    """
    collected = [f"{pace.unsent:,} messages were left unsent"] if pace.unsent else []
    rate = _offered(load, pace)
    if pace.growth >= most_growth(load, rate):
        collected.append(f"the backlog grew by {figure(pace.growth)} messages")
    # The rate of a recording varies: whether all of it was stored shows in the backlog alone.
    if pace.flushed is not None and not load.replay and not reached(rate, *pace.flushed):
        messages, seconds = pace.flushed
        collected.append(f"{figure(messages / seconds)} of {plain(rate)} msg/s were stored")
    collected += [
        f"{kind} p50 rose from {figure(first)} to {figure(last)} ms"
        for kind, (first, last) in pace.p50.items()
        if last > RISE * first + RISE_MS
    ]
    _, waits = pace.p50.get("e2e", (0.0, 0.0))
    if waits >= 1000 * growth_seconds(load.duration - WARM_UP):
        collected.append(f"a queue was left at the end: e2e p50 {figure(waits)} ms")
    return collected


def _offered(load: LoadSettings, pace: Pace) -> float:
    """The rate that was to be kept: in a closed loop, which offers none, what was stored."""
    if pace.offered is not None:
        return pace.offered
    if load.loop != CLOSED or pace.flushed is None or not pace.flushed[1]:
        return load.rate
    return pace.flushed[0] / pace.flushed[1]


def reached(rate: float, messages: float, seconds: float) -> bool:
    """Whether the messages counted are the whole of an offered load.

    Args:
        rate: Offered, msg/s.
        messages: Messages counted.
        seconds: The time in which they were counted.
    """
    missing = seconds - messages / rate
    return missing <= max((1 - ENOUGH) * seconds, HICCUP)


def most_growth(load: LoadSettings, rate: float | None = None) -> float:
    """Messages by which the backlog may grow under a paced load that counts as sustained.

    Args:
        load: What is offered: rate (msg/s) and duration (s, the warm-up included).
        rate: What really was offered, msg/s, where that is another.
    """
    return (load.rate if rate is None else rate) * growth_seconds(load.duration - WARM_UP)


def growth_seconds(measured: float) -> float:
    """Seconds of load by which the backlog may grow.

    Args:
        measured: Measured seconds, the warm-up left out.
    """
    return min(GROWN, GROWN_SHARE * measured)
