"""What a program says when its stop leaves something undone, or when it has to be ended."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.consumer.consumer import Consumer


def left(pending: int, transport: str) -> str:
    """The sentence on messages that were read and not stored: how many, and what becomes of them."""
    fate = "they stay on the stream and will be read again" if transport == "stream" else "they are lost (Pub/Sub)"
    return f"{pending} messages were read but not stored before the deadline: {fate}"


def of_consumer(consumer: Consumer, transport: str) -> Callable[[], int]:
    """The exit report of a consumer that has to be ended.

    Returns:
        A function that prints the ledger as it stands, unless it was printed, and what is left; it returns the exit
        code.
    """

    def say() -> int:
        account = consumer.account()
        pending = account.ledger.pending
        if consumer.report is None:
            print(account)
            if pending:
                print(f"error: {left(pending, transport)}", file=sys.stderr)
        return 1 if pending else 0

    return say


def of_sender() -> int:
    """Print the exit report of an agent or a load generator that has to be ended; returns the exit code."""
    print("error: ended at once: Redis, or this host, did not answer before the stop's deadline", file=sys.stderr)
    return 1
