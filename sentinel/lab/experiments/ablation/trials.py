"""The lab of ablation.ipynb: from `baseline` one choice at a time to `optimised`, and one at a time off again."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.experiments.ablation import summary
from sentinel.lab.experiments.ablation.contributions import choices
from sentinel.lab.experiments.ablation.parameters import Ablation
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.rounds.keys import Key, ratios
from sentinel.lab.trials.rounds.repeating import RepeatingLab
from sentinel.settings import ConsumerSettings

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome, Plan

READS = 2
"""Whole reads of the stream that a memory trial holds at least: one may be gone with the warm-up."""


def memory_plans(p: Ablation) -> list[Plan]:
    """The memory trials, each with enough messages.

    A request for each point means few messages, yet a single socket read takes many: some must be left after the
    warm-up.

    Args:
        p: The ablation's parameters.
    """
    least = READS * ConsumerSettings.read_count
    return [replace(plan, load=replace(plan.load, count=max(plan.load.count, least))) for plan in plans.memory(p)]


def keys(p: Ablation) -> list[Key]:
    """The ratios that have to settle: capacity and CPU of every choice, switched on and taken off again.

    Args:
        p: The ablation's parameters.
    """
    pairs = {}
    for choice in choices(p.names):
        pairs[OPTIMISED.name, choice.without] = f"{choice.label} off"
        pairs[choice.after, choice.before] = f"{choice.label} on"  # of the choice switched on last both are the same
    measures = {"capacity": "capacity", "CPU": "capacity_cpu_us"}
    return [
        Key(f"{title}, {called}", measure, new, old)
        for (new, old), title in pairs.items()
        for called, measure in measures.items()
    ]


class AblationLab(RepeatingLab[Ablation]):
    """Full streams only: what a choice is worth shows where nothing else limits."""

    notebook = "ablation"
    groups = ("capacity",)

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of([*self.foreseen(plans.capacity(self.parameters)), *memory_plans(self.parameters)])

    def capacity(self) -> list[Outcome]:
        """Carry out the capacity trials: every step and every omission draining a full stream, `optimised` twice."""
        return self.repeated(plans.capacity(self.parameters), partial(ratios, keys(self.parameters)))

    def memory(self) -> list[Outcome]:
        """Carry out the memory trials: every configuration once under memray."""
        return self.weighed(memory_plans(self.parameters))

    def planned_trials(self) -> int:
        """See Session."""
        if self.parameters.automatic:
            return 0
        return len([*plans.capacity(self.parameters), *memory_plans(self.parameters)])

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session."""
        p = Ablation(**run.data.parameters)
        return plain(summary.of_ablation(p, outcomes, looks=run.data.looks, machine=run.data.machine))
