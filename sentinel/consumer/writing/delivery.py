"""When the store says no: retry what may pass, bisect what it refuses, wait where it refuses everything."""

from __future__ import annotations

import logging
import math
import random
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.errors import StoreRefusedError
from sentinel.runtime.outage import Outage
from sentinel.runtime.stop import DeadlineError, backoff, retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.consumer.account import Account
    from sentinel.runtime.stop import StopSignal

ROW = 20
"""Points refused one after the other, with none taken in between, that make it worth asking who is at fault."""
PROBES = 3
"""Points of a batch, drawn at random, that tell: where the store takes none of them, it is the store."""
OWN_FAULT = "retention policy"
"""In the store's words: the point is too old (1.x, 2.x), which no waiting mends, however many are."""
_DROPPED = re.compile(r' dropped=(\d+)"\}$')
"""How 1.x and 2.x end when they say how many points of a body they dropped; a name that a sender chose is quoted, and
cannot end so."""

log = logging.getLogger(__name__)


class Refused(NamedTuple):
    """A point that the store will never take."""

    point: Any
    words: str
    """The store's."""

    @property
    def line(self) -> bytes:
        """The point as the store refused it."""
        if isinstance(self.point, bytes):
            return self.point
        text: str = self.point if isinstance(self.point, str) else self.point.to_line_protocol()
        return text.encode()


class BulkRefusalError(Exception):
    """The store refuses points by the row: it is at fault, not they; never leaves this module."""


class RefusalLog:
    """What the store refuses: said in its own words, at once and then once in `seconds`, and counted in a row."""

    def __init__(self, seconds: float = 60.0) -> None:
        self.row = 0
        """Points refused for good since the store last took one."""
        self.bulk = Outage("the store", log)
        self._seconds = seconds
        self._due = -math.inf
        self._count = 0

    def note(self, refused: Refused) -> None:
        """A message was refused for good."""
        self._count += 1
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + self._seconds
        log.warning("%s; messages refused so far: %d, kept as dead letters", refused.words, self._count)


class Delivery:
    """Delivers points through `post`, retrying what may pass and bisecting what the store refuses.

    Where the store refuses `ROW` points in a row, and `PROBES` more of the batch too, they wait until it takes one.

    Args:
        post: Sends points in one request; raises where they are not stored.
        stop: Ends the retries.
        account: Counts them.
        apart: Turns what was refused into single points, where points may come as packs of several.
        refusals: Logs what the store refuses; its own where None is given.
    """

    def __init__(
        self,
        post: Callable[[Sequence[Any]], None],
        stop: StopSignal,
        account: Account,
        apart: Callable[[Sequence[Any]], Sequence[Any]] = list,
        refusals: RefusalLog | None = None,
    ) -> None:
        self._post = post
        self._stop = stop
        self._account = account
        self._apart = apart
        self._refusals = refusals or RefusalLog()

    def deliver(self, points: Sequence[Any]) -> list[Refused]:
        """Write all; returns each point that the store will never take, with its words.

        Halves may be written twice on the way (1.x keeps the good part of a refused body): points overwrite themselves.

        Raises:
            DeadlineError: the stop deadline passed first, or a stop was asked for while the store refuses everything.
        """
        while True:
            try:
                refused = self._sift(points, points)
            except BulkRefusalError as error:
                self._wait(points, error)
            else:
                break
        for each in refused:
            self._refusals.note(each)
        return refused

    def _sift(self, points: Sequence[Any], batch: Sequence[Any]) -> list[Refused]:
        """Write these points of a batch; those that are refused."""
        try:
            self._send(points)
        except StoreRefusedError as error:
            single = self._apart(points)
            if len(single) == 1 or _all_dropped(str(error), len(single)):
                return self._refuse(single, batch, str(error))
            half = len(single) // 2
            return [*self._sift(single[:half], batch), *self._sift(single[half:], batch)]
        self._refusals.row = 0
        return []

    def _refuse(self, points: Sequence[Any], batch: Sequence[Any], words: str) -> list[Refused]:
        """The store takes none of these.

        Raises:
            BulkRefusalError: nor any other.
        """
        if OWN_FAULT not in words:
            self._refusals.row += len(points)
            if self._refusals.row >= ROW:
                self._probe(batch)
        return [Refused(point, words) for point in points]

    def _probe(self, batch: Sequence[Any]) -> None:
        """Raises BulkRefusalError: the store takes no point of this batch, as far as a few can tell."""
        single = self._apart(batch)
        words = ""
        for point in random.sample(single, min(PROBES, len(single))):
            try:
                self._send([point])
            except StoreRefusedError as error:
                words = str(error)
            else:
                self._refusals.row = 0
                return
        raise BulkRefusalError(words)

    def _wait(self, batch: Sequence[Any], error: BulkRefusalError) -> None:
        """Until the store takes a point of this batch."""
        bulk = self._refusals.bulk
        while True:
            bulk.failed(error, "it refuses message after message: all wait, none is acknowledged or dropped")
            self._rest(backoff(bulk.attempts, random.random()), error)  # noqa: S311 - jitter
            self._account.retried()
            try:
                self._probe(batch)
            except BulkRefusalError as now:
                error = now
            else:
                bulk.over()
                return

    def _rest(self, seconds: float, error: BulkRefusalError) -> None:
        """Raises DeadlineError: a stop was asked for, and no deadline makes this store take anything."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop.requested:
                raise DeadlineError(str(error))
            time.sleep(min(left, 0.05))

    def _send(self, points: Sequence[Any]) -> None:
        began = time.monotonic_ns()
        retry(lambda: self._post(points), self._stop, self._account.retried)
        self._account.requested(time.monotonic_ns() - began)


def _all_dropped(words: str, points: int) -> bool:
    """Whether the store says that it dropped every one: no bisecting would find another."""
    match = _DROPPED.search(words)
    return match is not None and int(match[1]) == points
