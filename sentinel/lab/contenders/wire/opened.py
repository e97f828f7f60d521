"""A tap from the lab's side: started, held, looked at, ended; and first messages through it."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sentinel import bus
from sentinel.lab.contenders.wire import delivered
from sentinel.lab.contenders.wire.tap import LISTENING
from sentinel.lab.stack.servers import await_log
from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.settings import BusSettings, StoreSettings

PROBES_EVERY = 0.25
"""Seconds between first messages to a contender that is ready once one is stored."""


class OpenTap:
    """A tap that runs."""

    def __init__(self, folder: Path, target: StoreSettings, supervisor: Supervisor) -> None:
        """Start it; `folder` receives its notes.

        Raises:
            StackError: it did not start.
        """
        self.folder = folder
        words = [sys.executable, "-m", "sentinel.lab.contenders.wire.tap", str(folder), target.url]
        self.child: Child = supervisor.start("tap", words, log=folder.with_suffix(".log"))
        await_log(self.child, LISTENING)
        port = self.child.tail(1).rpartition(" ")[2]
        user, mark, _ = urlsplit(target.url).netloc.rpartition("@")
        there = urlsplit(target.url)._replace(scheme="http", netloc=f"{user}{mark}127.0.0.1:{port}")
        self.store = replace(target, url=there.geturl())
        """The store as whoever passes the tap sees it."""

    def hold(self) -> None:
        """Let nothing more pass to the store."""
        self.child.signal(signal.SIGUSR1)

    def noted(self) -> int:
        """Bytes noted so far: they grow while anything passes."""
        with suppress(FileNotFoundError):
            return sum(path.stat().st_size for path in self.folder.glob("*.notes"))
        return 0

    def probes(self) -> int:
        """First messages whose points were acknowledged so far."""
        return delivered.read(self.folder).probes

    def close(self) -> None:
        """End it."""
        self.child.stop()


class Knock:
    """Sends a message now and then, until one is stored: for contenders whose `ready` is `probe`.

    Args:
        tap: Sees what is stored.
        settings: The bus.
        transport: `stream` or `pubsub`.
        codec: How the message is encoded.
    """

    def __init__(self, tap: OpenTap, settings: BusSettings, transport: str, codec: str) -> None:
        self._tap = tap
        self._bus = settings, transport
        self._encode = CODECS[codec].encode
        self._next = 0.0
        self._sent = 0

    def __call__(self) -> bool:
        """Whether one was stored, and all that were heard with it; sends another where it is time for one."""
        if (now := time.monotonic()) < self._next:
            return False
        self._next = now + PROBES_EVERY
        stored = self._tap.probes()
        if not stored:
            moment = time.time_ns()
            sample = Sample(moment // 10**9, 0.0, 0.0, moment, source=delivered.PROBE_SOURCE, seq=0)
            self._sent += self._publish(self._encode(sample))
        return 0 < self._sent <= stored

    def _publish(self, payload: bytes) -> int:
        publisher = bus.open_publisher(*self._bus)
        try:
            return publisher.publish([payload])
        finally:
            publisher.close()
