"""The ratios that have to settle: by what each is called, out of the trials so far. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab.statistics import compare
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.estimates import Estimate


@dataclass(frozen=True)
class Key:
    """A ratio that has to settle."""

    title: str
    """What it is called where progress is shown."""
    measure: str
    """As `measures.measures` calls it."""
    new: str
    """The label that is compared…"""
    old: str
    """…and the one that it is held against."""


def ratios(keys: Sequence[Key], outcomes: Sequence[Outcome], looks: Sequence[int]) -> dict[str, Estimate]:
    """The key ratios of one group of trials, with the intervals that belong to these looks.

    Args:
        keys: What is compared.
        outcomes: All trials of the group.
        looks: All that were announced; the last round so far is one of them.

    Returns:
        Estimates by title. What one of the sides never measured, as the latencies of a load that it does not sustain,
        is left out: no further round would settle it.
    """
    sides = {name: side(name, outcomes) for key in keys for name in (key.new, key.old)}
    return {
        key.title: compare.estimated(sides[key.new][key.measure], sides[key.old][key.measure], looks)
        for key in keys
        if key.measure in sides[key.new] and key.measure in sides[key.old]
    }
