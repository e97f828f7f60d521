"""How late this machine wakes a sleeper: waiting that every latency measured on it holds beside the pipeline's own.

As cyclictest of the real-time Linux tools asks, but open-loop: of a long pause every wake-up due in it counts as late.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERY = 1_000_000
"""ns from one wake-up to the next."""


def lateness(seconds: float) -> dict[str, float]:
    """Sleep from one millisecond to the next for so long: `p50`, `p99` and `max` in ms, and `wakeups` that were due."""
    late: list[int] = []
    due = time.monotonic_ns() + EVERY
    end = due + int(seconds * 1e9)
    while due < end or not late:
        time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
        passed = range(time.monotonic_ns() - due, -1, -EVERY)
        late += passed
        due += EVERY * len(passed)
    p50, p99, largest = (np.quantile(late, (0.5, 0.99, 1.0)) / 1e6).tolist()
    return {"p50": p50, "p99": p99, "max": largest, "wakeups": len(late)}


def words(late: Mapping[str, Any]) -> str:
    """What `lateness` found, in a sentence."""
    return (
        f"A bare timer, due every millisecond {late['wakeups']:,} times with nothing else running, was late by"
        f" {late['p50']:.2f} ms at p50, {late['p99']:.2f} ms at p99 and {late['max']:.1f} ms at most."
    )
