"""Ratios of what two sessions measured: unpaired intervals, and the wider of their noise floors. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

from sentinel.lab.statistics.metrics import Compared
from sentinel.lab.statistics.rounds.estimates import UNPAIRED, Estimate, apart
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats

Session: TypeAlias = "tuple[Sequence[Outcome], str]"
"""Trials of one session, and the label of the configuration that it measured twice; empty without an A/A control."""


def compared(name: str, new: Session, old: Session) -> dict[str, Compared]:
    """What two sessions say of every measure that both took of one configuration.

    Args:
        name: The configuration's label, or `HEADLINE`.
        new: The session in question.
        old: The one that it is held against.

    Returns:
        By measure, in alphabetical order. The rounds of a comparison are those of the session that has fewer.
    """
    after, before = side(name, new[0]), side(name, old[0])
    controls = [side(twice, trials) for trials, twice in (new, old) if twice]
    collected = {}
    for measure in sorted(after.keys() & before.keys()):
        estimate = apart(after[measure], before[measure])
        legs = [control[measure] for control in controls if measure in control]
        collected[measure] = Compared(estimate, _floor(legs, estimate))
    return collected


def _floor(controls: Sequence[Floats], estimate: Estimate) -> float:
    """The widest of the sessions' floors; NaN where none has a control of that measure."""
    floors = [floor(legs, UNPAIRED, estimate.legs) for legs in controls if legs.shape[1] > 1]
    return max((value for value in floors if math.isfinite(value)), default=math.nan)
