"""Which percentiles are shown, and which of them the messages of a trial carry. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.run.trial_record import Outcome

USUAL = "50,90,99,99.9"
"""Percentiles that are shown where nobody asks for others: the default of PERCENTILES."""
KEPT = ("p50", "p90", "p99", "p99.9")
"""Percentiles that every trial keeps, whatever is asked for."""
UNBOUNDED, ERROR = 0.9, 0.025
"""The share up to which a percentile is no tail, and needs a single message; and the error of the rule for tails."""


def names(percentiles: str) -> list[str]:
    """The names of percentiles.

    Args:
        percentiles: As PERCENTILES has them: in percent, joined by commas; none where it is empty.

    Returns:
        Such as `p50` and `p99.9`, in the same order.
    """
    return [f"p{percent}" for percent in percentiles.split(",") if percent]


def share(percentile: str) -> float:
    """The share of messages below a percentile.

    Args:
        percentile: Its name, such as `p99.9`.

    Returns:
        From 0 to 1.
    """
    return round(float(percentile[1:]) / 100, 12)


def needed(percentile: str) -> int:
    """Messages from which a percentile is bounded from above whatever the distribution.

    The largest of fewer lies below it in more than 2.5 of 100 trials.

    Args:
        percentile: Such as `p99.9`; the maximum, and what is no tail, need a single one.
    """
    if percentile == "max" or share(percentile) <= UNBOUNDED:
        return 1
    return math.ceil(math.log(ERROR) / math.log(share(percentile)))


NEEDED = {name: needed(name) for name in ("p99", "p99.9")}
"""Of the two that verdicts are about: 368 and 3,688 (0.99 ** 368 and 0.999 ** 3688 are 0.025)."""


def carried(percentile: str, messages: int) -> bool:
    """Whether the messages of one trial carry a percentile; with fewer, the maximum is all that is known.

    Args:
        percentile: Such as `p99.9`, or `max`.
        messages: Messages of the trial.
    """
    return messages >= needed(percentile)


def fewest(outcomes: Iterable[Outcome], kind: str) -> int:
    """Messages behind one kind of latency in the trial that has the fewest.

    Args:
        outcomes: Trials that are compared.
        kind: `internal`, `e2e`, `stored` or `send_delay`.

    Returns:
        Messages; 0 without a trial, or where a trial has no latency of that kind.
    """
    return int(min((o.latencies.get(kind, {}).get("n", 0) for o in outcomes), default=0))


def highest(outcomes: Sequence[Outcome], *kinds: str) -> str:
    """The name of the highest percentile that all trials carry, as their tail.

    Args:
        outcomes: Trials that are compared.
        kinds: Of latency, one or more: `internal`, `e2e`, `stored` or `send_delay`.

    Returns:
        `p99`, or `max` where the messages of any kind are too few for it.
    """
    return "p99" if all(carried("p99", fewest(outcomes, kind)) for kind in kinds) else "max"


def reading(outcome: Outcome, kind: str, percentile: str) -> float | None:
    """A percentile of one trial.

    Args:
        outcome: The trial.
        kind: Of latency, such as `stored`.
        percentile: Such as `p99`, or `max`.

    Returns:
        ms; None where it was not measured, or the trial's messages do not carry it.
    """
    values, least = outcome.latencies.get(kind, {}), needed(percentile)
    return values.get(percentile) if least == 1 or values.get("n", 0) >= least else None
