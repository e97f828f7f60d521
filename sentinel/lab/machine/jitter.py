"""The machine's own jitter: what every latency measured on it holds beside the pipeline's own.

Two questions, a thousand times a second: how late does a sleeper wake (cyclictest of the real-time Linux tools asks
so), and how long does a fixed piece of work take? The first is open-loop: of a long pause every wake-up due in it
counts as late. The second shows what no timer and no count of stolen time does: a processor that is slowed down.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel.lab.machine.facts import ALONE
from sentinel.probe import cpu_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentinel.probe import CpuTimes

EVERY = 1_000_000
"""ns from one wake-up to the next."""
SLOW = 3
"""Times its median from which the fixed work counts as slow."""


def _count() -> None:
    """A short piece of work that touches no memory."""
    for _ in range(1500):
        pass


def measure(seconds: float, work: Callable[[], None] = _count) -> dict[str, float]:
    """Sleep from one millisecond to the next, and do the same work after each sleep.

    Args:
        seconds: How long.
        work: What is done after each sleep.

    Returns:
        `late_p50`, `late_p99` and `late_max`: by how much sleeps were late, ms. `mean` and `slowest`: what the work
        took of all `turns`, in multiples of its median. `slow`: the percentage of turns that took more than `SLOW`
        times the median. `others`: the percentage of all CPUs' time that went to other work meanwhile.
    """
    late, took = list[int](), list[int]()
    before, began = cpu_times(), time.process_time()
    due = time.monotonic_ns() + EVERY
    end = due + int(seconds * 1e9)
    while due < end or not late:
        time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
        begin = time.monotonic_ns()
        passed = range(begin - due, -1, -EVERY)
        late += passed
        due += EVERY * len(passed)
        work()
        took.append(time.monotonic_ns() - begin)
    busy = others(before, cpu_times(), time.process_time() - began)
    p50, p99, largest = (np.quantile(late, (0.5, 0.99, 1.0)) / 1e6).tolist()
    multiples = np.array(took) / max(1.0, float(np.median(took)))
    return {
        "late_p50": p50,
        "late_p99": p99,
        "late_max": largest,
        "mean": float(multiples.mean()),
        "slow": 100 * float((multiples > SLOW).mean()),
        "slowest": float(multiples.max()),
        "turns": len(took),
        "others": busy,
    }


def others(before: CpuTimes, after: CpuTimes, own: float) -> float:
    """The share of the CPUs that others took.

    Args:
        before: The first reading.
        after: The second.
        own: CPU time of our own work between the two, s.

    Returns:
        Percent of all CPUs' time that was neither idle nor our own.
    """
    total = after.total - before.total
    return 100 * min(1.0, max(0.0, after.busy - before.busy - own) / total) if total > 0 else 0.0


def late(jitter: Mapping[str, Any]) -> str:
    """How late a sleeper wakes, as a clause.

    Args:
        jitter: What `measure` returned.
    """
    return (
        f"a timer due every millisecond was late by {jitter['late_p50']:.2f} ms at p50, {jitter['late_p99']:.2f} ms at"
        f" p99 and {jitter['late_max']:.1f} ms at most"
    )


def slow(jitter: Mapping[str, Any]) -> str:
    """How steady the processor is, as a clause.

    Args:
        jitter: What `measure` returned.
    """
    return (
        f"a fixed piece of work took {jitter['mean']:.2f} times its median on average, over {SLOW} times in"
        f" {jitter['slow']:.1f} % of {jitter['turns']:,} turns, {jitter['slowest']:.0f} times at most"
    )


def sentence_of(jitter: Mapping[str, Any], *facts: str) -> str:
    """Clauses on the machine's jitter as a sentence, which says what else was running.

    Args:
        jitter: What `measure` returned; in older records without `others`.
        *facts: Clauses, such as those of `late` and `slow`.
    """
    busy = jitter.get("others")
    if busy is None:  # in older records
        who = "The machine, whatever else ran on it"
    elif busy <= ALONE:
        who = "The machine by itself, with nothing else running"
    else:
        who = f"The machine, while other work took {busy:.0f} % of its CPU time"
    return f"{who}: {'; '.join(facts)}."


def words(jitter: Mapping[str, Any]) -> str:
    """What `measure` returned, in a sentence.

    Args:
        jitter: What `measure` returned.
    """
    return sentence_of(jitter, late(jitter), slow(jitter))
