"""Whether a run can answer budgets at all: looked at before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.errors import SettingsError
from sentinel.lab.budgets.judgement import kinds
from sentinel.lab.parameters import Common, Draining, Paced, Settled, Shared
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, LIVE, MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from sentinel.lab.budgets.bound import Bound
    from sentinel.lab.registry import Experiment


def require(bounds: Sequence[Bound], experiment: Experiment, given: Mapping[str, Any], path: Path) -> None:
    """Make sure that a run measures what its budgets bound.

    Args:
        bounds: Of the file, in its order.
        experiment: What is carried out.
        given: Its parameters, as far as they are not the usual ones.
        path: The file, for the message.

    Raises:
        SettingsError: a configuration or measure is none of the run's, or there are too few rounds; the message names
            file and budget.
    """
    parameters = experiment.parameters(**given)
    if not isinstance(parameters, Shared):
        raise SettingsError(f"{path}: {experiment.name} carries out no trial that a budget could be held to")
    for number, bound in enumerate(bounds, 1):
        if fault := _fault(bound, experiment, parameters):
            raise SettingsError(f"{path}: budget {number} ({bound.measure} of {bound.of}): {fault}")


def _fault(bound: Bound, experiment: Experiment, parameters: Shared) -> str:
    """What is wrong with a budget; empty where nothing is."""
    headline = [HEADLINE] if hasattr(parameters, "HEADLINE_RATE") else []
    names = [*getattr(parameters, "legs", parameters.names), *headline]
    if unknown := [name for name in (bound.of, bound.against) if name and name not in names]:
        return f"{unknown[0]} is not measured: expected one of {', '.join(names)}"
    if bound.measure in experiment.derived:
        return ""
    if not _taken(parameters) & {*kinds(bound.measure)}:
        why = " with MEMRAY=False" if MEMORY in kinds(bound.measure) and isinstance(parameters, Draining) else ""
        return f"{experiment.name} does not measure it{why}"
    return _fault_of_headline(bound) or _fault_of_rounds(bound, parameters)


def _fault_of_headline(bound: Bound) -> str:
    if HEADLINE not in {bound.of, bound.against}:
        return ""
    if LATENCY not in kinds(bound.measure):
        return "the headline's trials only offer a load: expected throughput, lost, cpu_us or a latency"
    return "the headline has a load of its own: expected no `against`" if bound.against else ""


def _fault_of_rounds(bound: Bound, parameters: Shared) -> str:
    there = _rounds(parameters)
    if bound.rounds and there and there < bound.rounds[1]:
        return f"it asks for {bound.rounds[1]} rounds: this run has {there} (REPEATS)"
    return ""


def _taken(parameters: Shared) -> set[str]:
    """The kinds of trials that a run has."""
    draining, paced = isinstance(parameters, Draining), isinstance(parameters, Paced)
    memory = draining and bool(getattr(parameters, "MEMRAY", False))
    return {
        *([CAPACITY] if draining else []),
        *([MEMORY] if memory else []),
        *([LATENCY] if paced else [LIVE] if not isinstance(parameters, Common) else []),
    }


def _rounds(parameters: Shared) -> int:
    """Rounds of a run; 0 where that is not known beforehand."""
    if not isinstance(parameters, Common) or (isinstance(parameters, Settled) and parameters.automatic):
        return 0
    return parameters.rounds
