"""Telling the bus what is stored, or kept as a dead letter; what it could not be told is counted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sentinel.errors import BusError
from sentinel.runtime.stop import DeadlineError, retry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.bus import Receiver
    from sentinel.consumer.account import Account
    from sentinel.runtime.stop import StopSignal

log = logging.getLogger(__name__)


class Acknowledgement:
    """Of one consumer's messages; given in any of its threads.

    Args:
        receiver: Passes them on to the bus.
        account: Counts what Redis could not be told.
        stop: Says how long that may be tried.
    """

    def __init__(self, receiver: Receiver, account: Account, stop: StopSignal) -> None:
        self._receiver = receiver
        self._account = account
        self._stop = stop

    def give(self, ids: Sequence[bytes]) -> None:
        """These are settled: the bus may forget them."""
        if not ids:
            return
        try:
            retry(lambda: self._receiver.acknowledge(ids), self._stop, lambda: None)
        except DeadlineError as error:
            self._failed(len(ids), error)

    def finish(self) -> None:
        """Tell the bus of all that is settled, at the end."""
        try:
            retry(self._flush, self._stop, lambda: None)
        except DeadlineError as error:
            self._failed(self._receiver.unacknowledged, error)

    def _flush(self) -> None:
        try:
            self._receiver.flush_acks()
        except BusError:
            self._receiver.reconnect()
            self._receiver.flush_acks()

    def _failed(self, messages: int, error: Exception) -> None:
        self._account.unacknowledged(messages)
        log.warning("%d messages are stored but Redis could not be told: %s", messages, error)
