"""Receiving from a Pub/Sub channel: at most once, without acknowledgement.

A stop ends the subscription first: what Redis sent until it confirmed that is received, what is published later was
sent to nobody here.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from sentinel.bus.link import Socket, client, packed
from sentinel.bus.read_pacer import ReadPacer
from sentinel.bus.receiving.bounds import TooLongError, payload_too_long, shortened
from sentinel.bus.receiving.receiver import Receiver
from sentinel.bus.refusals import checked, mapped, words
from sentinel.consumer.batching import Read
from sentinel.model.codecs import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.settings import BusSettings, ConsumerSettings

CONFIRMED_WITHIN = 5.0
"""Seconds that Redis may take to confirm a subscription."""

log = logging.getLogger(__name__)


class _Subscriber(Receiver):
    """What both kinds have in common. `read` and `leave` may be called by two threads."""

    missed = (
        "what was published meanwhile, or was on its way, is lost to this consumer: gaps in the senders' numbers are"
        " counted as lost, messages without numbers by nobody (Redis cuts off a subscriber that is too far behind:"
        " client-output-buffer-limit)"
    )
    """See Receiver."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._left = False
        """Whether the subscription is to end."""

    def _subscribe(self) -> None:
        raise NotImplementedError

    def _unsubscribe(self) -> None:
        raise NotImplementedError

    def _read(self, timeout: float) -> Read | None:
        raise NotImplementedError

    def _rest(self, timeout: float) -> Iterator[Read]:
        raise NotImplementedError

    def reconnect(self) -> None:
        """See Receiver."""
        with self._turn, mapped(self._settings.url):
            self._left = False
            self._subscribe()

    def read(self, timeout: float) -> Read | None:
        """See Receiver."""
        with self._turn, mapped(self._settings.url):
            if self._left:
                return None
            try:
                return self._read(timeout)
            except TooLongError as error:
                log.warning("%s, and with it what else was on its way: lost", error)
                self._subscribe()
        return Read((), (payload_too_long(),), time.time_ns())

    def leave(self) -> None:
        """See Receiver."""
        with self._turn, mapped(self._settings.url):
            if not self._left:
                self._left = True
                self._unsubscribe()

    def rest(self, timeout: float) -> Iterator[Read]:
        """See Receiver."""
        with mapped(self._settings.url):
            try:
                yield from self._rest(timeout)
            except ResponseError as error:
                log.warning("%s: what is published during a stop is not counted", words(error))


class RedisPyPubSub(_Subscriber):
    """Pub/Sub as in redis-py's documentation: `get_message`, one message at a time."""

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        super().__init__(settings)
        self._client = client(settings)
        self._pubsub: Any = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
        self.reconnect()

    def _subscribe(self) -> None:
        self._pubsub.close()
        self._pubsub.subscribe(self._settings.channel)
        # The subscription stands once its confirmation came, not when the command was sent.
        self._pubsub.get_message(timeout=CONFIRMED_WITHIN)

    def _unsubscribe(self) -> None:
        self._pubsub.unsubscribe(self._settings.channel)

    def _read(self, timeout: float) -> Read | None:
        message = self._pubsub.get_message(timeout=timeout)
        at = time.time_ns()
        return None if message is None else Read((), (message["data"],), at)

    def _rest(self, timeout: float) -> Iterator[Read]:
        while self._pubsub.subscribed:
            if (read := self._read(timeout)) is not None:
                yield read
            elif self._pubsub.subscribed:
                raise EOFError(f"no answer within {timeout:.0f} s")

    def close(self) -> None:
        """See Receiver."""
        self._pubsub.close()
        self._client.close()


class SocketPubSub(_Subscriber):
    """Pub/Sub by whole socket reads, which cost a small part of what `get_message` takes for each message."""

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        super().__init__(settings)
        self._socket: Socket | None = None
        self._pacer = ReadPacer(consumer.linger)
        self.reconnect()

    @property
    def _connection(self) -> Socket:
        assert self._socket is not None
        return self._socket

    def _subscribe(self) -> None:
        self.close()
        self._socket = Socket(self._settings)
        self._socket.ask(CONFIRMED_WITHIN, "SUBSCRIBE", self._settings.channel)

    def _unsubscribe(self) -> None:
        self._connection.send(packed("UNSUBSCRIBE", self._settings.channel))

    def _read(self, timeout: float) -> Read | None:
        self._pacer.wait()
        connection = self._connection
        if not connection.fill(timeout):
            return None
        at = time.time_ns()
        payloads: list[bytes] = []
        next_reply = connection.next_reply
        while (reply := next_reply()) is not False:
            payloads.append(reply[2])
        self._pacer.came(len(payloads))
        return self._as_read(payloads, at)

    def _as_read(self, payloads: list[bytes], at: int) -> Read | None:
        if not payloads:
            return None
        taken, self._connection.taken = self._connection.taken, 0
        return Read((), payloads if taken <= MAX_PAYLOAD else shortened(payloads), at)

    def _rest(self, timeout: float) -> Iterator[Read]:
        connection, confirmed = self._connection, False
        while not confirmed:
            payloads: list[bytes] = []
            while not confirmed and (reply := connection.next_reply()) is not False:
                if not (confirmed := checked(reply)[0] != b"message"):
                    payloads.append(reply[2])
            if (read := self._as_read(payloads, time.time_ns())) is not None:
                yield read
            if not confirmed and not connection.fill(timeout):
                raise EOFError(f"no answer within {timeout:.0f} s")

    def close(self) -> None:
        """See Receiver."""
        if self._socket is not None:
            self._socket.close()
