"""The store alone, as something to be timed through the pipeline's own edges.

Lines are made before the clock starts.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from sentinel import store
from sentinel.lab.formatting import counted
from sentinel.lab.limits.bounds import CONNECTIONS, LINES
from sentinel.lab.limits.bounds import store as store_name
from sentinel.lab.limits.component import MOST_BYTES, SOURCES, Measurement, agree
from sentinel.load.payloads import POOL, encoder
from sentinel.model.codecs import MSGSPEC
from sentinel.model.lineprotocol import LineEncoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.stack import Stack
    from sentinel.load.payloads import Encode
    from sentinel.settings import LoadSettings

SETTLE = 5.0
"""Seconds that the store is given until its own count agrees: some show points a little after their 2xx."""
PAST = 3600 * 1_000_000_000
"""How long before now the points' times begin, ns: no store takes offence at the future."""


class IsolatedStore:
    """The store with kept-alive connections, and no bus; the points stay in the lab's bucket.

    Args:
        stack: Whose store is measured.
        run: The tag of the points.
        message: What the messages are like that points are made of: fields and tags.

    Raises:
        StoreError: the store does not answer, or refuses.
    """

    def __init__(self, stack: Stack, run: str, message: LoadSettings) -> None:
        self._settings = stack.store
        self._run = run
        self._server = store.identify(stack.store)
        self._target = store.write_target(stack.store, self._server)
        self._stores = [store.StoreClient(stack.store) for _ in range(max(CONNECTIONS))]
        self._pool = ThreadPoolExecutor(max(CONNECTIONS))
        self._lines = self._endless(time.time_ns() - PAST, encoder(replace(message, codec="json")))
        self._longest = len(next(self._lines))
        self.written = 0

    def _endless(self, start: int, made: Encode) -> Iterator[str]:
        """Lines like the pipeline's, those of one source a millisecond apart: VictoriaMetrics keeps no finer times."""
        encode, first = LineEncoder(self._run), 0
        while True:
            numbers = np.arange(first, first + POOL)
            decoded = MSGSPEC(made(numbers % SOURCES, numbers // SOURCES, start + numbers // SOURCES * 1_000_000))
            yield from encode(decoded.samples, decoded.columns)
            first += POOL

    def measurements(self) -> list[Measurement]:
        """The measurements of the store, one for each of `LINES` over each of `CONNECTIONS`, in points/s."""
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
        """Write new points.

        Args:
            count: How many; a multiple of `lines` and `connections`.
            lines: Points a request.
            connections: How many the requests are spread over.

        Returns:
            Seconds that it took.

        Raises:
            StoreError: the store does not answer, or refuses.
        """
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
        """Make sure that the store holds the points that it acknowledged; wait up to `SETTLE` seconds for them.

        Raises:
            TrialError: the store's count differs from what was acknowledged.
            StoreError: the store does not answer, or refuses.
        """
        end = time.monotonic() + SETTLE
        while (stored := self._stored()) < self.written and time.monotonic() < end:
            time.sleep(0.2)
        agree("points that the store holds", stored, self.written)

    def _stored(self) -> int:
        return store.count(self._settings, self._server, self._run)

    def close(self) -> None:
        """Close the connections."""
        self._pool.shutdown()
        for connection in self._stores:
            connection.close()
