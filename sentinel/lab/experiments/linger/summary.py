"""What the rounds say of each linger, and where the knee is. Pure.

The knee is that of Kneedle (Satopää, Albrecht, Irwin and Raghavan 2011, "Finding a 'Kneedle' in a Haystack") for a
falling curve: with latency and CPU of each load scaled to 0 … 1 over the lingers, the point that lies furthest below
the line from the shortest linger to the longest. Over several loads, the one whose mean distance is greatest.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.experiments.linger.answer import phrases
from sentinel.lab.experiments.linger.record import Answer, Knee, Point, Record, label
from sentinel.lab.run.trial_record import LATENCY
from sentinel.lab.statistics import compare, tails
from sentinel.lab.statistics.measures import measures, medians, spreads
from sentinel.lab.statistics.reliability import validity, warnings
from sentinel.lab.statistics.rounds import estimates
from sentinel.settings import ConsumerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from sentinel.lab.experiments.linger.parameters import Linger
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.compare import Ratio

Values = dict[tuple[float, float], "NDArray[np.float64]"]
"""By rate and linger: CPU (µs a message), stored p50 and stored p99 (ms) as (rounds, 3); NaN where a trial failed."""


def of_linger(p: Linger, outcomes: Sequence[Outcome]) -> Record:
    """The sections of the record that are made from the trials.

    Args:
        p: The parameters.
        outcomes: All trials; invalid ones are left out of all figures.
    """
    answer = answered(p, outcomes)
    columns = {
        f"{label(ms)}, {rate:g} msg/s": [
            o for o in outcomes if (o.plan.label, o.plan.group) == (label(ms), f"{rate:g}")
        ]
        for rate in p.rates
        for ms in p.lingers
    }
    return Record(
        summary={name: {**medians(measures(trials))} for name, trials in columns.items()},
        spread={name: spreads(measures(trials)) for name, trials in columns.items()},
        answer=answer,
        verdict=[str(phrase) for phrase in phrases(answer)],
        warnings=warnings(outcomes),
    )


def answered(p: Linger, outcomes: Sequence[Outcome]) -> Answer:
    """The answer as data.

    Args:
        p: The parameters.
        outcomes: All trials.
    """
    values = by_round(p, outcomes)
    points = [_point(values, rate, ms, p.lingers[0]) for rate in p.rates for ms in p.lingers]
    there = [point for point in points if point is not None]
    return Answer(validity(outcomes), 1000 * ConsumerSettings.linger, there, knee(p, values))


def by_round(p: Linger, outcomes: Sequence[Outcome]) -> Values:
    """The measures of every valid trial.

    Args:
        p: The parameters.
        outcomes: All trials.
    """
    values = {(rate, ms): np.full((p.REPEATS, 3), np.nan) for rate in p.rates for ms in p.lingers}
    cases = {(f"{rate:g}", label(ms)): (rate, ms) for rate, ms in values}
    for o in outcomes:
        case = cases.get((o.plan.group, o.plan.label))
        if case and o.valid and o.plan.kind == LATENCY:
            read = [o.cpu_us, tails.reading(o, "stored", "p50"), tails.reading(o, "stored", "p99")]
            values[case][o.plan.repeat] = [x if x and x > 0 else np.nan for x in read]
    return values


def _point(
    values: Mapping[tuple[float, float], NDArray[np.float64]], rate: float, ms: float, first: float
) -> Point | None:
    cpu, p50, p99 = values[rate, ms].T
    if not (np.isfinite(cpu) & np.isfinite(p99)).any():
        return None
    ratio = compare.ratio_of(compare.estimated(cpu, values[rate, first][:, 0]))
    middle, p50_ms = (statistics.median(x[np.isfinite(x)].tolist()) for x in (cpu, p50))
    return Point(rate, ms, middle, ratio, p50_ms, location(p99))


def location(x: NDArray[np.float64]) -> Ratio:
    """Where the values of rounds lie, with an exact interval: their ratio to 1.

    Args:
        x: (rounds,), all positive; NaN where a trial failed.
    """
    return compare.ratio_of(estimates.compare(x, np.ones_like(x), method=estimates.PAIRED))


def knee(p: Linger, values: Mapping[tuple[float, float], NDArray[np.float64]]) -> Knee | None:
    """The linger from which waiting longer costs more latency than it saves CPU.

    Args:
        p: The parameters.
        values: As `by_round` gives them.

    Returns:
        None where a linger has no valid trial, where there are fewer than three, or where none saves CPU.
    """
    cube = np.array([[values[rate, ms] for ms in p.lingers] for rate in p.rates])[..., [0, 2]]
    whole = np.isfinite(cube).all(axis=(0, 1, 3))
    if len(p.lingers) < 3 or not whole.any():
        return None
    cube = cube[:, :, whole]
    at = _furthest(np.median(cube, axis=2))
    if at is None:
        return None
    rounds = cube.shape[2]
    without = [_furthest(np.median(np.delete(cube, n, axis=2), axis=2)) for n in range(rounds)] if rounds > 1 else []
    return Knee(p.lingers[at], without.count(at), rounds)


def _furthest(curves: NDArray[np.float64]) -> int | None:
    """Index of the linger furthest below the line between the ends, from (rates, lingers, CPU and latency)."""
    cpu, latency = curves[..., 0], curves[..., 1]
    saved, paid = cpu[:, :1] - cpu[:, -1:], latency[:, -1:] - latency[:, :1]
    if (saved <= 0).any() or (paid <= 0).any():
        return None
    distance = 1 - (cpu - cpu[:, -1:]) / saved - (latency - latency[:, :1]) / paid
    return int(distance.mean(axis=0).argmax())
