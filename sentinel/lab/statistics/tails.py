"""Which percentiles the messages of a trial carry. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.run.trial_record import Outcome

NEEDED = {"p99": 368, "p99.9": 3688}
"""Messages from which a percentile is bounded from above whatever the distribution: the largest of fewer lies below it
in more than 2.5 of 100 trials (0.99 ** 368 and 0.999 ** 3688 are 0.025)."""


def carried(percentile: str, messages: int) -> bool:
    """Whether the messages of one trial carry a percentile; with fewer, the maximum is all that is known.

    Args:
        percentile: Such as `p99.9`; one that is not in `NEEDED` needs a single message.
        messages: Messages of the trial.
    """
    return messages >= NEEDED.get(percentile, 1)


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
    values = outcome.latencies.get(kind, {})
    return values.get(percentile) if values.get("n", 0) >= NEEDED.get(percentile, 0) else None
