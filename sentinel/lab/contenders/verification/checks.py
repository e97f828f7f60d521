"""What a record says of contenders: who each is, and of its verification one result a promise; their table. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLES = {
    "ready": "ready in time",
    "values": "golden set: equal values and times",
    "complete": "every message stored",
    "once": "each message stored once",
    "poison": "poison messages do not stop it",
    "stop": "SIGTERM: nothing read and unstored",
    "grace": "ends within its grace",
    "redelivery": "SIGKILL: each message stored once",
}
"""Promises as the table has them, in the order in which they are tried."""
GOOD, BAD, RELAXED = "✓", "✗", "~"


@dataclass(frozen=True)
class Check:
    """One promise, tried."""

    promise: str
    """Which one, such as `values`."""
    spoken: str
    """Transport and codec."""
    kept: bool
    """Whether it was kept."""
    detail: str = ""
    """The first difference, where it was not kept."""
    relaxed: str = ""
    """The contender's own words where it says that it does not keep it."""

    @property
    def passes(self) -> bool:
        """Whether it may be timed in spite of this."""
        return self.kept or bool(self.relaxed)

    @property
    def mark(self) -> str:
        """✓, ✗, or ~ where it is not kept, as the contender says itself."""
        if self.kept:
            return GOOD
        return RELAXED if self.relaxed else BAD


class ContenderData(msgspec.Struct):
    """A contender of a run."""

    folder: str
    """Where it lies: in the checkout from there, else the whole path."""
    command: list[str]
    """How it is started."""
    version: str = ""
    """What it says of its version; empty where it was not asked."""
    speaks: list[str] = []
    """Transports and codecs, such as `stream/json`."""
    relaxes: list[str] = []
    """Promises that it does not keep, in its own words."""
    verified: list[Check] = []
    """What its verification found; empty before."""


def failure(checks: Sequence[Check]) -> str:
    """Why it is not timed: the first promise that it broke; empty where it may be."""
    broken = next((check for check in checks if not check.passes), None)
    return f"{TITLES[broken.promise]} ({broken.spoken}): {broken.detail}" if broken else ""


def rows(checks: Sequence[Check]) -> list[list[str]]:
    """A row a check: mark, promise, what was spoken, and what was found."""
    return [[c.mark, TITLES[c.promise], c.spoken, _said(c)] for c in checks]


def _said(check: Check) -> str:
    if check.kept:
        return "kept, although relaxed" if check.relaxed else ""
    return f"relaxed: {check.detail}" if check.relaxed else check.detail


def table(checks: Sequence[Check]) -> str:
    """The rows as plain text; below them in the contender's words what it relaxes."""
    relaxed = dict.fromkeys(check.relaxed for check in checks if check.mark == RELAXED)
    notes = [text_table.note(f"{RELAXED} it {words}", indent="   ") for words in relaxed]
    return "\n".join([*text_table.table([], rows(checks), left=range(4), rule=False), *notes])
