"""How far a group is behind its stream, asked over a connection of its own that gives up soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from redis.exceptions import ResponseError

from sentinel.bus.link import client
from sentinel.bus.refusals import mapped

if TYPE_CHECKING:
    from sentinel.settings import BusSettings


class Lag:
    """Asks for the entries that the group was not given yet; connects when first asked.

    Args:
        settings: the Redis, its stream and its group.
        timeout: seconds to wait for a connection or an answer.
    """

    def __init__(self, settings: BusSettings, timeout: float) -> None:
        self._settings = settings
        self._client = client(settings, retry=None, socket_timeout=timeout, socket_connect_timeout=timeout)

    def ask(self) -> int | None:
        """Entries that the group was not given yet, as of now.

        Returns:
            None where Redis does not know (before 7.0; after some deletions) or there is no such stream.

        Raises:
            BusError: Redis is away, or took longer than the timeout.
        """
        with mapped(self._settings.url):
            try:
                groups: Any = self._client.xinfo_groups(self._settings.stream)
            except ResponseError:  # no such stream yet
                return None
        lag = next((g.get("lag") for g in groups if g["name"] == self._settings.group.encode()), None)
        return None if lag is None else int(lag)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
