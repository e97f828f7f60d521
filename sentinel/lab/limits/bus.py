"""Redis alone, as something to be timed through the pipeline's own edges.

Messages are made before the clock starts.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from sentinel import bus
from sentinel.bus.byte_counter import ByteCounter
from sentinel.consumer.configurations import OPTIMISED
from sentinel.errors import TrialError
from sentinel.lab.limits.bounds import DELIVERY, PUBLISH, READ, XADD
from sentinel.lab.limits.component import MOST_BYTES, SOURCES, Measurement, agree
from sentinel.load.payloads import encoder
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

CHUNK = 1000
"""Messages that leave together."""
ENDLESS = 10_000 * CHUNK
"""Of what leaves nothing behind, at once."""
PATIENCE = 10.0
"""Seconds without an answer after which Redis counts as gone."""

T = TypeVar("T")


class IsolatedBus:
    """Redis with one client, and no store: a second client beside it in this process reaches less, not more.

    Args:
        settings: Where Redis answers, and the names of channel and stream.
        message: What messages are like: codec, fields and tags.
    """

    def __init__(self, settings: BusSettings, message: LoadSettings) -> None:
        self._settings = settings
        encode, now = encoder(message), time.time_ns()
        n = np.arange(CHUNK)
        self._payloads = encode(n % SOURCES, n // SOURCES, now + n)
        self._longest = max(map(len, self._payloads))
        self._message = f"{message.codec} messages of up to {self._longest} bytes"

    def measurements(self) -> list[Measurement]:
        """The measurements of the bus, one for each name in `BUS`, in msg/s.

        Each takes a number of messages, a multiple of `CHUNK`, and returns the seconds that they took.
        It raises a BusError where Redis does not answer or refuses, and a TrialError where what was counted afterwards
        is not what was sent.
        """
        read = f"XREADGROUP COUNT {ConsumerSettings.read_count}"
        made: dict[str, tuple[Callable[[int], float], str]] = {
            PUBLISH: (self._publish, "Redis takes by pipelined PUBLISH while nobody is subscribed"),
            XADD: (self._add, "Redis takes by pipelined XADD"),
            READ: (self._read, f"{read} drains off a full stream, acknowledged and thrown away undecoded"),
            DELIVERY: (self._deliver, "Redis delivers, as they are sent, to a subscriber that only counts bytes"),
        }
        most = dict.fromkeys((XADD, READ), MOST_BYTES // self._longest // CHUNK * CHUNK)
        return [
            Measurement(
                name,
                f"{self._message} that {what} (client included)",
                "msg/s",
                timed,
                CHUNK,
                most.get(name, ENDLESS),
            )
            for name, (timed, what) in made.items()
        ]

    def _publish(self, count: int) -> float:
        """To a channel without a subscriber."""
        with self._sending("pubsub") as send:
            took, receivers = _timed(lambda: send(count))
        agree("receivers of messages that nobody was subscribed to", receivers, 0)
        return took

    def _add(self, count: int) -> float:
        """To a new stream."""
        with self._sending("stream") as send:
            return _timed(lambda: send(count))[0]

    def _read(self, count: int) -> float:
        """Drain a stream, acknowledged on the way of the reads, as the consumer does."""
        options = ConsumerSettings(name="limits")
        with self._sending("stream") as send:
            send(count)
            with closing(OPTIMISED.receive.open(self._settings, options)) as receiver:
                took, came = _timed(lambda: _drained(receiver, count, options.batch_size))
        agree("entries read off the stream", came, count)
        return took

    def _deliver(self, count: int) -> float:
        """Publish to one subscriber, until all has reached it."""
        with (
            self._sending("pubsub") as send,
            closing(ByteCounter(self._settings)) as subscriber,
            ThreadPoolExecutor(1) as pool,
        ):
            due = sum(map(subscriber.size, self._payloads)) * (count // CHUNK)

            def exchange() -> tuple[int, int]:
                counting = pool.submit(subscriber.count, due)
                return send(count), counting.result()

            took, (receivers, came) = _timed(exchange)
        agree("receivers of published messages", receivers, count)
        agree("bytes delivered to a subscriber", came, due)
        return took

    @contextmanager
    def _sending(self, transport: str) -> Iterator[Callable[[int], int]]:
        """A function that sends so many messages, pipelined over one connection, and returns their receivers' number.

        Afterwards the stream is removed.
        """
        with closing(bus.Sender(self._settings, transport, 1)) as sender:
            try:
                yield lambda count: _sent(sender, self._payloads, count)
            finally:
                bus.remove(self._settings)


def _timed(act: Callable[[], T]) -> tuple[float, T]:
    """Seconds that an act took, and its result."""
    begin = time.perf_counter()
    result = act()
    return time.perf_counter() - begin, result


def _sent(sender: bus.Sender, payloads: Sequence[bytes], count: int) -> int:
    """Send the payloads over and over, `count` in all, until each is answered; returns their receivers' number."""
    accepted = receivers = 0
    for first in range(0, count + CHUNK, CHUNK):
        if first < count:
            sender.send(0, payloads)
        answers = sender.collect(0.0 if first < count else PATIENCE)
        if answers.refused:
            raise TrialError(f"Redis refused {answers.refused:,} messages: {answers.reason}")
        accepted += answers.accepted
        receivers += answers.receivers
    agree("messages that Redis answered", accepted, count)
    return receivers


def _drained(receiver: bus.Receiver, count: int, batch_size: int) -> int:
    """Read and acknowledge up to `count` entries; returns how many came."""
    came, ids = 0, list[bytes]()
    # The first read asks for entries left over from before, of which there are none.
    while came < count and (read := receiver.read(PATIENCE) or receiver.read(PATIENCE)):
        came += len(read.payloads)
        ids += read.ids
        if len(ids) >= batch_size or came >= count:
            receiver.acknowledge(ids)
            ids = []
    receiver.flush_acks()
    return came
