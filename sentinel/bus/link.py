"""Connections to Redis. The bus package is the only home of redis and hiredis."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hiredis
import redis

from sentinel.bus.receiving.bounds import HEAD, MOST, BoundedParser, TooLongError
from sentinel.bus.refusals import checked
from sentinel.errors import SettingsError
from sentinel.settings import shown

if TYPE_CHECKING:
    import socket

    from sentinel.settings import BusSettings

FIELD = b"d"
"""The one field of a stream entry; it holds the payload."""
ANSWER_WITHIN = 5.0
"""Seconds that Redis may take to answer a command that needs no work: XACK, PING."""
SOCKET_BUFFER = 256 * 1024
"""Bytes taken from the socket at once, about 1,000 JSON messages: with fewer each message costs more."""


def client(settings: BusSettings, **options: Any) -> redis.Redis:
    """A redis-py client; it connects when first used.

    Args:
        settings: the Redis.
        options: of redis-py's constructor.

    Raises:
        SettingsError: the URL is not a Redis address.
    """
    try:
        return redis.Redis.from_url(settings.url, parser_class=BoundedParser, **options)
    except ValueError as error:
        # Of a password with a bare / or # the URL's parser takes a part for the port, and would quote it.
        cut = "@" in settings.url and "@" not in urlsplit(settings.url).netloc
        remedy = "write a password's / as %2F, # as %23 and ? as %3F" if cut else error
        raise SettingsError(f"REDIS_URL={shown(settings.url)!r} is not a Redis address: {remedy}") from None


def packed(*command: bytes | str | int) -> bytes:
    """A command as it travels (docs/measurements.md: packed)."""
    return hiredis.pack_command(command)  # type: ignore[arg-type, no-any-return]


class Socket:
    """A connection that redis-py set up (address, TLS, password, RESP2), read whole buffers at a time."""

    def __init__(self, settings: BusSettings) -> None:
        self._client = client(settings, protocol=2, retry=None)
        self._connection = self._client.connection_pool.get_connection()
        self.socket: socket.socket = self._connection._sock  # type: ignore[assignment]  # noqa: SLF001 - redis-py has no public way to its socket
        self._timeout = -1.0
        self._reader = hiredis.Reader()
        # recv(n) would allocate n bytes each time; one kept buffer does not.
        self._buffer = bytearray(SOCKET_BUFFER)
        self.filled = 0
        """When the last bytes were taken from the socket, ns since the epoch."""
        self.taken = 0
        """Bytes taken since a command was sent, or whoever reads set it to 0."""
        self._last = 0
        """Bytes of them that are still in the buffer."""
        self._head = b""
        """The first bytes of a reply that did not come at once."""

    def send(self, commands: bytes, timeout: float = 10.0) -> None:
        """Send packed commands.

        Args:
            commands: see `packed`.
            timeout: seconds that sending may take.

        Raises:
            OSError: the connection broke, or took longer.
        """
        if timeout < self._timeout or self._timeout < 1.0:  # a read's short wait, or none, is not enough to send in
            self._within(timeout)
        self.taken = self._last = 0
        self._head = b""
        self.socket.sendall(commands)

    def _within(self, timeout: float) -> None:
        if timeout != self._timeout:  # setting it is a system call
            self.socket.settimeout(timeout)
            self._timeout = timeout

    def ask(self, timeout: float, *command: bytes | str | int) -> Any:
        """Send one command and return the reply.

        Args:
            timeout: seconds to wait for each part of the reply.
            command: the command's words.

        Raises:
            ResponseError: Redis refused.
            EOFError: as `answer`.
        """
        self.send(packed(*command))
        return checked(self.answer(timeout))

    def answer(self, timeout: float) -> Any:
        """The next reply, errors included.

        Raises:
            EOFError: the connection was closed, or a part of the reply did not come within `timeout` seconds.
            TooLongError: as `fill`.
        """
        while (reply := self._reader.gets()) is False:
            if len(self._head) < HEAD:
                self._head += self._buffer[: min(self._last, HEAD)]
            if not self.fill(timeout):
                raise EOFError(f"no answer within {timeout:.0f} s")
        return reply

    def fill(self, timeout: float) -> bool:
        """Take what the socket holds.

        Args:
            timeout: seconds to wait for the first byte.

        Returns:
            Whether anything came.

        Raises:
            EOFError: the connection was closed.
            TooLongError: more came than one reply may have.
        """
        self._within(timeout)
        try:
            count = self.socket.recv_into(self._buffer)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return False
        if not count:
            raise EOFError("the connection was closed by the server")
        self.filled = time.time_ns()
        self._last = count
        self.taken += count
        if self.taken > MOST:
            raise TooLongError(self._head)
        self._reader.feed(self._buffer, 0, count)  # type: ignore[arg-type]
        return True

    def next_reply(self) -> Any:
        """The next complete reply; False if there is none yet."""
        return self._reader.gets()

    def close(self) -> None:
        """Close the connection."""
        self._connection.disconnect()  # type: ignore[no-untyped-call]
        self._client.close()
