"""Two made-up runs that can be held against each other: saved in folders of their own, alike unless told otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from support.profiles import with_profiles
from support.synthetic import made, summed

from sentinel.lab.experiments.compare.parameters import Compare
from sentinel.lab.experiments.compare.study import CompareStudy
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.run.run import Run

NAMES = ("baseline", "optimised")


def run(
    root: Path, name: str, *, slower: float = 1.0, repeats: int = 4, names: Sequence[str] = NAMES, **sections: Any
) -> Run:
    """A saved benchmark with CPU profiles and memory trials.

    Args:
        root: Holds its folder.
        name: End of its id.
        slower: The factor by which every trial under the clock is slower than in a run without, and the first place
            allocates more.
        repeats: Rounds.
        names: The configurations.
        sections: Of the record, in place of its own.
    """
    whole = with_profiles(made(root / name, names, repeats=repeats), names)
    trials = [_slowed(o, slower) for o in whole.data.trials]
    whole = summed(whole, trials, names)
    whole.data.id = f"20260101T000000Z-benchmark-{name}"
    for key, value in sections.items():
        setattr(whole.data, key, value)
    whole.save()
    return whole


def _slowed(outcome: Outcome, factor: float) -> Outcome:
    if outcome.memory:
        places = outcome.memory["locations"]
        places = places | {place: factor * size for place, size in [*places.items()][:1]}
        return msgspec.structs.replace(outcome, memory=outcome.memory | {"locations": places})
    if outcome.plan.kind not in {CAPACITY, LATENCY}:
        return outcome
    cost = (outcome.cpu_us or 0.0) * factor
    if outcome.plan.kind == CAPACITY:
        return msgspec.structs.replace(outcome, cpu_us=cost, throughput=outcome.throughput / factor)
    return msgspec.structs.replace(outcome, cpu_us=cost)


def parameters(run: Run, **changes: Any) -> dict[str, Any]:
    """A run's parameters, some of them changed."""
    return run.data.parameters | changes


def compared(root: Path, a: Run, b: Run, *, force: bool = False) -> Run:
    """The comparison of two runs, closed, in a folder of its own."""
    study = CompareStudy.open(Compare(str(a.folder), str(b.folder), force), root)
    study.look()
    return study.close()
