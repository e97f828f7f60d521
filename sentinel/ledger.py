"""What became of every message: counts that must add up.

Pure. The generator: scheduled = sent + unsent. The consumer: received = written + rejected + pending. `Sequences` turns
the sources' own numbers into lost, duplicated and reordered. A redelivered message is received, and written, again:
it overwrites its own point, so it counts as duplicated and the store still holds it once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Hashable

    from numpy.typing import NDArray


@dataclass
class SenderLedger:
    """What the load generator or the agent did with its messages."""

    scheduled: int = 0
    sent: int = 0
    """Taken by Redis."""
    unsent: int = 0
    """Not sent before the time was up, or dropped from the agent's full buffer."""
    failed: int = 0
    """Part of `unsent`: refused by Redis, or the connection broke before it answered."""
    bytes: int = 0
    """Payload bytes of the messages sent."""
    receivers: int = 0
    """Pub/Sub: sum of the subscriber counts that PUBLISH answered."""

    def problems(self) -> list[str]:
        """Sentences that say where the ledger does not add up; empty if it does."""
        if self.scheduled != self.sent + self.unsent:
            return [f"scheduled {self.scheduled:,} ≠ sent {self.sent:,} + unsent {self.unsent:,}"]
        return []


@dataclass
class ConsumerLedger:
    """What the consumer did with the messages it received."""

    received: int = 0
    written: int = 0
    """Acknowledged by the store."""
    rejected: int = 0
    """Could not become points; kept on the dead-letter stream."""
    pending: int = 0
    """Neither written nor rejected when the consumer ended."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Rejected, by reason."""
    lost: int = 0
    """Gaps in the sources' sequence numbers that never closed."""
    duplicated: int = 0
    reordered: int = 0
    retries: int = 0
    """Requests to the store made again."""
    requests: int = 0
    """Requests to the store that it acknowledged."""
    reconnects: int = 0
    """Times the connection to Redis was made anew."""
    taken_over: int = 0
    """Entries left unacknowledged by an earlier or another consumer, and read by this one."""
    trimmed_unread: int = 0
    """Entries trimmed from the stream before the group had read them: lost on the bus."""
    unacknowledged: int = 0
    """Written, but Redis could not be told: they will be read again and overwrite themselves."""

    def reject(self, reason: str, count: int = 1) -> None:
        """Count messages as rejected for `reason`."""
        self.rejected += count
        self.reasons[reason] = self.reasons.get(reason, 0) + count

    def problems(self) -> list[str]:
        """Sentences that say where the ledger does not add up; empty if it does."""
        problems = []
        if self.received != self.written + self.rejected + self.pending:
            problems.append(
                f"received {self.received:,} ≠ written {self.written:,} + rejected {self.rejected:,}"
                f" + pending {self.pending:,}"
            )
        if sum(self.reasons.values()) != self.rejected:
            problems.append(f"rejected {self.rejected:,} ≠ sum of its reasons {sum(self.reasons.values()):,}")
        return problems


def as_line(name: str, ledger: SenderLedger | ConsumerLedger) -> str:
    """`name key=value …` for a terminal or a log; zeros past the main counts are left out."""
    always = {"scheduled", "sent", "unsent", "received", "written", "rejected", "pending", "lost"}
    parts = [f"{key}={value}" for key, value in asdict(ledger).items() if value or key in always]
    return " ".join([name, *parts]).replace("{", "").replace("}", "").replace("'", "")


class Gap(NamedTuple):
    """Sequence numbers not seen yet, `first` up to but without `end`."""

    first: int
    end: int


class Sequences:
    """Follows every source's sequence numbers, a batch at a time.

    The common case, each source going on where it stopped, is checked in arrays (0.05 µs a message); only sources
    that jumped are walked one by one. A source counts from its first number seen: a consumer that joins late has not
    lost what came before. Several consumers of one group each see a part of every source: there gaps are no loss.
    """

    def __init__(self) -> None:
        self._slots: dict[Hashable, int] = {}
        self._expected: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        self._first: NDArray[np.int64] = np.full(64, -1, dtype=np.int64)
        self._gaps: dict[int, list[Gap]] = {}
        self.duplicated = 0
        self.reordered = 0

    def slot(self, source: Hashable) -> int:
        """A small number for a source, always the same."""
        slot = self._slots.setdefault(source, len(self._slots))
        if slot >= len(self._expected):
            self._expected = np.concatenate([self._expected, np.full_like(self._expected, -1)])
            self._first = np.concatenate([self._first, np.full_like(self._first, -1)])
        return slot

    @property
    def lost(self) -> int:
        """Numbers skipped and not seen since. What a source sent after its last message seen is not known here."""
        return sum(gap.end - gap.first for gaps in self._gaps.values() for gap in gaps)

    def see(self, slots: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        """Follow messages in the order received: parallel arrays of slots and sequence numbers."""
        if not len(slots):
            return
        order = np.argsort(slots, kind="stable")
        slots, numbers = slots[order], numbers[order]
        starts = np.flatnonzero(np.r_[True, slots[1:] != slots[:-1]])
        ends = np.r_[starts[1:], len(slots)]
        self._start(slots[starts], numbers[starts])
        jumps = np.r_[0, np.cumsum(numbers[1:] != numbers[:-1] + 1)]
        steady = (numbers[starts] == self._expected[slots[starts]]) & (jumps[starts] == jumps[ends - 1])
        self._expected[slots[starts[steady]]] = numbers[ends[steady] - 1] + 1
        for start, end in zip(starts[~steady], ends[~steady], strict=True):
            for number in numbers[start:end]:
                self._step(int(slots[start]), int(number))

    def _start(self, slots: NDArray[np.int64], numbers: NDArray[np.int64]) -> None:
        new = self._expected[slots] < 0
        self._first[slots[new]] = self._expected[slots[new]] = numbers[new]

    def _step(self, slot: int, number: int) -> None:
        expected = int(self._expected[slot])
        if number >= expected:
            if number > expected:
                self._gaps.setdefault(slot, []).append(Gap(expected, number))
            self._expected[slot] = number + 1
            return
        if number < self._first[slot]:
            self._first[slot] = number
            self.reordered += 1
            return
        gaps = self._gaps.get(slot, [])
        for index, gap in enumerate(gaps):
            if gap.first <= number < gap.end:
                parts = (Gap(gap.first, number), Gap(number + 1, gap.end))
                gaps[index : index + 1] = [part for part in parts if part.first < part.end]
                self.reordered += 1
                return
        self.duplicated += 1

    def summary(self) -> dict[str, Any]:
        """`lost`, `duplicated`, `reordered` and the number of sources."""
        return {
            "lost": self.lost,
            "duplicated": self.duplicated,
            "reordered": self.reordered,
            "sources": len(self._slots),
        }
