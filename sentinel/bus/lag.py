"""How a group stands to its stream, asked over a connection of its own that gives up soon."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.exceptions import ResponseError

from sentinel.bus.link import client, mapped

if TYPE_CHECKING:
    from sentinel.settings import BusSettings


class Standing(NamedTuple):
    """Of one consumer's group."""

    unread: int | None
    """Entries that the group was not given yet; None where Redis does not know (before 7.0; after some deletions)."""
    shared: bool
    """Whether another consumer has read for the group as well, so that this one sees a part of every source."""


class Lag:
    """Asks for a consumer's standing since this was made; connects when first asked."""

    def __init__(self, settings: BusSettings, consumer: str, timeout: float) -> None:
        self._settings = settings
        self._consumer = consumer.encode()
        self._since = time.monotonic()
        self._shared = False
        self._client = client(settings, retry=None, socket_timeout=timeout, socket_connect_timeout=timeout)

    def ask(self) -> Standing:
        """As of now.

        Raises:
            BusError: Redis is away, or took longer than the timeout.
        """
        with mapped(self._settings.url):
            try:
                groups: Any = self._client.xinfo_groups(self._settings.stream)
                consumers: Any = self._client.xinfo_consumers(self._settings.stream, self._settings.group)
            except ResponseError:  # no such stream, or no such group yet
                return Standing(None, self._shared)
        lag = next((g.get("lag") for g in groups if g["name"] == self._settings.group.encode()), None)
        since = 1000 * (time.monotonic() - self._since)
        # One that left before this one came is still listed, but idle for longer.
        self._shared |= any(c["name"] != self._consumer and c["idle"] < since for c in consumers)
        return Standing(None if lag is None else int(lag), self._shared)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
