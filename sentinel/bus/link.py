"""Connections to Redis, and its errors as ours. The bus package is the only home of redis and hiredis."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hiredis
import redis
from redis.exceptions import RedisError, ResponseError

from sentinel.bus.receiving.bounds import HEAD, MOST, BoundedParser, TooLongError
from sentinel.errors import BusError, BusRefusedError, SettingsError
from sentinel.settings import shown

if TYPE_CHECKING:
    import socket

    from sentinel.settings import BusSettings

FIELD = b"d"
"""The one field of a stream entry; it holds the payload."""
ANSWER_WITHIN = 5.0
"""Seconds that Redis may take to answer a command that needs no work: XACK, PING."""
SOCKET_BUFFER = 256 * 1024
"""Bytes taken from the socket at once: 1,000 JSON messages, for 2.7 µs each; 64 KiB and 500 took 3.1."""


CLUSTER = "it is a node of a cluster, which is not supported: REDIS_URL must name a Redis or Valkey that stands alone"
ADVICE = {
    "NOPERM": "grant it with ACL SETUSER: README lists the rights that each program needs",
    "OOM": "its maxmemory is used up: raise it, or let a consumer empty the stream",
    "MISCONF": "it cannot save to its disk: see its log",
    "READONLY": "it is a replica: does REDIS_URL name the primary?",
    "WRONGTYPE": "another program has a key of this name: choose another with --key",
    "NOAUTH": "REDIS_URL must hold a password: redis://user:password@host:port",
    "WRONGPASS": "are user and password in REDIS_URL right?",
    "LOADING": "it reads its data from disk, which passes",
    **dict.fromkeys(("MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT", "TRYAGAIN"), CLUSTER),
}
"""What to do about a refusal, by its code."""


def code(refusal: RedisError) -> str:
    """The first word of Redis's answer, such as `NOPERM`."""
    return refusal.status_code or str(refusal).partition(" ")[0]


def words(refusal: RedisError) -> str:
    """Redis's answer as it came: redis-py takes the code off some."""
    return f"{refusal.status_code} {refusal}" if refusal.status_code else str(refusal)


def refused(refusal: RedisError, url: str, key: str) -> str:
    """One line: who refuses, in its own words, and what to do; `key` is the name that the command was about."""
    advice = f" ({ADVICE[code(refusal)]})" if code(refusal) in ADVICE else ""
    about = f" for the key {key!r}" if key and code(refusal) == "WRONGTYPE" else ""
    return f"Redis at {shown(url)}: {words(refusal)}{about}{advice}"


def checked(reply: Any) -> Any:
    """The reply. Raises ResponseError where it is a refusal."""
    if isinstance(reply, hiredis.ReplyError):
        raise ResponseError(str(reply))
    return reply


class mapped:  # noqa: N801 - used as a function
    """Driver errors leave as BusError, with the address and what to do; `key` is the name that commands are about.

    A class, since every read passes through: a generator takes 0.4 µs more.
    """

    __slots__ = ("_key", "_url")

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._key = key

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, ResponseError):
            raise BusRefusedError(refused(error, self._url, self._key), code(error)) from error
        if isinstance(error, RedisError) and error.status_code:  # it is running: no password, too many clients, loading
            raise BusError(refused(error, self._url, self._key)) from error
        if isinstance(error, TooLongError):
            raise BusError(f"Redis at {shown(self._url)}: {error}") from error
        if isinstance(error, (RedisError, OSError, EOFError)):
            text = error or type(error).__name__
            raise BusError(
                f"Redis at {shown(self._url)}: {text} (is it running, and does REDIS_URL name it?)"
            ) from error


def client(settings: BusSettings, **options: Any) -> redis.Redis:
    """A redis-py client; it connects when first used."""
    try:
        return redis.Redis.from_url(settings.url, parser_class=BoundedParser, **options)
    except ValueError as error:
        # Of a password with a bare / or # the URL's parser takes a part for the port, and would quote it.
        cut = "@" in settings.url and "@" not in urlsplit(settings.url).netloc
        words = "write a password's / as %2F, # as %23 and ? as %3F" if cut else error
        raise SettingsError(f"REDIS_URL={shown(settings.url)!r} is not a Redis address: {words}") from None


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
    """Delete the stream and its dead letters: for names that nobody else uses, such as a trial's."""
    with mapped(settings.url), client(settings) as redis_client:
        redis_client.delete(settings.stream, settings.dead_letters)


def unread(settings: BusSettings) -> int:
    """Entries of the stream that the group was not given yet; all of them where there is no group."""
    with mapped(settings.url), client(settings) as redis_client:
        if not redis_client.exists(settings.stream):
            return 0
        groups: Any = redis_client.xinfo_groups(settings.stream)
        last = next((g["last-delivered-id"] for g in groups if g["name"] == settings.group.encode()), b"0-0")
        # `lag` is unknown after some trims, and absent before Redis 7: count.
        return len(redis_client.xrange(settings.stream, min=f"({last.decode()}"))


def packed(*command: bytes | str | int) -> bytes:
    """A command as it travels. hiredis packs 5,000 ids in 0.12 µs each, redis-py in 0.20."""
    return hiredis.pack_command(command)  # type: ignore[arg-type, no-any-return]


class ReadPacer:
    """Lets a moment pass between reads that bring few messages, so that the next brings more.

    A blocked XREADGROUP returns with the first message of a burst, alone, and Pub/Sub delivers in small pieces. At
    25,000 a second a pause of 0.25 ms takes 1.3 times the CPU of 0.5 ms, for 0.8 of e2e's median, 0.95 of its p99 and
    0.8 of internal's; 0.5 ms takes 1.2-1.4 times that of 1 ms. Under a heavy load a message costs 0.94 of the CPU with
    2 ms (stream, 100,000 a second) and 0.91 (Pub/Sub, 150,000).
    After a silence nothing waits: the message that ends it is read at once.
    """

    MANY = 70_000
    """Messages a second above which the load is heavy if two reads in a row say so: one alone is what a hiccup left."""
    LONG = 0.002
    """Seconds of the pause under a heavy load…"""
    ENOUGH = 500
    """…unless a read brings so many: no pause."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pause = 0.0
        self._heavy = False
        """Whether the last read brought many."""
        self._last = 0.0
        """When the last read began."""
        self._came = 0.0
        """When it returned."""

    def wait(self) -> None:
        """Before a read."""
        if self._pause and (rest := self._last + self._pause - time.monotonic()) > 0:
            time.sleep(rest)
        self._last = time.monotonic()

    def came(self, messages: int) -> None:
        """After a read."""
        before, self._heavy = self._heavy, messages > self.MANY * ((now := time.monotonic()) - self._came)
        self._came = now
        if not messages or messages >= self.ENOUGH:
            self._pause = 0.0
        else:
            self._pause = self.LONG if self._heavy and before else self._seconds


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
        """Send packed commands; `timeout` seconds at most."""
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
        """Send one command; its reply. Raises ResponseError where it is refused, EOFError as `answer`."""
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
        """Take what the socket holds, waiting up to `timeout` seconds for the first byte; False if none came.

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
