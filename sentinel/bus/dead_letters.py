"""Dead letters: rejected messages kept on a stream; read a page at a time, oldest first, put back, removed.

What is there when a box is opened is all that it knows: letters that come back while it works are not met again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.bus.link import client
from sentinel.bus.refusals import mapped, replies
from sentinel.bus.send import Publisher
from sentinel.errors import BusError
from sentinel.settings import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.settings import BusSettings

Letter = tuple[bytes, str, str]
"""A rejected message: payload, reason, detail."""
PAGE = 250
"""Letters read, put back and removed at once: what an interruption may put back twice."""


class DeadLetters:
    """The stream of rejected messages. Keeps about the last `KEEP`, each cut, so that garbage cannot fill Redis."""

    KEEP = 20_000
    LONGEST = 4096
    """Bytes kept of a payload; an agent's message has about 500."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        # Who rejects tries again later itself: redis-py's ten retries would only hold up the sound messages.
        self._client = client(settings, retry=None)

    @classmethod
    def cut(cls, letter: Letter) -> Letter:
        """The part of a letter that is kept."""
        payload, reason, detail = letter
        return payload[: cls.LONGEST], reason, detail[:1000]

    def put(self, letters: Sequence[Letter]) -> None:
        """Keep these letters.

        Raises:
            BusError: Redis is away or refused.
        """
        with mapped(self._settings.url, self._settings.dead_letters):
            pipeline = self._client.pipeline(transaction=False)
            for payload, reason, detail in map(self.cut, letters):
                entry: dict[Any, Any] = {"payload": payload, "reason": reason, "detail": detail}
                pipeline.xadd(self._settings.dead_letters, entry, maxlen=self.KEEP, approximate=True)
            replies(pipeline)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class DeadLetter(NamedTuple):
    """A rejected message as it is kept."""

    id: bytes
    payload: bytes
    """The message as it was sent; where the store refused it, its line."""
    reason: str
    detail: str

    @property
    def at(self) -> float:
        """When the message was rejected, seconds since the epoch by Redis's clock."""
        return int(self.id.partition(b"-")[0]) / 1000

    @property
    def cut(self) -> bool:
        """Whether the payload has the length at which payloads are cut; it then counts as a part of one."""
        return len(self.payload) >= DeadLetters.LONGEST


class DeadLetterReader:
    """The dead letters of a stream or channel.

    Raises:
        BusError: Redis is away or refuses, here and from every method.
    """

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._client = client(settings, retry=None, socket_connect_timeout=5)
        with mapped(settings.url):
            newest: Any = self._client.xrevrange(settings.dead_letters, count=1)
        self._last: bytes = newest[0][0] if newest else b""

    def pages(self) -> Iterator[list[DeadLetter]]:
        """All letters, oldest first, `PAGE` at a time; those of a page may be removed before the next is asked for."""
        after = b"-"
        while self._last:
            with mapped(self._settings.url):
                entries: Any = self._client.xrange(self._settings.dead_letters, after, self._last, count=PAGE)
            if not entries:
                return
            yield [_letter(entry_id, fields) for entry_id, fields in entries]
            after = b"(" + entries[-1][0]

    def remove(self, letters: Sequence[DeadLetter]) -> None:
        """Delete these letters."""
        if letters:
            with mapped(self._settings.url):
                self._client.xdel(self._settings.dead_letters, *(letter.id for letter in letters))

    def put_back(self, letters: Sequence[DeadLetter], transport: str) -> None:
        """Publish the payloads of these letters again.

        Args:
            letters: letters that are whole.
            transport: `pubsub` or `stream`.

        Raises:
            BusError: Redis is away, or nobody subscribes to the channel; some of the payloads may have been published.
        """
        publisher = Publisher(self._settings, transport)
        try:
            taken = publisher.publish([letter.payload for letter in letters])
        finally:
            publisher.close()
        if taken < len(letters):
            where = f"channel {self._settings.channel!r} of Redis at {shown(self._settings.url)}"
            raise BusError(f"nobody reads {where}: start the consumer first; what it has not received is kept")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _letter(entry_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    reason, detail = (fields.get(name, b"").decode(errors="replace") for name in (b"reason", b"detail"))
    return DeadLetter(entry_id, fields.get(b"payload", b""), reason, detail)
