"""The thread that carries an agent's backlog to Redis, so that a Redis that hangs delays no sample and no stop."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from sentinel.errors import BusError
from sentinel.runtime.outage import Outage

if TYPE_CHECKING:
    from sentinel.agent.backlog import Backlog
    from sentinel.runtime.heartbeat import Heartbeat
    from sentinel.runtime.record import Publishes
    from sentinel.runtime.stop import StopSignal

CHUNK = 500
"""Most samples in one send: some 0.25 MB, so that a long backlog leaves piece by piece."""

_log = logging.getLogger(__name__)


class BacklogSender(threading.Thread):
    """Carries the backlog to Redis at each call of `wake`; owns the connection.

    Args:
        backlog: the samples to send.
        publisher: the connection; closed when the thread ends.
        heartbeat: touched after each send that worked.
        counts_receivers: whether the publisher returns subscribers reached (Pub/Sub) instead of entries (stream).
    """

    def __init__(self, backlog: Backlog, publisher: Publishes, heartbeat: Heartbeat, *, counts_receivers: bool) -> None:
        super().__init__(name="sentinel-agent-sender", daemon=True)
        self._backlog = backlog
        self._publisher = publisher
        self._heartbeat = heartbeat
        self._counts_receivers = counts_receivers
        self._due = threading.Event()
        self._last = False
        self._outage = Outage("Redis", _log)
        self._error: Exception | None = None

    def wake(self) -> None:
        """Send what waits.

        Raises:
            Exception: what ended the thread, if something did.
        """
        if self._error:
            raise self._error
        self._due.set()

    def finish(self, timeout: float, stop: StopSignal) -> None:
        """Make one last attempt to send, and wait until it is over.

        Args:
            timeout: seconds to wait at most.
            stop: its deadline, too, ends the wait.

        Raises:
            Exception: what ended the thread, if something did.
        """
        self._last = True
        self._due.set()
        stop.join(self, timeout)
        if self._error:
            raise self._error

    def run(self) -> None:
        """Send at each call of `wake`, until `finish`."""
        try:
            last = False
            while not last:
                self._due.wait()
                self._due.clear()
                last = self._last
                self._flush()
        except Exception as error:  # noqa: BLE001 - handed to the thread that can raise it
            self._error = error
        finally:
            self._publisher.close()

    def _flush(self) -> None:
        while batch := self._backlog.take(CHUNK):
            try:
                receivers = self._publisher.publish(batch)
            except BusError as error:
                self._backlog.give_back()
                self._outage.failed(error, "samples are kept until it answers")
                return
            if self._counts_receivers:
                self._backlog.confirm(receivers, unheard=0 if receivers else len(batch))
            else:
                self._backlog.confirm()
            self._heartbeat.beat()
            self._outage.over(f"{len(self._backlog)} samples are still to be sent")
