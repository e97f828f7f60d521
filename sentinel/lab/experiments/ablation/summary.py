"""What an ablation's trials say: medians per configuration, contributions per choice. Pure; `answer` says it.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.experiments.ablation.answer import phrases
from sentinel.lab.experiments.ablation.contributions import MEASURES, contributions
from sentinel.lab.experiments.ablation.record import Answer, Record
from sentinel.lab.run.trial_record import CONTROL, Outcome
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import Noise
from sentinel.lab.statistics.measures import measures, medians, spreads
from sentinel.lab.statistics.reliability import validity, warnings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.experiments.ablation.parameters import Ablation
    from sentinel.lab.statistics.compare import Ratio, Verdict
    from sentinel.lab.statistics.metrics import Measure


def of_ablation(p: Ablation, outcomes: Sequence[Outcome]) -> Record:
    """The sections of the record that are made from the trials.

    Args:
        p: The ablation's parameters.
        outcomes: All its trials; invalid ones are left out of all figures.
    """
    new, old = p.names[-1], p.names[0]
    values = {name: measures(o for o in outcomes if o.plan.label == name) for name in p.names}
    first, last = values[old], values[new]
    again = measures(o for o in outcomes if o.plan.label == new + CONTROL)
    bands = {m.name: compare.noise(last.get(m.name, []), again.get(m.name, [])) for m in MEASURES}
    by_measure = contributions(values, bands, p.SEED)
    ratios = {name: compare.ratio(last.get(name, []), first.get(name, []), p.SEED) for name in sorted({*last, *first})}
    answer = Answer(validity(outcomes), {m.name: _whole(m, ratios, bands, again) for m in MEASURES if m.name in ratios})
    return Record(
        summary={name: {**medians(measured)} for name, measured in values.items()},
        spread={name: spreads(measured) for name, measured in values.items()},
        noise=Noise(bands["capacity"], again.get("capacity", []), bands),
        steps={measure.name: steps for measure, steps in by_measure.items()},
        compared=(new, old),
        ratios=ratios,
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer, by_measure, (new, old))],
        warnings=warnings(outcomes),
    )


def _whole(
    measure: Measure, ratios: Mapping[str, Ratio], bands: Mapping[str, float], again: Mapping[str, Sequence[float]]
) -> Verdict:
    """The verdict on the last configuration against the first; the floor is one only where there is a second leg."""
    return measure.verdict(ratios[measure.name], bands[measure.name] if again.get(measure.name) else None)
