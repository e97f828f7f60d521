"""What a benchmark's trials say: medians per configuration, ratios, verdicts. Pure; `answer` makes sentences of it.

Only valid trials count. Everything here can be recomputed from the outcomes in run.json.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from sentinel.lab.experiments.benchmark.answer import phrases
from sentinel.lab.experiments.benchmark.record import Answer, CommonLoad, Headline, Record, Shortfall
from sentinel.lab.machine.facts import Machine
from sentinel.lab.run.trial_record import CONTROL, HEADLINE, LATENCY, Outcome
from sentinel.lab.statistics import metrics, regressions, tails
from sentinel.lab.statistics.compare import Noise
from sentinel.lab.statistics.measures import Columns, column, columns, measures, medians, spreads
from sentinel.lab.statistics.reliability import disturbances, validity, warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.experiments.benchmark.parameters import Benchmark
    from sentinel.lab.statistics.metrics import Compared

SAID = ("capacity", "capacity_cpu_us")
"""Measures that have a sentence of their own even where there is no ratio."""


def of_benchmark(
    p: Benchmark,
    outcomes: Sequence[Outcome],
    reliability_warnings: Sequence[str],
    rate: float,
    *,
    looks: Mapping[str, Sequence[int]] | None = None,
    machine: Machine | None = None,
) -> Record:
    """The sections of the record that are made from the trials.

    Args:
        p: The benchmark's parameters.
        outcomes: All its trials; invalid ones are left out of all figures.
        reliability_warnings: Warnings that come before those of the trials, in sentences.
        rate: Of the latency trials, msg/s.
        looks: Where REPEATS was auto: the rounds at which looks were announced, by group of trials.
        machine: Where it was measured.
    """
    values = columns(p.names, outcomes)
    new, old = p.names[-1], p.names[0]
    compared = metrics.compared(new, old, outcomes, looks)
    again = measures(o for o in outcomes if o.plan.label == new + CONTROL)
    bands = {name: item.band for name, item in compared.items() if item.controlled}
    answer = answered(p, compared, outcomes, rate, machine or Machine())
    return Record(
        summary={name: {**medians(measured)} for name, measured in values.items()},
        spread={name: spreads(measured) for name, measured in values.items()},
        compared=(new, old),
        ratios={name: item.ratio for name, item in compared.items()},
        noise=Noise(bands.get("capacity", 0.0), again.get("capacity", []), bands),
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer)],
        warnings=[*reliability_warnings, *warnings(outcomes)],
    )


def answered(
    p: Benchmark, compared: Mapping[str, Compared], outcomes: Sequence[Outcome], rate: float, machine: Machine
) -> Answer:
    """The answer as data.

    Args:
        p: The benchmark's parameters.
        compared: New ÷ old by measure.
        outcomes: All trials.
        rate: Of the common load, msg/s.
        machine: Where it was measured.
    """
    new, old = p.names[-1], p.names[0]
    pair = _loaded(new, outcomes), _loaded(old, outcomes)
    disturbed = disturbances(outcomes, machine)
    judged = regressions.verdicts(compared, [*pair[1], *pair[0]], disturbed)
    load = _common_load(*pair, rate) if all(pair) else None
    own = {name: compared.get(name) for name in (*SAID, *([f"stored_{load.tail}"] if load else []))}
    return Answer(
        validity=validity(outcomes),
        new=new,
        old=old,
        verdicts={name: regressions.key(name).verdict(item, disturbed) for name, item in own.items()} | judged,
        looked_at=list(judged),
        load=load,
        bytes=_bytes(columns([new, old], outcomes), new, old),
        headline=_headline(p.HEADLINE_RATE, outcomes),
    )


def _loaded(name: str, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """A column's valid trials under a paced load."""
    return [o for o in column(name, outcomes) if o.valid and o.plan.kind == LATENCY]


def _common_load(new: Sequence[Outcome], old: Sequence[Outcome], rate: float) -> CommonLoad:
    """Which tail is compared, and who fell behind; the older one first."""
    fell = [trials for trials in (old, new) if not all(o.sustained for o in trials)]
    short = [Shortfall(t[0].plan.label, sum(not o.sustained for o in t), len(t)) for t in fell]
    enough = all(sum(o.sustained for o in trials) >= min(2, len(trials)) for trials in fell)
    return CommonLoad(rate, tails.highest([*old, *new], "stored"), enough, short)


def _bytes(values: Columns, new: str, old: str) -> tuple[float, float] | None:
    after, before = (values[name].get("bytes_per_message") for name in (new, old))
    return (after[0], before[0]) if after and before else None


def _headline(rate: float, outcomes: Sequence[Outcome]) -> Headline:
    trials = _loaded(HEADLINE, outcomes)
    kept = [o for o in trials if o.sustained]
    measured = measures(kept)
    kinds = [kind for kind in ("internal", "e2e", "stored") if f"{kind}_max" in measured]
    tail = tails.highest(kept, "e2e" if "e2e" in kinds else "stored")
    latencies = {kind: statistics.median(measured[f"{kind}_{tail}"]) for kind in kinds}
    return Headline(rate, len(trials), len(kept), sum(o.lost for o in trials), tail, latencies)
