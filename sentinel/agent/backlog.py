"""What the agent has taken and not sent yet, with the account of what became of all. Between its two threads."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

from sentinel.model.ledger import SenderAccount, SenderLedger


class Backlog:
    """Samples waiting for Redis, oldest first, and the account of what became of all. Safe between two threads.

    Args:
        capacity: samples that may wait. A batch that is being sent (taken, neither confirmed nor given back) comes on
            top.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._waiting: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._account = SenderAccount()
        self._closed = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)

    def push(self, payload: bytes) -> int:
        """Add the newest sample, encoded.

        Returns:
            How many of the oldest were dropped for it.
        """
        with self._lock:
            self._account.scheduled(1)
            self._waiting.append(payload)
            return self._trim()

    def refuse(self) -> None:
        """Count a sample that can never be sent."""
        with self._lock:
            self._account.scheduled(1)
            self._account.dropped(1)

    def take(self, count: int) -> list[bytes]:
        """Take the oldest samples to send them; `confirm` or `give_back` says how that ended.

        Args:
            count: samples to take at most.

        Returns:
            Encoded samples, oldest first; none once the backlog is closed.
        """
        with self._lock:
            if not self._closed:
                self._taken = [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]
            return [] if self._closed else list(self._taken)

    def confirm(self, receivers: int = 0, unheard: int = 0) -> None:
        """Count what was taken as sent.

        Args:
            receivers: on Pub/Sub, the sum of the subscribers that each sample reached.
            unheard: on Pub/Sub, samples that reached no subscriber.
        """
        with self._lock:
            self._account.offered(self._taken)
            self._account.sent(len(self._taken), receivers, unheard)
            self._taken = []

    def give_back(self) -> int:
        """Let what was taken wait again, before all others.

        Returns:
            How many of the oldest were dropped, because newer ones had filled the backlog.
        """
        with self._lock:
            self._waiting.extendleft(reversed(self._taken))
            self._taken = []
            return self._trim()

    @property
    def account(self) -> SenderLedger:
        """What became of the samples that no longer wait."""
        with self._lock:
            return replace(self._account.ledger)

    def close(self) -> SenderLedger:
        """End the backlog: nothing can be taken any more.

        Returns:
            The account, with all that still waits as unsent and what is being sent as failed.
        """
        with self._lock:
            self._closed = True
            self._account.refused(len(self._taken))
            return replace(self._account.close())

    def _trim(self) -> int:
        dropped = max(0, len(self._waiting) - self._capacity)
        for _ in range(dropped):
            self._waiting.popleft()
        self._account.dropped(dropped)
        return dropped
