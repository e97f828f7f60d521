"""A stream's housekeeping, over a connection of its own: trimming, and taking over what dead consumers left.

A right that this user lacks stops one of these, is said once, and leaves the others and the reading alone.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from redis.exceptions import NoPermissionError, ResponseError

from sentinel.bus.link import client
from sentinel.bus.receiving.bounds import ReadCount, TooLongError
from sentinel.bus.refusals import code, mapped, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sentinel.settings import BusSettings, ConsumerSettings

CLAIM_COUNT = 2500
"""Most entries taken over at once."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass
class _GroupState:
    """What XINFO says of one group of the stream."""

    pending: int
    last_delivered: bytes


class Housekeeping:
    """Of one consumer of a group. For one thread."""

    def __init__(self, settings: BusSettings, consumer: ConsumerSettings) -> None:
        self._settings = settings
        self._consumer = consumer
        # An answer that redis-py asked for again would hide what the first had already taken over.
        self._client = client(settings, retry=None)
        self._count = ReadCount(CLAIM_COUNT)
        self._since = time.monotonic()
        self._known_trimmed = 0
        self._said: set[str] = set()
        """Commands whose missing right was said."""

    def maintain(self) -> int:
        """Trim what every group of the stream has acknowledged, and nothing else; see `_trimmed_unread`.

        Raises:
            BusError: Redis is away, or refuses for another reason than a missing right.
        """
        with mapped(self._settings.url, self._settings.stream):
            trimmed = self._permitted(self._trimmed_unread, "entries trimmed unread are not counted", 0)
            self._permitted(self._trim, "the stream is not trimmed", None)
        return trimmed

    def shared(self) -> bool:
        """Whether another consumer has read for the group since this one began.

        Raises:
            BusError: as `maintain`.
        """
        with mapped(self._settings.url):
            return self._permitted(self._shared, "whether others read the stream too is not known", False)

    def _shared(self) -> bool:
        try:
            consumers: Any = self._client.xinfo_consumers(self._settings.stream, self._settings.group)
        except ResponseError as error:
            if code(error) not in {"ERR", "NOGROUP"}:  # no such key, or no such group, any more
                raise
            return False
        since = 1000 * (time.monotonic() - self._since)
        # One that left before this one came is still listed, but idle for longer.
        return any(c["name"] != self._consumer.name.encode() and c["idle"] < since for c in consumers)

    def claim(self) -> list[Any]:
        """Take over what other consumers left unacknowledged for `claim_idle` seconds: entries as `flat` has them.

        Raises:
            BusError: as `maintain`, or they are too many bytes at once; some may have been taken over.
        """
        with mapped(self._settings.url, self._settings.stream):
            return self._permitted(self._claim, "entries of dead consumers are not taken over", [])

    def _permitted(self, step: Callable[[], T], loss: str, otherwise: T) -> T:
        """What the step returns; `otherwise`, and one warning, where this user may not do it."""
        try:
            return step()
        except NoPermissionError as error:
            if loss not in self._said:
                self._said.add(loss)
                log.warning("%s; %s", refused(error, self._settings.url, self._settings.stream), loss)
            return otherwise

    def _groups(self) -> dict[bytes, _GroupState]:
        try:
            groups: Any = self._client.xinfo_groups(self._settings.stream)
        except ResponseError as error:
            if code(error) != "ERR":  # no such key yet
                raise
            return {}
        return {g["name"]: _GroupState(g["pending"], g["last-delivered-id"]) for g in groups}

    def _trimmed_unread(self) -> int:
        """Entries that somebody's trimming took before this group read them, since the last call.

        Redis 7 counts entries added and read. While all that is left lies past the last one delivered, or nothing does,
        we know how many are unread; what is missing then was trimmed. A lower bound: some servers (Valkey 9) count a
        gap as read once the group has read past it.
        """
        with self._client.pipeline(transaction=True) as pipeline:  # one moment, whatever other consumers trim
            pipeline.xinfo_stream(self._settings.stream)
            pipeline.xinfo_groups(self._settings.stream)
            try:
                info, groups = pipeline.execute()
            except TooLongError:  # the first and the last entry come with it
                return 0
            except ResponseError as error:
                if isinstance(error, NoPermissionError):
                    raise
                return 0  # no such key yet
        group: dict[str, Any] = next((g for g in groups if g["name"] == self._settings.group.encode()), {})
        if group.get("entries-read") is None:
            return 0
        last = order(group["last-delivered-id"])
        if info["first-entry"] is None or order(info["first-entry"][0]) > last:
            unread = int(info["length"])
        elif order(info["last-generated-id"]) <= last:
            unread = 0
        else:
            return 0
        known, self._known_trimmed = self._known_trimmed, int(info["entries-added"]) - group["entries-read"] - unread
        return max(0, self._known_trimmed - known)

    def _trim(self) -> None:
        """Remove what all groups have acknowledged, so that the stream does not grow for ever."""
        lowest = []
        for name, state in self._groups().items():
            first = state.last_delivered
            if state.pending:
                summary: Any = self._client.xpending(self._settings.stream, name)
                first = summary["min"] or first
            lowest.append(first)
        if lowest:
            self._client.xtrim(self._settings.stream, minid=min(lowest, key=order).decode(), approximate=True)

    def _claim(self) -> list[Any]:
        """Of one other consumer at a time, so that what this one has in hand is not taken from itself."""
        stream, group, idle = self._settings.stream, self._settings.group, int(self._consumer.claim_idle * 1000)
        for other in self._others():
            left: Any = self._client.xpending_range(stream, group, "-", "+", self._count.now, other, idle)
            if ids := [entry["message_id"] for entry in left]:
                return self._claimed(self._client.xclaim, stream, group, self._consumer.name, idle, ids)
        return []

    def _claimed(self, xclaim: Callable[..., Any], *words: Any) -> list[Any]:
        try:
            entries = flat(entry for entry in xclaim(*words) if entry[1])
        except TooLongError:
            self._count.too_many()
            raise
        self._count.came(len(entries), sum(len(value) for _, fields in entries for value in fields))
        return entries

    def _others(self) -> list[bytes]:
        """The other consumers of the group with entries pending."""
        try:
            summary: Any = self._client.xpending(self._settings.stream, self._settings.group)
        except ResponseError as error:
            if code(error) != "NOGROUP":
                raise
            return []
        return [each["name"] for each in summary["consumers"] if each["name"] != self._consumer.name.encode()]

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def flat(entries: Iterable[Any]) -> list[Any]:
    """redis-py's entries as RESP2 has them: [[id, [field, value, …]], …]; no fields where one was deleted."""
    return [[entry_id, [x for pair in (fields or {}).items() for x in pair]] for entry_id, fields in entries]


def order(entry_id: bytes) -> tuple[int, int]:
    """What an entry's id is sorted by."""
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number or 0)
