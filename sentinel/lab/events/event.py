"""Kinds of events, how each is drawn, and one that happened. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab.formatting import counted, joined

if TYPE_CHECKING:
    from collections.abc import Iterable

PULSE = "machine.csv"
"""The file of a trial's folder that has the machine's pulse."""


@dataclass(frozen=True)
class Kind:
    """A kind of events, and the look of its marks."""

    name: str
    """Of one."""
    several: str
    colour: str
    """With a contrast of 3:1 on a light and on a dark ground."""
    marker: str
    """matplotlib's, one that no other kind has."""


COLLECTION = Kind("garbage collection", "garbage collections", "#8a63b8", "v")
SLOW_WRITE = Kind("slow write", "slow writes", "#c28a00", "D")
RETRY = Kind("retry", "retries", "#d1495b", "X")
RECONNECT = Kind("reconnect", "reconnects", "#0072b2", "P")
STOLEN = Kind("CPU steal", "CPU steals", "#7d8590", "s")
SLOWED = Kind("CPU slowdown", "CPU slowdowns", "#b06a3b", "^")
KINDS = (COLLECTION, SLOW_WRITE, RETRY, RECONNECT, STOLEN, SLOWED)


@dataclass(frozen=True)
class Event:
    """Something that happened at a moment of a trial."""

    at: float
    """Seconds since the first send."""
    kind: Kind
    text: str
    """What, and how much of it."""
    size: float
    """How much, for a choice of the largest of one kind."""


def kinds_of(events: Iterable[Event]) -> list[Kind]:
    """The kinds of which there is any, in the order of `KINDS`."""
    known = {event.kind for event in events}
    return [kind for kind in KINDS if kind in known]


def told(events: Iterable[Event]) -> str:
    """How many of each kind, in words: `1 slow write and 3 retries`; empty where there are none."""
    kept = list(events)
    numbers = {kind: sum(event.kind == kind for event in kept) for kind in kinds_of(kept)}
    return joined([counted(1, kind.name) if n == 1 else f"{n} {kind.several}" for kind, n in numbers.items()])
