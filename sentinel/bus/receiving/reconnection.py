"""The way back to Redis after a broken connection: as often as it takes, with growing pauses, until a stop."""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING

from sentinel.errors import BusError
from sentinel.runtime.outage import Outage
from sentinel.runtime.stop import backoff

if TYPE_CHECKING:
    from sentinel.bus import Receiver
    from sentinel.consumer.account import Account
    from sentinel.runtime.stop import StopSignal

log = logging.getLogger(__name__)


class Reconnection:
    """Of one receiver; in the reader's thread.

    Args:
        receiver: Is made anew.
        account: Counts reconnections.
        stop: Ends the pauses.
    """

    def __init__(self, receiver: Receiver, account: Account, stop: StopSignal) -> None:
        self._receiver = receiver
        self._account = account
        self._stop = stop
        self._outage = Outage("Redis", log)

    def after(self, error: BusError) -> None:
        """Make the connection anew until that works; the pauses grow as long as it does, and cures nothing."""
        while not self._stop.requested:
            self._outage.failed(error, "reconnecting")
            if self._outage.attempts > 1:
                self._stop.pause(backoff(self._outage.attempts - 1, random.random()))  # noqa: S311 - jitter
            try:
                self._receiver.reconnect()
            except BusError as now:
                error = now
            else:
                self._account.reconnected()
                self._outage.over(self._receiver.missed)
                return
