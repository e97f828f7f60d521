"""The bus with nobody behind it: a subscriber that only counts, for the lab's measurement of what Redis can deliver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.bus.link import SOCKET_BUFFER, Socket
from sentinel.bus.refusals import mapped

if TYPE_CHECKING:
    from sentinel.settings import BusSettings

PATIENCE = 10.0
"""Seconds without a byte after which Redis counts as gone."""


class ByteCounter:
    """Subscribes to the channel and counts the bytes that come, without looking at one; subscribed once constructed.

    Raises:
        BusError: Redis cannot be reached.
    """

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        with mapped(settings.url):
            self._socket = Socket(settings)
            try:
                self._socket.ask(PATIENCE, "SUBSCRIBE", settings.channel)
            except Exception:
                self._socket.close()
                raise

    def size(self, payload: bytes) -> int:
        """Bytes on the wire of a message with this payload."""
        parts = (b"message", self._settings.channel.encode(), payload)
        return len(b"*3\r\n") + sum(len(b"$%d\r\n%b\r\n" % (len(part), part)) for part in parts)

    def count(self, most: int) -> int:
        """Take bytes off the socket.

        Args:
            most: bytes to wait for.

        Returns:
            Bytes that came: `most`, or fewer where `PATIENCE` seconds passed without any.

        Raises:
            BusError: the connection broke.
        """
        connection = self._socket.socket
        connection.settimeout(PATIENCE)
        buffer = bytearray(SOCKET_BUFFER)
        came = 0
        with mapped(self._settings.url):
            while came < most:
                try:
                    taken = connection.recv_into(buffer, min(len(buffer), most - came))
                except TimeoutError:
                    break
                if not taken:
                    raise EOFError("the connection was closed by the server")
                came += taken
        return came

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()
