"""The ratios of an ablation that have to settle where REPEATS is `auto`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.experiments.ablation.contributions import choices
from sentinel.lab.trials.rounds.keys import Key

if TYPE_CHECKING:
    from sentinel.lab.experiments.ablation.parameters import Ablation

MEASURES = {"capacity": "capacity", "CPU": "capacity_cpu_us"}
"""By what they are called beside a choice."""


def of_choices(p: Ablation) -> list[Key]:
    """Capacity and CPU of every choice, switched on and taken off again.

    Args:
        p: The ablation's parameters.
    """
    pairs = {}
    for choice in choices(p.names):
        pairs[OPTIMISED.name, choice.without] = f"{choice.label} off"
        pairs[choice.after, choice.before] = f"{choice.label} on"  # of the choice switched on last both are the same
    return [
        Key(f"{title}, {called}", measure, new, old)
        for (new, old), title in pairs.items()
        for called, measure in MEASURES.items()
    ]
