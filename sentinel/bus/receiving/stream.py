"""Receiving from a stream: at least once, made exact by points that overwrite themselves.

An entry is acknowledged after the store's 2xx. Both kinds are members of a `StreamGroup`, which knows what comes next;
they differ in how they fetch it and in how they acknowledge.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any

import hiredis
from redis.exceptions import ResponseError

from sentinel.bus.link import ANSWER_WITHIN, Socket, client, packed
from sentinel.bus.read_pacer import ReadPacer
from sentinel.bus.receiving.bounds import ReadCount, TooLongError, entry_too_long
from sentinel.bus.receiving.group import NEW, Fetched, StreamGroup
from sentinel.bus.receiving.housekeeping import flat
from sentinel.bus.receiving.receiver import Receiver
from sentinel.bus.refusals import checked, mapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.consumer.batching import Read
    from sentinel.settings import BusSettings, ConsumerSettings


class _Member(Receiver):
    """What both kinds leave to the group."""

    _group: StreamGroup

    @property
    def taken_over(self) -> int:
        """See Receiver."""
        return self._group.taken_over

    def maintain(self) -> int:
        """See Receiver."""
        return self._group.maintain()

    def shared(self) -> bool:
        """See Receiver."""
        return self._group.shared()

    def claim(self) -> Read | None:
        """See Receiver."""
        return self._group.claim()

    def close(self) -> None:
        """See Receiver."""
        self._group.close()


class RedisPyStream(_Member):
    """A stream as in redis-py's documentation: `XREADGROUP COUNT 1`, one entry at a time."""

    COUNT = 1

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        self._settings = settings
        self._consumer = consumer
        self._client = client(settings, redis_connect_func=self._connected)
        self._group = StreamGroup(settings, consumer, self._client, self.acknowledge)
        self._connected_anew = False
        """Whether redis-py made a connection since the last read: it does so by itself, and reads again."""

    def _connected(self, connection: Any) -> None:
        connection.on_connect()
        self._connected_anew = True

    def read(self, timeout: float) -> Read | None:
        """See Receiver."""
        return self._group.read(self._fetch, timeout)

    def _fetch(self, after: bytes, timeout: float) -> Fetched:
        if self._connected_anew and after == NEW:
            self._connected_anew = False
            after = self._group.read_again()
        try:
            entries = self._xreadgroup(after, max(1, min(2000, int(timeout * 1000))))  # redis-py waits for 5 s
        except TooLongError as error:
            entries = [entry_too_long(error.head)]
        return Fetched(entries, time.time_ns(), 0)

    def _xreadgroup(self, after: bytes, block: int) -> list[Any]:
        stream: Any = {self._settings.stream: after}
        group, name = self._settings.group, self._consumer.name
        reply: Any = self._client.xreadgroup(group, name, stream, count=self.COUNT, block=block)
        return flat(reply[0][1] if reply else [])

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """See Receiver; at once."""
        with mapped(self._settings.url, self._settings.stream):
            self._client.xack(self._settings.stream, self._settings.group, *ids)

    def reconnect(self) -> None:
        """See Receiver."""
        self._group.rejoin()
        self._connected_anew = False


class SocketStream(_Member):
    """A stream by `XREADGROUP COUNT n`, the reply parsed by hiredis and left as it is.

    What is stored is acknowledged on the way: the XACK travels in front of the next XREADGROUP, and neither Redis
    nor the writer's thread has to wake up for it, as an XACK of the writer's own would make them.
    """

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        self._settings = settings
        self._consumer = consumer
        self._noted: deque[Sequence[bytes]] = deque()
        """Ids to acknowledge; the writer's thread appends, and the reader's for what was rejected."""
        self._told: list[bytes] = []
        """Ids of an XACK that has no answer yet."""
        self._pacer = ReadPacer(consumer.linger)
        self._count = ReadCount(consumer.read_count)
        self._group = StreamGroup(settings, consumer, client(settings), self.acknowledge)
        self._socket = self._connected()

    def _connected(self) -> Socket:
        with mapped(self._settings.url, self._settings.stream):
            return Socket(self._settings)

    def _reconnect_socket(self) -> None:
        self._socket.close()
        self._socket = self._connected()

    def reconnect(self) -> None:
        """See Receiver."""
        self._group.rejoin()
        self._reconnect_socket()

    def read(self, timeout: float) -> Read | None:
        """See Receiver."""
        return self._group.read(self._fetch, timeout)

    def _fetch(self, after: bytes, timeout: float) -> Fetched:
        self._pacer.wait()
        block = ("BLOCK", int(timeout * 1000)) if timeout >= 0.001 else ()
        group = ("XREADGROUP", "GROUP", self._settings.group, self._consumer.name, "COUNT", self._count.now)
        try:
            reply = self._exchange(packed(*group, *block, "STREAMS", self._settings.stream, after), timeout + 5.0)
        except TooLongError as error:
            return self._fewer(error)
        entries = checked(reply)[0][1] if reply else []
        self._pacer.came(len(entries))
        self._count.came(len(entries), self._socket.taken)
        return Fetched(entries, self._socket.filled, self._socket.taken)

    def _fewer(self, error: TooLongError) -> Fetched:
        """What a reply that was given up held is pending under our name: read it one entry at a time."""
        at = self._socket.filled
        self._reconnect_socket()
        if self._count.now == 1:
            return Fetched([entry_too_long(error.head)], at, 0)
        self._count.too_many()
        return self._fetch(self._group.read_again(), 0.0)

    def _exchange(self, command: bytes = b"", timeout: float = 0.0) -> Any:
        """Acknowledge what is noted, and send a command; its reply, None where there is no command."""
        self._socket.send(self._acknowledgement() + command)
        if self._told:
            answer = self._socket.answer(ANSWER_WITHIN)
            if isinstance(answer, hiredis.ReplyError):  # more may be on its way: the connection is given up
                raise ResponseError(str(answer))
            self._told.clear()
        return self._socket.answer(timeout) if command else None

    def _acknowledgement(self) -> bytes:
        """XACK for all that is noted and all that was told without an answer; empty where there is nothing."""
        while self._noted:
            self._told += self._noted.popleft()
        return packed("XACK", self._settings.stream, self._settings.group, *self._told) if self._told else b""

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """See Receiver; noted only, and told with the next read or by `flush_acks`."""
        self._noted.append(ids)

    def flush_acks(self) -> None:
        """See Receiver."""
        with mapped(self._settings.url, self._settings.stream):
            self._exchange()

    @property
    def unacknowledged(self) -> int:
        """See Receiver."""
        return len(self._told) + sum(map(len, self._noted))

    def close(self) -> None:
        """See Receiver."""
        super().close()
        self._socket.close()
