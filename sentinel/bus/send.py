"""Sending: `Publisher` for the agent, `Sender` for the load generator."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import hiredis
from redis.exceptions import ResponseError

from sentinel.bus.link import ANSWER_WITHIN, FIELD, Socket, client
from sentinel.bus.refusals import code, mapped, refused, replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.settings import BusSettings


NOT_YET = "LOADING"
"""How Redis's refusal begins while it reads its log: the command is good, and will be taken later."""


class Publisher:
    """Sends payloads in pipelines; for the agent. The load generator has `Sender`.

    Args:
        settings: the Redis, its channel and its stream.
        transport: `pubsub` or `stream`.
    """

    def __init__(self, settings: BusSettings, transport: str) -> None:
        self._settings = settings
        self._transport = transport
        # The agent buffers and tries again itself: redis-py's ten retries would only hold up its next sample.
        self._client = client(settings, retry=None)

    def publish(self, payloads: Sequence[bytes]) -> int:
        """Send all payloads in one pipeline.

        Returns:
            The sum of the receivers (Pub/Sub), or the entries (stream).

        Raises:
            BusError: Redis is away or refused; some of the payloads may have arrived.
        """
        with mapped(self._settings.url, self._settings.stream):
            pipeline = self._client.pipeline(transaction=False)
            for payload in payloads:
                if self._transport == "pubsub":
                    pipeline.publish(self._settings.channel, payload)
                else:
                    pipeline.xadd(self._settings.stream, {FIELD: payload})
            answers = replies(pipeline)
        return sum(answers) if self._transport == "pubsub" else len(answers)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def open_publisher(settings: BusSettings, transport: str) -> Publisher:
    """A publisher to the channel or the stream, by transport."""
    return Publisher(settings, transport)


class Frame:
    """The commands that publish payloads to the channel or the stream, as they travel.

    Args:
        settings: the names of channel and stream.
        transport: `pubsub` or `stream`.
    """

    _END = b"\r\n"

    def __init__(self, settings: BusSettings, transport: str) -> None:
        if transport == "pubsub":
            channel = settings.channel.encode()
            self._head = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(channel), channel)
        else:
            stream = settings.stream.encode()
            self._head = b"*5\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$1\r\n*\r\n$1\r\n%b\r\n" % (len(stream), stream, FIELD)
        self._heads: dict[int, bytes] = {}
        """All that goes before a payload, by its length."""

    def __call__(self, payloads: Sequence[bytes]) -> bytes:
        """One command for each payload, joined; put together by columns (docs/measurements.md: frame)."""
        lengths = list(map(len, payloads))
        for length in set(lengths) - self._heads.keys():
            self._heads[length] = b"%b$%d\r\n" % (self._head, length)
        parts = [self._END] * (3 * len(payloads))
        parts[::3] = map(self._heads.__getitem__, lengths)
        parts[1::3] = payloads
        return b"".join(parts)


class Sender:
    """Sends payloads over several connections, pipelined, and counts the answers; for the load generator.

    Args:
        settings: the Redis, its channel and its stream.
        transport: `pubsub` or `stream`.
        connections: how many to make.

    Raises:
        BusError: Redis cannot be reached.
    """

    def __init__(self, settings: BusSettings, transport: str, connections: int) -> None:
        self._settings = settings
        frame = Frame(settings, transport)
        with mapped(settings.url):
            self._links = [_Link(settings, frame) for _ in range(connections)]
        self._answers = Answers()

    def send(self, connection: int, payloads: Sequence[bytes]) -> None:
        """Send payloads over one connection; they count as sent once answered.

        Args:
            connection: its number, from 0.
            payloads: encoded messages.

        Raises:
            BusError: the connection broke.
        """
        with mapped(self._settings.url):
            self._links[connection].send(payloads)

    def collect(self, timeout: float = 0.0) -> Answers:
        """Take in the answers that have come.

        Args:
            timeout: seconds to wait while any are owed.

        Returns:
            Counts since the last call.

        Raises:
            BusError: a connection broke; what the others had answered is part of the next call's counts.
        """
        with mapped(self._settings.url):
            for link in self._links:
                link.collect(timeout, self._answers)
        # Kept while a connection breaks: what the others had answered by then is for the next call.
        answers, self._answers = self._answers, Answers()
        return answers

    @property
    def owed(self) -> int:
        """Payloads sent and not answered yet."""
        return sum(len(link.owed) for link in self._links)

    def reconnect(self) -> None:
        """Make every connection anew and send again what was not answered.

        Raises:
            BusError: Redis cannot be reached, or cannot take messages yet.
        """
        with mapped(self._settings.url):
            for link in self._links:
                link.reconnect()

    def close(self) -> None:
        """Close all connections."""
        for link in self._links:
            link.close()


@dataclass
class Answers:
    """What Redis said to commands of a `Sender`."""

    accepted: int = 0
    receivers: int = 0
    """Pub/Sub: sum of the subscriber counts."""
    unheard: int = 0
    """Pub/Sub: messages that reached nobody."""
    refused: int = 0
    reason: str = ""
    """The last refusal: who, in its words, and what to do."""


class _Link:
    """One connection of a Sender, and the payloads it has not had an answer to."""

    def __init__(self, settings: BusSettings, frame: Frame) -> None:
        self._settings = settings
        self._frame = frame
        self._socket = Socket(settings)
        self.owed: list[bytes] = []

    def send(self, payloads: Sequence[bytes]) -> None:
        self.owed += payloads
        self._socket.send(self._frame(payloads))

    def collect(self, timeout: float, answers: Answers) -> None:
        count = 0
        deadline = time.monotonic() + timeout
        try:
            while count < len(self.owed) and self._socket.fill(max(0.0, deadline - time.monotonic())):
                replies = []
                while (reply := self._socket.next_reply()) is not False:
                    replies.append(reply)
                if refusals := [reply for reply in replies if isinstance(reply, hiredis.ReplyError)]:
                    if any(str(refusal).startswith(NOT_YET) for refusal in refusals):
                        raise EOFError(str(refusals[-1]))
                    answers.refused += len(refusals)
                    answers.reason = refused(
                        ResponseError(str(refusals[-1])), self._settings.url, self._settings.stream
                    )
                count += len(replies)
                # Whole numbers say how many received a message, bytes are a stream entry's id.
                answers.receivers += sum(reply for reply in replies if isinstance(reply, int))
                answers.unheard += replies.count(0)
        finally:
            answers.accepted += count
            del self.owed[:count]

    def reconnect(self) -> None:
        self._socket.close()
        self._socket = Socket(self._settings)
        # Unlike the commands that set a connection up, PING is refused by a server that cannot take a message yet.
        try:
            self._socket.ask(ANSWER_WITHIN, "PING")
        except ResponseError as error:  # one who may send need not have the right to ask
            if code(error) == NOT_YET:
                raise
        again, self.owed = self.owed, []
        self.send(again)

    def close(self) -> None:
        self._socket.close()
