"""The bus: Redis or Valkey, through Pub/Sub or a stream. The only home of redis and hiredis.

Receivers return whole reads (`batching.Read`) and take acknowledgements. There are two kinds for each transport, which
the `receive` axis of a configuration chooses between. redis-py's errors leave as `BusError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.bus import policy
from sentinel.bus.administration import remove, server_version, unread
from sentinel.bus.dead_letters import DeadLetters, Letter
from sentinel.bus.lag import Lag
from sentinel.bus.receiving.pubsub import RedisPyPubSub, SocketPubSub
from sentinel.bus.receiving.receiver import Receiver
from sentinel.bus.receiving.stream import RedisPyStream, SocketStream
from sentinel.bus.send import Answers, Publisher, Sender, open_publisher
from sentinel.errors import SettingsError
from sentinel.settings import TRANSPORTS, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    "open_redis_py",
    "open_socket_reads",
    "remove",
    "server_version",
    "shown",
    "unread",
]


def open_redis_py(settings: BusSettings, consumer: ConsumerSettings) -> Receiver:
    """A receiver written as redis-py's documentation does it; subscribed, or in its group, when this returns.

    Raises:
        BusError: Redis cannot be reached.
        SettingsError: unknown transport.
    """
    return _opened({"pubsub": RedisPyPubSub, "stream": RedisPyStream}, settings, consumer)


def open_socket_reads(settings: BusSettings, consumer: ConsumerSettings) -> Receiver:
    """A receiver that takes all that the socket holds and parses it with `hiredis.Reader`. As `open_redis_py`."""
    return _opened({"pubsub": SocketPubSub, "stream": SocketStream}, settings, consumer)


def _opened(
    kinds: Mapping[str, Callable[[BusSettings, ConsumerSettings], Receiver]],
    settings: BusSettings,
    consumer: ConsumerSettings,
) -> Receiver:
    try:
        kind = kinds[consumer.transport]
    except KeyError:
        raise SettingsError(
            f"transport={consumer.transport!r} is unknown: expected {' or '.join(TRANSPORTS)}"
        ) from None
    receiver = kind(settings, consumer)
    if consumer.transport == "stream":
        policy.warn(settings)
    return receiver
