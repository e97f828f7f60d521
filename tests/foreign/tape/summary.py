"""What the trials say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentinel.lab.run.trial_record import Outcome


def of_tape(outcomes: list[Outcome]) -> dict[str, Any]:
    """The spread of the capacities."""
    rates = [outcome.throughput for outcome in outcomes if outcome.valid]
    return {
        "capacities": rates,
        "verdict": [f"{len(rates)} turns, the slowest at {min(rates) / max(rates):.0%} of the best."],
    }
