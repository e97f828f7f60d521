"""What a gate's trials say of run-to-run variation, for the note below its table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.run.trial_record import CAPACITY
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.rounds import sides
from sentinel.lab.statistics.rounds.floor import floor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome


def noise(outcomes: Sequence[Outcome]) -> list[str]:
    """How far two legs of one configuration lie apart (A/A), and how far by chance.

    Args:
        outcomes: A gate's trials.

    Returns:
        A sentence for every configuration that was measured twice.
    """
    lines = []
    for name in dict.fromkeys(o.plan.configuration for o in outcomes if o.plan.kind == CAPACITY):
        legs = sides.side(name, outcomes).get(CAPACITY)
        if legs is None or legs.shape[1] < 2 or not (estimate := compare.estimated(legs[:, 1:], legs[:, :1])).rounds:
            continue
        again = f"capacity of {name}, measured again ÷ measured first, is"
        beyond = formatting.times(floor(legs, estimate.method))
        lines.append(
            f"Run-to-run variation (A/A): {again} {formatting.ratio(compare.ratio_of(estimate))}"
            f" ({estimate.note}; noise floor {beyond})."
        )
    return lines
