"""Recording: what comes on a bus goes into a file, until there is enough of it or time is up.

The bus is only looked at (`bus.receiving.observed`). A message's time is when the read that brought it returned, by a
clock that nobody sets; messages of one read share it.
"""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sentinel.errors import BusError, BusRefusedError, RecordingError, SentinelError
from sentinel.model.codecs import MAX_PAYLOAD
from sentinel.recording.writer import DiskFullError
from sentinel.runtime.outage import Outage
from sentinel.runtime.stop import backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sentinel.consumer.batching import Read
    from sentinel.recording.format import Trailer
    from sentinel.recording.mask import Mask
    from sentinel.recording.writer import Writer
    from sentinel.runtime.stop import StopSignal

LOOK = 0.25
"""Seconds that a read waits at most, so that a stop is seen."""
FINAL = frozenset({"NOPERM", "WRONGTYPE"})
"""Codes of refusals that no waiting mends."""
FLUSH = 5.0
"""Seconds after which what was taken is in the file, also under a light load."""

log = logging.getLogger(__name__)


class Source(Protocol):
    """What is recorded."""

    @property
    def missed(self) -> str:
        """See `bus.Receiver`."""

    def read(self, timeout: float) -> Read | None:
        """See `bus.Receiver`."""

    def reconnect(self) -> None:
        """See `bus.Receiver`."""


class Limits(NamedTuple):
    """When a recording ends at the latest."""

    size: int
    """Bytes of payloads."""
    seconds: float
    """Its length."""


@dataclass
class Progress:
    """How far a recording is."""

    seconds: float = 0.0
    messages: int = 0
    size: int = 0
    """Bytes of their payloads."""
    left_out: int = 0
    """Messages that were too long, or could not be masked."""
    interruptions: int = 0
    """How often the bus was away."""
    away: float = 0.0
    """Seconds for which it was."""


class Recorder:
    """Takes what comes until there is enough, time is up, or a stop is asked for.

    Args:
        source: where messages come from.
        writer: where they go.
        limits: how much at most.
        stop: ends it sooner.
        mask: replaces names and values before anything is written; None: nothing is replaced.
    """

    def __init__(
        self, source: Source, writer: Writer, limits: Limits, stop: StopSignal, mask: Mask | None = None
    ) -> None:
        self.progress = Progress()
        self._source = source
        self._writer = writer
        self._most = limits.size
        self._stop = stop
        self._mask = mask
        self._began = time.monotonic()
        self._end = self._began + limits.seconds
        self._epoch = time.time_ns() - time.monotonic_ns()
        self._outage = Outage("Redis", log)
        self._full = False
        """Whether the next message would be more than is allowed."""

    def run(self, note: Callable[[Progress], None] = lambda _: None) -> Trailer:
        """Record, and close the file; it is kept whatever ended this, unless nothing came.

        Args:
            note: told how far it is, a few times a second.

        Raises:
            RecordingError: nothing was recorded, or the file could not be named. Where the disk is full, the mask
                cannot go on or Redis refuses, the message also says where what was taken until then is.
        """
        failure: SentinelError | None = None
        try:
            ended = self._work(note)
        except DiskFullError as error:
            failure, ended = error, "disk"
        except RecordingError as error:
            failure, ended = error, "mask"
        except BusError as error:
            failure, ended = error, "bus"
        trailer = self._closed(ended, failure)
        if failure or trailer.ended == "disk":
            what = failure or "the disk is full"
            raise RecordingError(f"{what}; the {trailer.messages:,} messages before that are in {self._writer.path}")
        return trailer

    def _closed(self, ended: str, failure: SentinelError | None) -> Trailer:
        p = self.progress
        if not self._writer.messages:
            self._writer.discard()
            came = f"{p.left_out:,} that could not be kept" if p.left_out else "none"
            room = f", and the first is longer than the {self._most:,} bytes allowed" if self._full else ""
            raise failure or RecordingError(f"nothing was recorded: of messages there came {came}{room}")
        length = int((time.monotonic() - self._began) * 1e9)
        counts = {"interruptions": p.interruptions, "away": int(p.away * 1e9), "left_out": p.left_out}
        return self._writer.close(length, ended, **counts)

    def _work(self, note: Callable[[Progress], None]) -> str:
        """Take messages in until something ends that: what it was."""
        flushed = told = self._began
        while not self._stop.requested:
            now = time.monotonic()
            self.progress.seconds = now - self._began
            if now >= self._end:
                return "duration"
            if self._full:
                return "bytes"
            if now - told >= LOOK:
                told = now
                note(self.progress)
            if now - flushed >= FLUSH:
                flushed = now
                self._writer.flush()
            try:
                read = self._source.read(min(LOOK, self._end - now))
            except BusError as error:
                if isinstance(error, BusRefusedError) and error.code in FINAL:
                    raise
                self._back(error)
            else:
                self._take(read.payloads if read else ())
        return "stop"

    def _take(self, payloads: Sequence[bytes]) -> None:
        at, kept = self._epoch + time.monotonic_ns(), list[bytes]()
        try:
            for payload in payloads:
                message = self._kept(payload)
                if message is None:
                    self.progress.left_out += 1
                elif self.progress.size + len(message) > self._most:
                    self._full = True
                    break
                else:
                    kept.append(message)
                    self.progress.size += len(message)
        finally:
            self.progress.messages += len(kept)
            self._writer.add([at] * len(kept), kept)

    def _kept(self, payload: bytes) -> bytes | None:
        """The message as it is to be written; None where it cannot be."""
        if len(payload) > MAX_PAYLOAD:
            return None
        return self._mask(payload) if self._mask else payload

    def _back(self, error: BusError) -> None:
        """Make the connection anew, for as long as the recording may take."""
        began = time.monotonic()
        self.progress.interruptions += 1
        while not self._stop.requested and time.monotonic() < self._end:
            self._outage.failed(error, "reconnecting")
            if self._outage.attempts > 1:
                pause = backoff(self._outage.attempts - 1, random.random())  # noqa: S311 - jitter
                self._stop.wait(min(pause, max(0.0, self._end - time.monotonic())))
            try:
                self._source.reconnect()
            except BusError as now:
                error = now
            else:
                self._outage.over(self._source.missed)
                break
        self.progress.away += time.monotonic() - began
