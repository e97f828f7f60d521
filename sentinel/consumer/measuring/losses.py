"""What is missing of the sources' numbers, and where it went: each loss is counted once, where it happened.

Pub/Sub loses on the way, so there a gap is a loss. A stream does not: what it loses was trimmed before it was read,
which Redis tells. Any other gap was never on the stream: Redis refused it or the sender dropped it, and the sender's
ledger has it as unsent (or Redis came back without it). A consumer that shares a stream sees a part of every source,
so its gaps say nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.errors import BusError

if TYPE_CHECKING:
    from sentinel.bus import Receiver
    from sentinel.consumer.measuring.measurement import Measurement
    from sentinel.model.ledger import ConsumerLedger


class Losses:
    """What one consumer has lost, as far as sequence numbers show it.

    Args:
        receiver: Knows what was trimmed unread.
        measure: Follows the sequence numbers.
        kept: Whether the bus keeps what is not read, as a stream does.
    """

    def __init__(self, receiver: Receiver, measure: Measurement, *, kept: bool) -> None:
        self._receiver = receiver
        self._sequences = measure.sequences
        self._overwrites = measure.overwrites
        self._kept = kept
        """Whether the bus keeps messages until they are acknowledged."""
        self._shared = False

    def ask(self) -> None:
        """Find out, where there are gaps, whether others read the same stream. In the housekeeping thread."""
        if self._kept and self._sequences.lost and not self._shared:
            with suppress(BusError):  # the reader meets the same and says so
                self._shared = self._receiver.shared()

    def counted(self, ledger: ConsumerLedger) -> ConsumerLedger:
        """The ledger with what following the messages showed."""
        s, trimmed = self._sequences, ledger.trimmed_unread
        known = replace(
            ledger,
            overwritten=self._overwrites.count,
            jumped=s.jumped,
            duplicated=s.duplicated,
            reordered=s.reordered,
            unfollowed=s.unfollowed,
        )
        if not self._kept:
            return replace(known, lost=s.lost)
        return replace(known, lost=trimmed, skipped=None if self._shared else max(0, s.lost - trimmed))
