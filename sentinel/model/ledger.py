"""What became of every message: counts that must add up.

Pure. The generator: scheduled = sent + unsent. The consumer: received = written + rejected + pending; lost, duplicated
and reordered come from the sources' own numbers (`sequences`, `losses`). A redelivered message is received, and
written, again: it overwrites its own point, so it counts as duplicated and the store still holds it once.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from sentinel.model.histogram import Recorder, quantiles

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class SenderLedger:
    """What the load generator or the agent did with its messages."""

    scheduled: int = 0
    """Messages that were to be sent."""
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
    unheard: int = 0
    """Pub/Sub, part of `sent`: nobody was subscribed, as PUBLISH answered. They are lost, and a consumer that was away
    finds out only from numbers that follow. Of an agent's send of many samples: where nobody heard any."""

    def problems(self) -> list[str]:
        """Sentences that say where the ledger does not add up; empty if it does."""
        if self.scheduled != self.sent + self.unsent:
            return [f"scheduled {self.scheduled:,} ≠ sent {self.sent:,} + unsent {self.unsent:,}"]
        return []


class SenderAccount:
    """The one place that writes a sender's ledger; the sender reports what happened. Not safe between threads."""

    def __init__(self) -> None:
        self.ledger = SenderLedger()

    def scheduled(self, messages: int) -> None:
        """So many more are to be sent."""
        self.ledger.scheduled += messages

    def offered(self, payloads: Sequence[bytes]) -> None:
        """These are on their way to Redis."""
        self.ledger.bytes += sum(map(len, payloads))

    def sent(self, messages: int, receivers: int, unheard: int) -> None:
        """Redis took messages.

        Args:
            messages: Taken by Redis.
            receivers: How often Pub/Sub passed them on, in all; 0 on a stream.
            unheard: Those of them that Pub/Sub passed on to nobody.
        """
        self.ledger.sent += messages
        self.ledger.receivers += receivers
        self.ledger.unheard += unheard

    def refused(self, messages: int) -> None:
        """Redis refused so many, or never answered for them: they stay unsent."""
        self.ledger.failed += messages

    def dropped(self, messages: int) -> None:
        """So many will never be sent."""
        self.ledger.unsent += messages

    def close(self) -> SenderLedger:
        """The ledger at the end: whatever was not taken by Redis is unsent."""
        self.ledger.unsent = self.ledger.scheduled - self.ledger.sent
        return self.ledger


@dataclass
class ConsumerLedger:
    """What the consumer did with the messages it received."""

    received: int = 0
    """Messages read from Redis."""
    written: int = 0
    """Acknowledged by the store."""
    rejected: int = 0
    """Could not become points; kept on the dead-letter stream."""
    letters_dropped: int = 0
    """Part of `rejected`: Redis did not take the dead letter for so long that it was dropped."""
    pending: int = 0
    """Neither written nor rejected when the consumer ended."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Rejected, by reason."""
    lost: int = 0
    """On Pub/Sub: gaps in the sources' sequence numbers that never closed. On a stream: `trimmed_unread`."""
    skipped: int | None = 0
    """On a stream: gaps past `lost`. Redis refused them or their sender dropped them, and its ledger has them as
    unsent; or Redis came back without them. None where other consumers read the stream too: gaps are theirs."""
    jumped: int = 0
    """Messages whose sequence number lies further ahead than their source can have sent meanwhile: no loss."""
    duplicated: int = 0
    """Messages that came again, known by their source and number. Part of `written`; the store holds them once."""
    overwritten: int = 0
    """Points of a series and a time that another message had, within what `overwrites` remembers: the store keeps the
    last. Part of `written`. Messages without a number that came again are among them."""
    reordered: int = 0
    """Messages that came after one with a higher number of their source."""
    unfollowed: int = 0
    """Part of `written`: their source was one of too many to follow its numbers (`Sequences`), so that their losses and
    repetitions are not known."""
    retries: int = 0
    """Requests to the store made again."""
    requests: int = 0
    """Requests to the store that it acknowledged."""
    reconnects: int = 0
    """Times the connection to Redis was made anew."""
    taken_over: int = 0
    """Entries left unacknowledged by an earlier or another consumer, and read by this one."""
    trimmed_unread: int = 0
    """Entries trimmed from the stream before the group had read them: lost on the bus. Of the whole group, so each of
    its consumers counts the same ones."""
    unacknowledged: int = 0
    """Written, but Redis could not be told: they will be read again and overwrite themselves."""

    @property
    def kept(self) -> int:
        """Points that the store holds."""
        return self.written - self.duplicated - self.overwritten

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
    values = asdict(ledger)
    if "reasons" in values:
        values["reasons"] = ",".join(f"{reason}:{count}" for reason, count in values["reasons"].items())
    return " ".join([name, *(f"{key}={value}" for key, value in values.items() if value or key in always)])


@dataclass(frozen=True)
class ConsumerReport:
    """How a consumer's run ended."""

    ledger: ConsumerLedger
    first_read: int
    """When the first message was read, ns since the epoch; 0 if none was."""
    first_stored: int
    """When the first batch was acknowledged, ns since the epoch."""
    first_batch: int
    """Messages of that batch."""
    last_stored: int
    """When the last batch was acknowledged, ns since the epoch."""
    cpu_seconds: float
    """CPU time of this process from the first read to the end."""
    latencies: dict[str, dict[str, int]] = field(default_factory=dict)
    """By kind (`measurement.KINDS`) a `histogram.Recorder` as dict, over all messages."""

    def __str__(self) -> str:
        words = [as_line("consumer", self.ledger)]
        for kind, buckets in self.latencies.items():
            words += quantiles(f"{kind}_", Recorder.from_dict(buckets))
        return " ".join(words)
