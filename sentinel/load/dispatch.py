"""Messages on their way to Redis: spread over connections, sent again where one breaks, and accounted for."""

from __future__ import annotations

import logging
import math
import random
import time
from typing import TYPE_CHECKING

from sentinel.bus import Sender
from sentinel.errors import BusError
from sentinel.model.ledger import SenderAccount
from sentinel.runtime.outage import Outage
from sentinel.runtime.stop import backoff

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from sentinel.runtime.stop import StopSignal
    from sentinel.settings import BusSettings, LoadSettings

_log = logging.getLogger(__name__)


class Dispatcher:
    """Sends a load's messages and keeps its account. Connects when constructed.

    A connection that breaks is made again, and what Redis has not answered is sent again, until the load's time is
    over.

    Args:
        settings: connections, sources, duration and grace of the load.
        bus: where messages go.
        stop: ends reconnecting and waiting.

    Raises:
        BusError: Redis cannot be reached at the start.
    """

    def __init__(self, settings: LoadSettings, bus: BusSettings, stop: StopSignal) -> None:
        self.account = SenderAccount()
        self.give_up = math.inf
        """When to stop trying for a connection, by the monotonic clock in seconds; an outage may set an earlier end."""
        self._patience = settings.duration + settings.grace
        self._grace = settings.grace
        self._stop = stop
        self._lanes = min(settings.connections, settings.emitters)
        self._sender = Sender(bus, settings.transport, self._lanes)
        self._outage = Outage("Redis", _log)
        self._gone = False
        """Whether the connection was given up."""

    @property
    def over(self) -> bool:
        """Whether nothing more is to be sent: a stop was asked for, or Redis was given up."""
        return self._stop.requested or self._gone

    @property
    def owed(self) -> int:
        """Messages sent and not answered yet."""
        return self._sender.owed

    def send(self, payloads: list[bytes], sources: NDArray[np.int64]) -> None:
        """Send messages that leave together; those of one source over one connection.

        Args:
            payloads: the messages, encoded.
            sources: the source of each, as long as `payloads`.
        """
        self.account.offered(payloads)
        lanes = self._lanes
        for number in range(lanes):
            lane = payloads
            if lanes > 1:
                lane = [p for p, source in zip(payloads, sources.tolist(), strict=True) if source % lanes == number]
            if lane:
                self._attempt(lambda number=number, lane=lane: self._sender.send(number, lane))  # type: ignore[misc]

    def collect(self, timeout: float = 0.0) -> None:
        """Enter the answers that have come in the ledger; wait up to `timeout` seconds for them."""
        if self._gone:
            return
        try:
            answers = self._sender.collect(timeout)
        except BusError as error:
            self._reconnect(error)
            return
        self.account.sent(answers.accepted - answers.refused, answers.receivers, answers.unheard)
        self.account.refused(answers.refused)
        if answers.refused and self.account.ledger.failed == answers.refused:
            _log.warning("messages are refused: %s", answers.reason)

    def finish(self) -> None:
        """Wait for the last answers, up to the load's grace; what has none by then is unsent."""
        end = time.monotonic() + self._grace
        self.give_up = min(self.give_up, end)
        while self.owed and not self._gone and self._stop.left > 0 and time.monotonic() < end:
            self.collect(0.05)
        self.account.refused(self.owed if self._gone else 0)
        self.account.close()

    def close(self) -> None:
        """Close all connections."""
        self._sender.close()

    def _attempt(self, action: Callable[[], None]) -> None:
        """Do it; if the connection breaks, make it anew and send again what Redis has not answered."""
        if self._gone:
            return
        try:
            action()
        except BusError as error:
            self._reconnect(error)

    def _reconnect(self, error: BusError) -> None:
        """Make the connections anew until that works, a stop is asked for, or the load's time and grace are over."""
        give_up = min(self.give_up, time.monotonic() + self._patience)
        while True:
            self._outage.failed(error, "reconnecting")
            if self._stop.requested or time.monotonic() >= give_up:
                self._gone = True
                _log.error("Redis stayed away: %d messages have no answer, and the rest is not sent", self.owed)
                return
            if self._outage.attempts > 1:
                self._pause(backoff(self._outage.attempts - 1, random.random()), give_up)  # noqa: S311 - jitter
            try:
                self._sender.reconnect()
            except BusError as now:
                error = now
            else:
                self._outage.over(f"{self.owed} messages were sent again")
                return

    def _pause(self, seconds: float, until: float) -> None:
        """Wait for so long, but no longer than `until` (monotonic) or a stop."""
        end = min(time.monotonic() + seconds, until)
        while (rest := end - time.monotonic()) > 0 and not self._stop.requested:
            time.sleep(min(rest, 0.1))
