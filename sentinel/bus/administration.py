"""Questions about a Redis and its keys, what is left on a stream, and their removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

from sentinel.bus.link import client
from sentinel.bus.refusals import mapped

if TYPE_CHECKING:
    from sentinel.settings import BusSettings


class Depth(NamedTuple):
    """Messages of a stream that nobody is done with."""

    unread: int
    """Not given to the group yet."""
    pending: int
    """Given to one of its consumers, and not acknowledged."""
    dead: int
    """On the dead-letter stream."""


def server_version(settings: BusSettings) -> str:
    """Name and version, such as `Redis 7.0.15` or `Valkey 9.1.2`.

    Raises:
        BusError: nobody answers, or the password is wrong.
    """
    with mapped(settings.url), client(settings, retry=None, socket_connect_timeout=2) as redis_client:
        info = redis_client.info("server")
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info['redis_version']}"


def remove(settings: BusSettings) -> None:
    """Delete the stream and its dead letters: for names that nobody else uses, such as a trial's.

    Raises:
        BusError: Redis is away or refuses.
    """
    with mapped(settings.url), client(settings) as redis_client:
        redis_client.delete(settings.stream, settings.dead_letters)


def unread(settings: BusSettings) -> int:
    """Count the entries of the stream that the group was not given yet; all of them where there is no group.

    Raises:
        BusError: Redis is away or refuses.
    """
    with mapped(settings.url), client(settings) as redis_client:
        if not redis_client.exists(settings.stream):
            return 0
        groups: Any = redis_client.xinfo_groups(settings.stream)
        last = next((g["last-delivered-id"] for g in groups if g["name"] == settings.group.encode()), b"0-0")
        # `lag` is unknown after some trims, and absent before Redis 7: count.
        return len(redis_client.xrange(settings.stream, min=f"({last.decode()}"))


def depth(settings: BusSettings) -> Depth:
    """As of now; a stream or group that is not there holds nothing.

    Raises:
        BusError: Redis is away or refuses.
    """
    with mapped(settings.url), client(settings) as redis_client:
        try:
            group: Any = redis_client.xpending(settings.stream, settings.group)
        except ResponseError:  # no such stream or group
            group = {"pending": 0}
        dead = int(redis_client.xlen(settings.dead_letters))
    return Depth(unread(settings), int(group["pending"]), dead)
