"""A consumer's place in the group of a stream: which entries come next, and what was left by others.

On start our own unacknowledged entries come first, then new ones; what others left idle is taken over from time to
time. How entries are fetched and acknowledged is the receiver's.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

from sentinel.bus.link import FIELD
from sentinel.bus.receiving.bounds import MOST, shortened
from sentinel.bus.receiving.housekeeping import Housekeeping, order
from sentinel.bus.refusals import code, mapped
from sentinel.consumer.batching import Read
from sentinel.errors import BusError, BusRefusedError
from sentinel.model.codecs import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import redis

    from sentinel.settings import BusSettings, ConsumerSettings

PASSING = frozenset({"MISCONF", "READONLY"})
"""Codes by which Redis refuses whatever changes something, for a while; whether there is a group shows afterwards."""
NEW = b">"
"""In place of an id: entries that nobody of the group was given yet."""

log = logging.getLogger(__name__)


class Fetched(NamedTuple):
    """The reply to one XREADGROUP."""

    entries: list[Any]
    """[[id, [field, value, …]], …] as RESP2 has it; no fields where an entry was deleted."""
    at: int
    """When it came, ns since the epoch."""
    size: int
    """Its bytes, where they are known; else 0."""


class StreamGroup:
    """Of one consumer. `maintain`, `shared` and `claim` are the housekeeping thread's, all else is the reader's.

    Args:
        settings: Redis, stream and group.
        consumer: Its name in the group, and how much it reads at once.
        client: The reader's connection.
        acknowledge: Told of entries that carry no message, by id: they are settled.
    """

    def __init__(
        self,
        settings: BusSettings,
        consumer: ConsumerSettings,
        client: redis.Redis,
        acknowledge: Callable[[Sequence[bytes]], None],
    ) -> None:
        self._settings = settings
        self._name = consumer.name
        self._client = client
        self._acknowledge = acknowledge
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
        try:
            self._join()
        except BusRefusedError as error:
            if error.code not in PASSING:
                raise
            log.warning("%s; reading starts once that has passed", error)

    def _join(self) -> None:
        """Make sure of the group: by the command that reads from it, which a full Redis takes too."""
        stream: Any = {self._settings.stream: b"0"}
        with mapped(self._settings.url, self._settings.stream):
            try:
                self._client.xreadgroup(self._settings.group, self._name, stream, count=1)
            except ResponseError as error:
                self._begin(error)

    def _begin(self, error: ResponseError) -> None:
        """Make the group from the first entry on, where the error says that there is none; else raise it."""
        if code(error) != "NOGROUP":
            raise error
        self._newest = b"0"
        try:
            self._client.xgroup_create(self._settings.stream, self._settings.group, id="0", mkstream=True)
        except ResponseError as refusal:
            if code(refusal) != "BUSYGROUP":  # another consumer was first
                raise

    def read(self, fetch: Callable[[bytes, float], Fetched], timeout: float) -> Read | None:
        """The next messages, by `fetch(after, timeout)`; None where there are none.

        Raises:
            BusError: Redis is away, or refuses.
        """
        if self._claimed_unseen:
            self._claimed_unseen, self._own_after, self._left_over = False, b"0", True
        with mapped(self._settings.url, self._settings.stream):
            try:
                fetched = fetch(self._own_after or NEW, timeout)
            except ResponseError as error:
                self._begin(error)  # Redis came back empty, or somebody deleted the key
                return None
        if self._own_after is not None:
            return self._own(fetched)
        if not fetched.entries:
            return None
        self._newest = fetched.entries[-1][0]
        return as_read(*fetched)

    def _own(self, fetched: Fetched) -> Read | None:
        entries = fetched.entries
        self._own_after = entries[-1][0] if entries else None
        self._newest = max(self._newest, self._own_after or self._newest, key=order)
        gone = [entry[0] for entry in entries if not entry[1]]
        if gone:
            self._trimmed += len(gone)
            self._acknowledge(gone)
        there = [entry for entry in entries if entry[1]]
        self.taken_over += len(there) if self._left_over else 0
        return as_read(there, fetched.at, fetched.size) if there else None

    def read_again(self) -> bytes:
        """What was delivered and never reached us is pending under our name: read it next, after the id returned."""
        if self._own_after is None:
            self._own_after, self._left_over = self._newest, False
        return self._own_after

    def rejoin(self) -> None:
        """After a broken connection: make sure of the group, and read again what did not reach us.

        Raises:
            BusError: the connection broke, or Redis refused.
        """
        with mapped(self._settings.url, self._settings.stream):
            # The writer may be using one: that it finds broken by itself, and must not lose it under its hands.
            self._client.connection_pool.disconnect(inuse_connections=False)
        self._join()
        self.read_again()

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
        return as_read(entries, time.time_ns(), MOST) if entries else None

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
        self._housekeeping.close()


def as_read(entries: list[Any], at: int, size: int) -> Read:
    """Ids and payloads of entries. One with no field of ours yields its first value, for the decoder.

    Args:
        entries: see Fetched; each has fields.
        at: see Fetched.
        size: see Fetched.
    """
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
