"""What an ablation's trials say: medians per configuration, contributions per choice. Pure; `answer` says it.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.experiments.ablation.answer import phrases
from sentinel.lab.experiments.ablation.contributions import MEASURES, contributions
from sentinel.lab.experiments.ablation.record import Answer, Record
from sentinel.lab.machine.facts import Machine
from sentinel.lab.run.trial_record import CONTROL, Outcome
from sentinel.lab.statistics import metrics
from sentinel.lab.statistics.compare import Noise
from sentinel.lab.statistics.measures import measures, medians, spreads
from sentinel.lab.statistics.reliability import disturbances, validity, warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.ablation.parameters import Ablation


def of_ablation(
    p: Ablation,
    outcomes: Sequence[Outcome],
    *,
    looks: Mapping[str, Sequence[int]] | None = None,
    machine: Machine | None = None,
) -> Record:
    """The sections of the record that are made from the trials.

    Args:
        p: The ablation's parameters.
        outcomes: All its trials; invalid ones are left out of all figures.
        looks: Where REPEATS was auto: the rounds at which looks were announced, by group of trials.
        machine: Where it was measured.
    """
    new, old = p.names[-1], p.names[0]
    values = {name: measures(o for o in outcomes if o.plan.label == name) for name in p.names}
    again = measures(o for o in outcomes if o.plan.label == new + CONTROL)
    compared = metrics.compared(new, old, outcomes, looks)
    by_measure = contributions(p.names, outcomes, looks)
    bands = {name: item.band for name, item in compared.items() if item.controlled}
    disturbed = disturbances(outcomes, machine or Machine())
    whole = {m.name: m.verdict(compared[m.name], disturbed) for m in MEASURES if m.name in compared}
    answer = Answer(validity(outcomes), whole)
    return Record(
        summary={name: {**medians(measured)} for name, measured in values.items()},
        spread={name: spreads(measured) for name, measured in values.items()},
        noise=Noise(bands.get("capacity", 0.0), again.get("capacity", []), bands),
        steps={measure.name: steps for measure, steps in by_measure.items()},
        compared=(new, old),
        ratios={name: item.ratio for name, item in compared.items()},
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer, by_measure, (new, old))],
        warnings=warnings(outcomes),
    )
