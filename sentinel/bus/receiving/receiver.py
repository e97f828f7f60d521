"""What the consumer needs of a bus; what only one transport has does nothing on the other."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.consumer.batching import Read


class Receiver(Protocol):
    """Reads whole reads and takes acknowledgements. Everything but `read`, `reconnect` and `close` may be left out."""

    @property
    def missed(self) -> str:
        """What a broken connection costs, in words; empty on a stream, which keeps all."""
        return ""

    @property
    def taken_over(self) -> int:
        """Entries read so far that an earlier or another consumer left unacknowledged; none on Pub/Sub."""
        return 0

    @property
    def unacknowledged(self) -> int:
        """Messages that were acknowledged here, and of which the bus has not confirmed to know."""
        return 0

    @abstractmethod
    def read(self, timeout: float) -> Read | None:
        """The next messages, or None after `timeout` seconds without any.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """These are stored: tell the bus, now or with the next read; nothing on Pub/Sub.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def flush_acks(self) -> None:
        """Tell the bus what it was not told yet.

        Raises:
            BusError: what is `unacknowledged` then stays so.
        """

    def maintain(self) -> int:
        """Trim what every group is done with; returns entries newly found trimmed unread.

        Raises:
            BusError: the connection broke, or Redis refused.
        """
        return 0

    def shared(self) -> bool:
        """Whether another consumer has read for the group since this one began.

        Raises:
            BusError: the connection broke, or Redis refused.
        """
        return False

    def claim(self) -> Read | None:
        """Entries taken over from consumers that left them idle, or None.

        Raises:
            BusError: the connection broke, or Redis refused.
        """
        return None

    def leave(self) -> None:
        """Ask the bus to send no more; nothing on a stream. From any thread.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def rest(self, timeout: float) -> Iterator[Read]:
        """What the bus sent until it took note of `leave`; ends when that has come. Nothing on a stream.

        Raises:
            BusError: where the connection breaks before, or is silent for `timeout` seconds.
        """
        return iter(())

    @abstractmethod
    def reconnect(self) -> None:
        """Drop the connection and make it anew.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    @abstractmethod
    def close(self) -> None:
        """Close all connections."""
