"""The ratios of a benchmark that have to settle where REPEATS is `auto`. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.statistics import tails
from sentinel.lab.statistics.measures import column
from sentinel.lab.trials.rounds.keys import Key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.benchmark.parameters import Benchmark
    from sentinel.lab.run.trial_record import Outcome


def of_capacity(p: Benchmark) -> list[Key]:
    """What a drained stream shows: the last configuration against the first; none of a single one.

    Args:
        p: The benchmark's parameters.
    """
    return _keys(p, {"capacity": "capacity", "CPU per message": "capacity_cpu_us"})


def of_latency(p: Benchmark, outcomes: Sequence[Outcome]) -> list[Key]:
    """What the common load shows: the middle and the highest tail that all trials carry, and CPU.

    Args:
        p: The benchmark's parameters.
        outcomes: The latency trials so far.
    """
    trials = [o for name in (p.names[0], p.names[-1]) for o in column(name, outcomes) if o.valid]
    tail = tails.highest(trials, "stored")
    return _keys(p, {"stored p50": "stored_p50", f"stored {tail}": f"stored_{tail}", "CPU under load": "cpu_us"})


def _keys(p: Benchmark, measures: dict[str, str]) -> list[Key]:
    new, old = p.names[-1], p.names[0]
    return [] if new == old else [Key(title, measure, new, old) for title, measure in measures.items()]
