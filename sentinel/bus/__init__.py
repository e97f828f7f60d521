"""The bus: Redis or Valkey, through Pub/Sub or a stream. The only home of redis and hiredis.

Receivers return whole reads (`batching.Read`) and take acknowledgements. There are two kinds for each transport, named
by the configuration's `receive` axis: `redis-py`, written as redis-py's documentation does it, and `socket-reads`,
which takes all that the socket holds and parses it with `hiredis.Reader`. redis-py's errors leave as `BusError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sentinel.bus import policy
from sentinel.bus.administration import remove, server_version, unread
from sentinel.bus.dead_letters import DeadLetters, Letter
from sentinel.bus.lag import Lag
from sentinel.bus.receiving.pubsub import RedisPyPubSub, SocketPubSub
from sentinel.bus.receiving.stream import RedisPyStream, SocketStream
from sentinel.bus.send import Answers, Publisher, Sender, open_publisher
from sentinel.errors import SettingsError
from sentinel.settings import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sentinel.consumer.batching import Read
    from sentinel.settings import BusSettings, ConsumerSettings

__all__ = [
    "Answers",
    "DeadLetters",
    "Lag",
    "Letter",
    "Publisher",
    "Receiver",
    "Sender",
    "open_publisher",
    "open_receiver",
    "remove",
    "server_version",
    "shown",
    "unread",
]


class Receiver(Protocol):
    """What the consumer needs of a bus."""

    def read(self, timeout: float) -> Read | None:
        """The next messages, or None after `timeout` seconds without any.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """Tell the bus, now or with the next read, that these entries are stored; nothing on Pub/Sub.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def tell(self) -> None:
        """Tell the bus what it was not told yet.

        Raises:
            BusError: the connection broke, or Redis refused; what is `untold` stays so.
        """

    @property
    def missed(self) -> str:
        """What a broken connection costs, in words; empty on a stream, which keeps all."""

    @property
    def untold(self) -> int:
        """Messages that are stored, and of which the bus has not confirmed to know."""

    def maintain(self) -> int:
        """Trim what every group is done with.

        Returns:
            Entries newly found trimmed unread.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def shared(self) -> bool:
        """Whether another consumer has read for the group since this one began.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def claim(self) -> Read | None:
        """Entries taken over from consumers that left them idle, or None.

        Raises:
            BusError: the connection broke, or Redis refused.
        """

    def leave(self) -> None:
        """Ask the bus to send no more; nothing on a stream. From any thread.

        Raises:
            BusError: the connection broke.
        """

    def rest(self, timeout: float) -> Iterator[Read]:
        """What the bus sent until it took note of `leave`; ends when that has come. Nothing on a stream.

        Args:
            timeout: seconds without a message after which the connection counts as broken.

        Raises:
            BusError: the connection broke before.
        """

    def reconnect(self) -> None:
        """Drop the connection and make it anew.

        Raises:
            BusError: Redis cannot be reached.
        """

    def close(self) -> None:
        """Close all connections."""


RECEIVERS: Mapping[tuple[str, str], Callable[[BusSettings, ConsumerSettings], Receiver]] = {
    ("redis-py", "pubsub"): RedisPyPubSub,
    ("redis-py", "stream"): RedisPyStream,
    ("socket-reads", "pubsub"): SocketPubSub,
    ("socket-reads", "stream"): SocketStream,
}


def open_receiver(receive: str, settings: BusSettings, consumer: ConsumerSettings) -> Receiver:
    """A receiver that is subscribed, or in its group, when this returns.

    Raises:
        BusError: Redis cannot be reached.
        SettingsError: unknown transport.
    """
    try:
        kind = RECEIVERS[receive, consumer.transport]
    except KeyError:
        raise SettingsError(f"transport={consumer.transport!r} is unknown: expected pubsub or stream") from None
    receiver = kind(settings, consumer)
    if consumer.transport == "stream":
        policy.warn(settings)
    return receiver
