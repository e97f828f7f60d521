"""Redis alone and the store alone, as things to be timed through the pipeline's own edges.

Messages and lines are made before the clock starts. The client that measures works on the same machine: its time is
part of what it finds. What does not count up is an error, not a figure.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sentinel import bus, store
from sentinel.bus.byte_counter import ByteCounter
from sentinel.consumer.configurations import OPTIMISED
from sentinel.errors import TrialError
from sentinel.lab.formatting import counted
from sentinel.lab.limits.bounds import CONNECTIONS, DELIVERY, LINES, PUBLISH, READ, XADD
from sentinel.lab.limits.bounds import store as store_name
from sentinel.load.payloads import POOL, encoder
from sentinel.model.lineprotocol import LineEncoder
from sentinel.model.sample import Sample
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentinel.lab.stack import Stack

SOURCES = 128
CHUNK = 1000
"""Messages that leave together."""
MOST_BYTES = 100_000_000
"""Of prepared lines, or of messages on a stream, at once."""
ENDLESS = 10_000 * CHUNK
"""Of what leaves nothing behind, at once."""
PATIENCE = 10.0
"""Seconds without an answer after which Redis counts as gone."""
SETTLE = 5.0
"""Seconds that the store is given until its own count agrees: some show points a little after their 2xx."""
PAST = 3600 * 1_000_000_000
"""How long before now the points' times begin, ns: no store takes offence at the future."""


@dataclass(frozen=True)
class Measurement:
    """One thing to be timed, in one way: those of one name are several ways, of which the fastest counts."""

    name: str
    words: str
    unit: str
    timed: Callable[[int], float]
    """Does it so many times; returns the seconds that it took, preparation and tidying left out."""
    step: int
    """Counts are multiples of it."""
    most: int


class IsolatedBus:
    """Redis with one client, and no store: a second one beside it in this process reaches less, not more."""

    def __init__(self, settings: BusSettings, codec: str) -> None:
        self._settings = settings
        encode, now = encoder(LoadSettings(codec=codec, workers=SOURCES)), time.time_ns()
        n = np.arange(CHUNK)
        self._payloads = encode(n % SOURCES, n // SOURCES, now + n)
        self._longest = max(map(len, self._payloads))
        self._message = f"{codec} messages of up to {self._longest} bytes"

    def measurements(self) -> list[Measurement]:
        """What can be timed."""
        read = f"XREADGROUP COUNT {ConsumerSettings.read_count}"
        made: dict[str, tuple[Callable[[int], float], str]] = {
            PUBLISH: (self.publish, "Redis takes by pipelined PUBLISH while nobody is subscribed"),
            XADD: (self.add, "Redis takes by pipelined XADD"),
            READ: (self.read, f"{read} drains off a full stream, acknowledged and thrown away undecoded"),
            DELIVERY: (self.deliver, "Redis delivers, as they are sent, to a subscriber that only counts bytes"),
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

    def publish(self, count: int) -> float:
        """Seconds for `count` messages to a channel without a subscriber."""
        with self._sending("pubsub") as send:
            begin = time.perf_counter()
            receivers = send(count)
            took = time.perf_counter() - begin
        _agree("receivers of messages that nobody was subscribed to", receivers, 0)
        return took

    def add(self, count: int) -> float:
        """Seconds for `count` entries of a new stream."""
        with self._sending("stream") as send:
            begin = time.perf_counter()
            send(count)
            return time.perf_counter() - begin

    def read(self, count: int) -> float:
        """Seconds to drain `count` entries, acknowledged on the way of the reads, as the consumer does."""
        options = ConsumerSettings(name="limits")
        with self._sending("stream") as send:
            send(count)
            with closing(OPTIMISED.receive.open(self._settings, options)) as receiver:
                begin = time.perf_counter()
                came = _drained(receiver, count, options.batch_size)
                took = time.perf_counter() - begin
        _agree("entries read off the stream", came, count)
        return took

    def deliver(self, count: int) -> float:
        """Seconds until `count` published messages have reached a subscriber."""
        with (
            self._sending("pubsub") as send,
            closing(ByteCounter(self._settings)) as subscriber,
            ThreadPoolExecutor(1) as pool,
        ):
            due = sum(map(subscriber.size, self._payloads)) * (count // CHUNK)
            begin = time.perf_counter()
            counting = pool.submit(subscriber.count, due)
            receivers = send(count)
            came = counting.result()
            took = time.perf_counter() - begin
        _agree("receivers of published messages", receivers, count)
        _agree("bytes delivered to a subscriber", came, due)
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
    _agree("messages that Redis answered", accepted, count)
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


def _agree(what: str, counted: int, expected: int) -> None:
    if counted != expected:
        raise TrialError(f"{what}: {counted:,} were counted, expected {expected:,}: there is no limit to be had so")


class IsolatedStore:
    """The store with kept-alive connections, and no bus."""

    def __init__(self, stack: Stack, run: str) -> None:
        self._settings = stack.store
        self._run = run
        self._server = store.identify(stack.store)
        self._target = store.write_target(stack.store, self._server)
        self._stores = [store.StoreClient(stack.store) for _ in range(max(CONNECTIONS))]
        self._pool = ThreadPoolExecutor(max(CONNECTIONS))
        self._lines = self._endless(time.time_ns() - PAST)
        self._longest = len(next(self._lines))
        self.written = 0

    def _endless(self, start: int) -> Iterator[str]:
        """Lines like the pipeline's, those of one source a millisecond apart: VictoriaMetrics keeps no finer times."""
        encode, chance = LineEncoder(self._run), random.Random(1)  # noqa: S311 - play data
        pool = [(round(chance.uniform(0, 100), 2), round(chance.uniform(20, 90), 2)) for _ in range(POOL)]
        first = 0
        while True:
            numbers = range(first, first + POOL)
            times = [start + n // SOURCES * 1_000_000 for n in numbers]
            yield from encode(
                [
                    Sample(at // 1_000_000_000, *reading, at, source=n % SOURCES)
                    for n, at, reading in zip(numbers, times, pool, strict=True)
                ]
            )
            first += POOL

    def measurements(self) -> list[Measurement]:
        """What can be timed."""
        return [self._measurement(lines, connections) for lines in LINES for connections in CONNECTIONS]

    def _measurement(self, lines: int, connections: int) -> Measurement:
        step = lines * connections
        over = f"over {counted(connections, 'connection')}, the best of {', '.join(map(str, CONNECTIONS))}"
        return Measurement(
            store_name(lines),
            f"points that the store takes at {counted(lines, 'line')} per request {over} (client included)",
            "points/s",
            lambda count: self.post(count, lines, connections),
            step,
            max(step, MOST_BYTES // self._longest // step * step),
        )

    def post(self, count: int, lines: int, connections: int = 1) -> float:
        """Seconds for `count` new points, `lines` a request, the requests spread over so many connections."""
        bodies = ["\n".join(islice(self._lines, lines)).encode() for _ in range(0, count, lines)]
        shares = [bodies[n::connections] for n in range(connections)]
        begin = time.perf_counter()
        if connections == 1:
            self._write(self._stores[0], bodies)
        else:
            list(self._pool.map(self._write, self._stores[:connections], shares))
        took = time.perf_counter() - begin
        self.written += count
        return took

    def _write(self, connection: store.StoreClient, bodies: Sequence[bytes]) -> None:
        for body in bodies:
            connection.write(self._target, body)

    def verify(self) -> None:
        """The store holds what it acknowledged.

        Raises:
            TrialError: it does not.
        """
        end = time.monotonic() + SETTLE
        while (stored := self._stored()) < self.written and time.monotonic() < end:
            time.sleep(0.2)
        _agree("points that the store holds", stored, self.written)

    def _stored(self) -> int:
        return store.count(self._settings, self._server, self._run)

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown()
        for connection in self._stores:
            connection.close()
