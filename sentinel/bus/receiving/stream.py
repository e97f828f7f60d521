"""Receiving from a stream: at least once, made exact by points that overwrite themselves.

An entry is acknowledged after the store's 2xx. On start our own unacknowledged entries come first, then new ones; what
others left idle is taken over from time to time.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import hiredis
from redis.exceptions import ResponseError

from sentinel.bus.link import ANSWER_WITHIN, FIELD, Socket, client, packed
from sentinel.bus.read_pacer import ReadPacer
from sentinel.bus.receiving.bounds import MOST, ReadCount, TooLongError, entry_too_long, shortened
from sentinel.bus.receiving.housekeeping import Housekeeping, flat, order
from sentinel.bus.refusals import code, mapped
from sentinel.consumer.batching import Read
from sentinel.errors import BusError, BusRefusedError
from sentinel.model.codecs import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.settings import BusSettings, ConsumerSettings

PASSING = frozenset({"MISCONF", "READONLY"})
"""Codes by which Redis refuses whatever changes something, for a while; whether there is a group shows afterwards."""

log = logging.getLogger(__name__)


class RedisPyStream:
    """A stream as in redis-py's documentation: `XREADGROUP COUNT 1`, one entry at a time."""

    COUNT = 1
    missed = ""
    """See Receiver."""

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        self._settings = settings
        self._consumer = consumer
        self._client = client(settings, redis_connect_func=self._connected)
        self._connected_anew = False
        """Whether redis-py made a connection since the last read: it does so by itself, and reads again."""
        self._housekeeping = Housekeeping(settings, consumer)
        self._own_after: bytes | None = b"0"
        """Our own unacknowledged entries are read first, after this id; None once there are no more."""
        self._left_over = True
        """Whether they are an earlier or another consumer's, and not what a connection of ours did not bring."""
        self._claimed_unseen = False
        """Whether entries may have been taken over that never reached us: they are pending under our name."""
        self._newest = b"0"
        """The last entry that reached us: what is pending under our name up to here is known."""
        self._trimmed = 0
        self.taken_over = 0
        self._at = 0
        """When the read from the socket returned, where that is known; else it counts from the parsed reply."""
        self._taken = 0
        """Bytes of the reply, where that is known."""
        try:
            self._join()
        except BusRefusedError as error:
            if error.code not in PASSING:
                raise
            log.warning("%s; reading starts once that has passed", error)
        self._connected_anew = False

    def _connected(self, connection: Any) -> None:
        connection.on_connect()
        self._connected_anew = True

    def _join(self) -> None:
        """Make sure of the group: by the command that reads from it, which a full Redis takes too."""
        with mapped(self._settings.url, self._settings.stream):
            try:
                self._xreadgroup(b"0", 1)
            except ResponseError as error:
                if code(error) != "NOGROUP":
                    raise
                self._make_group()

    def _make_group(self) -> None:
        self._newest = b"0"
        try:
            self._client.xgroup_create(self._settings.stream, self._settings.group, id="0", mkstream=True)
        except ResponseError as error:
            if code(error) != "BUSYGROUP":  # another consumer was first
                raise

    def read(self, timeout: float) -> Read | None:
        """See Receiver."""
        if self._claimed_unseen:
            self._claimed_unseen, self._own_after, self._left_over = False, b"0", True
        with mapped(self._settings.url, self._settings.stream):
            try:
                entries = self._entries(self._own_after or b">", timeout)
            except ResponseError as error:
                if code(error) != "NOGROUP":
                    raise
                # Redis came back empty, or somebody deleted the key: begin anew from the first entry.
                self._make_group()
                return None
        at = self._at or time.time_ns()
        if self._own_after is not None:
            return self._own(entries, at)
        if not entries:
            return None
        self._newest = entries[-1][0]
        return _as_read(entries, at, self._taken)

    def _read_again(self) -> bytes:
        """What was delivered and never reached us is pending under our name: read it next, after the id returned."""
        if self._own_after is None:
            self._own_after, self._left_over = self._newest, False
        return self._own_after

    def _own(self, entries: list[Any], at: int) -> Read | None:
        self._own_after = entries[-1][0] if entries else None
        self._newest = max(self._newest, self._own_after or self._newest, key=order)
        gone = [entry[0] for entry in entries if not entry[1]]
        if gone:
            self._trimmed += len(gone)
            self.acknowledge(gone)
        there = [entry for entry in entries if entry[1]]
        self.taken_over += len(there) if self._left_over else 0
        return _as_read(there, at, self._taken) if there else None

    def _entries(self, after: bytes, timeout: float) -> list[Any]:
        """[[id, [field, value, …]], …] as RESP2 has it."""
        if self._connected_anew and after == b">":
            self._connected_anew = False
            after = self._read_again()
        try:
            return self._xreadgroup(after, self.COUNT, max(1, min(2000, int(timeout * 1000))))  # redis-py waits for 5 s
        except TooLongError as error:
            return [entry_too_long(error.head)]

    def _xreadgroup(self, after: bytes, count: int, block: int | None = None) -> list[Any]:
        stream: Any = {self._settings.stream: after}
        reply: Any = self._client.xreadgroup(
            self._settings.group, self._consumer.name, stream, count=count, block=block
        )
        return flat(reply[0][1] if reply else [])

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """See Receiver."""
        with mapped(self._settings.url, self._settings.stream):
            self._client.xack(self._settings.stream, self._settings.group, *ids)

    @property
    def untold(self) -> int:
        """See Receiver."""
        return 0

    def tell(self) -> None:
        """See Receiver; nothing to do, `acknowledge` has told already."""

    def maintain(self) -> int:
        """See Receiver."""
        own, self._trimmed = self._trimmed, 0
        return own + self._housekeeping.maintain()

    def shared(self) -> bool:
        """See Receiver."""
        return self._housekeeping.shared()

    def claim(self) -> Read | None:
        """See Receiver."""
        try:
            entries = self._housekeeping.claim()
        except BusError:
            self._claimed_unseen = True
            raise
        self.taken_over += len(entries)
        return _as_read(entries, time.time_ns(), MOST) if entries else None

    def leave(self) -> None:
        """See Receiver; nothing to do, a stream sends what it is asked for."""

    def rest(self, timeout: float) -> Iterator[Read]:
        """See Receiver; nothing."""
        return iter(())

    def reconnect(self) -> None:
        """See Receiver."""
        with mapped(self._settings.url, self._settings.stream):
            # The writer may be using one: that it finds broken by itself, and must not lose it under its hands.
            self._client.connection_pool.disconnect(inuse_connections=False)
        self._join()
        self._connected_anew = False
        self._read_again()

    def close(self) -> None:
        """See Receiver."""
        self._client.close()
        self._housekeeping.close()


class SocketStream(RedisPyStream):
    """A stream by `XREADGROUP COUNT n`, the reply parsed by hiredis and left as it is.

    What is stored is acknowledged on the way: the XACK travels in front of the next XREADGROUP, and neither Redis
    nor the writer's thread has to wake up for it, as an XACK of the writer's own would make them.
    """

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        super().__init__(settings, consumer)
        self._socket: Socket | None = None
        self._noted: deque[Sequence[bytes]] = deque()
        """Ids to acknowledge; the writer's thread appends, and the reader's for what was rejected."""
        self._told: list[bytes] = []
        """Ids of an XACK that has no answer yet."""
        self._pacer = ReadPacer(consumer.gather)
        self._count = ReadCount(consumer.read_count)
        self.reconnect_socket()

    def reconnect_socket(self) -> None:
        """Make the connection anew."""
        if self._socket is not None:
            self._socket.close()
        with mapped(self._settings.url, self._settings.stream):
            self._socket = Socket(self._settings)

    def reconnect(self) -> None:
        """See Receiver."""
        super().reconnect()
        self.reconnect_socket()

    def _entries(self, after: bytes, timeout: float) -> list[Any]:
        self._pacer.wait()
        block = ("BLOCK", int(timeout * 1000)) if timeout >= 0.001 else ()
        group = ("XREADGROUP", "GROUP", self._settings.group, self._consumer.name, "COUNT", self._count.now)
        try:
            reply = self._exchange(packed(*group, *block, "STREAMS", self._settings.stream, after), timeout + 5.0)
        except TooLongError as error:
            return self._fewer(after, error)
        if isinstance(reply, hiredis.ReplyError):
            raise ResponseError(str(reply))
        entries = reply[0][1] if reply else []
        self._pacer.came(len(entries))
        self._count.came(len(entries), self._taken)
        return entries

    def _fewer(self, after: bytes, error: TooLongError) -> list[Any]:
        """What a reply that was given up held is pending under our name: read it one entry at a time."""
        self.reconnect_socket()
        if self._count.now == 1:
            return [entry_too_long(error.head)]
        self._count.too_many()
        return self._entries(self._read_again(), 0.0)

    def _exchange(self, command: bytes = b"", timeout: float = 0.0) -> Any:
        """Acknowledge what is noted, and send a command; its reply, None where there is no command."""
        connection = self._socket
        assert connection is not None
        connection.send(self._acknowledgement() + command)
        if self._told:
            answer = connection.answer(ANSWER_WITHIN)
            if isinstance(answer, hiredis.ReplyError):  # more may be on its way: the connection is given up
                raise ResponseError(str(answer))
            self._told.clear()
        reply = connection.answer(timeout) if command else None
        self._at, self._taken = connection.filled, connection.taken
        return reply

    def _acknowledgement(self) -> bytes:
        """XACK for all that is noted and all that was told without an answer; empty where there is nothing."""
        while self._noted:
            self._told += self._noted.popleft()
        return packed("XACK", self._settings.stream, self._settings.group, *self._told) if self._told else b""

    def acknowledge(self, ids: Sequence[bytes]) -> None:
        """See Receiver; noted only, and told with the next read or by `tell`."""
        self._noted.append(ids)

    def tell(self) -> None:
        """See Receiver."""
        with mapped(self._settings.url, self._settings.stream):
            self._exchange()

    @property
    def untold(self) -> int:
        """See Receiver."""
        return len(self._told) + sum(map(len, self._noted))

    def close(self) -> None:
        """See Receiver."""
        super().close()
        if self._socket is not None:
            self._socket.close()


def _as_read(entries: list[Any], at: int, size: int) -> Read:
    """Ids and payloads, of so many bytes. An entry with no field of ours yields its first value, for the decoder."""
    ids: list[bytes] = []
    payloads: list[bytes] = []
    try:
        # An entry of several fields does not fit this form: finding ours by name costs the usual ones nothing.
        for entry_id, (_, payload) in entries:
            ids.append(entry_id)
            payloads.append(payload)
    except ValueError:
        ids, payloads = [entry[0] for entry in entries], [_payload(entry[1]) for entry in entries]
    return Read(ids, payloads if size <= MAX_PAYLOAD else shortened(payloads), at)


def _payload(fields: list[bytes]) -> bytes:
    return dict(zip(fields[::2], fields[1::2], strict=True)).get(FIELD, fields[1])
