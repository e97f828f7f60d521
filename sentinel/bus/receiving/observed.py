"""Looking on at a bus: everything that comes from now on, and nothing that others would notice.

On a stream this is XREAD behind the newest entry: no group, nothing is acknowledged or trimmed. On Pub/Sub it is one
more subscription, such as `pubsub.SocketPubSub` makes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.bus.link import ANSWER_WITHIN, Socket, packed
from sentinel.bus.receiving.bounds import ReadCount, TooLongError, entry_too_long
from sentinel.bus.receiving.group import as_read
from sentinel.bus.receiving.pubsub import SocketPubSub
from sentinel.bus.refusals import checked, mapped
from sentinel.settings import ConsumerSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.bus.receiving.receiver import Receiver
    from sentinel.consumer.batching import Read
    from sentinel.settings import BusSettings

COUNT = 5000
"""Entries read at once: with fewer a fast sender runs ahead."""


class ObservedStream:
    """A stream from its newest entry on. After a broken connection nothing is missed that the stream still has.

    Args:
        settings: the Redis and its stream.

    Raises:
        BusError: Redis is away, or refuses: here, from `read` and from `reconnect`.
    """

    missed = ""
    """See Receiver."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._count = ReadCount(COUNT)
        with mapped(settings.url, settings.stream):
            self._socket = Socket(settings)
            newest = self._socket.ask(ANSWER_WITHIN, "XREVRANGE", settings.stream, "+", "-", "COUNT", 1)
        self._after: bytes = newest[0][0] if newest else b"0-0"

    def read(self, timeout: float) -> Read | None:
        """See Receiver."""
        with mapped(self._settings.url, self._settings.stream):
            try:
                entries = self._entries(timeout)
            except TooLongError as error:
                entries = self._fewer(error)
        if not entries:
            return None
        self._after = entries[-1][0]
        return as_read(entries, self._socket.filled, self._socket.taken)

    def _entries(self, timeout: float) -> list[Any]:
        wait = ("COUNT", self._count.now, "BLOCK", max(1, int(timeout * 1000)))
        self._socket.send(packed("XREAD", *wait, "STREAMS", self._settings.stream, self._after))
        reply = checked(self._socket.answer(timeout + ANSWER_WITHIN))
        entries: list[Any] = reply[0][1] if reply else []
        self._count.came(len(entries), self._socket.taken)
        return entries

    def _fewer(self, error: TooLongError) -> list[Any]:
        """In place of a reply that was given up: fewer entries; of one that is too long by itself its beginning."""
        self._socket.close()
        self._socket = Socket(self._settings)
        if self._count.now == 1:
            return [entry_too_long(error.head)]
        self._count.too_many()
        return []

    def reconnect(self) -> None:
        """See Receiver."""
        self._socket.close()
        with mapped(self._settings.url, self._settings.stream):
            self._socket = Socket(self._settings)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()


def observe(settings: BusSettings, transport: str) -> Receiver | ObservedStream:
    """What comes from now on, by `read`; connected when this returns.

    Args:
        settings: the Redis, its channel and its stream.
        transport: `pubsub` or `stream`.

    Raises:
        BusError: Redis cannot be reached, or refuses.
    """
    if transport == "stream":
        return ObservedStream(settings)
    subscribe: Callable[[BusSettings, ConsumerSettings], Receiver] = SocketPubSub
    return subscribe(settings, ConsumerSettings(transport=transport, linger=0.0))
