"""Which runs are comparable: those of one notebook, on one machine, stack and load. Pure: run.json in.

The facts of a machine are coarse on purpose: what differs from one boot to the next, or follows an update, would make
a machine of its own of every run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.run.run_data import RunData

Facts = dict[str, str]
"""Texts by the names of the facts."""

LEFT_OUT = {
    "REPEATS, SETTLE, WITHIN": "more or fewer trials: another width of the same figure's interval",
    "CONFIGURATIONS": "each configuration is a series of its own",
    "MEMRAY, PYSPY": "trials of their own, which change no figure of the others",
    "UNVERIFIED": "it decides whether a contender is measured, not how",
    "SEED": "only the values in the messages, and the order of trials",
    "STACK": "what counts is the bus and the store that it led to",
}
"""Parameters that do not tell runs apart, and why."""
PASSED_OVER = {
    "commit": "it is what a series is about",
    "kernel release, Python, versions of packages": "updates, which come like commits: named where a series changes",
    "exact memory": "it differs from boot to boot, so that only its power of two counts",
    "physical cores": "virtual machines and containers report them differently",
    "load average, jitter": "how the machine was at that moment, which each run's own page tells",
}
"""Facts of the machine that do not tell runs apart, and why."""


@dataclass(frozen=True)
class Kind:
    """What comparable runs have in common."""

    notebook: str
    machine: tuple[tuple[str, str], ...]
    stack: tuple[tuple[str, str], ...]
    load: tuple[tuple[str, str], ...]

    def differences(self, other: Kind) -> list[str]:
        """What tells runs of this kind from those of another, as clauses.

        Args:
            other: Of the same notebook.
        """
        clauses = []
        for name in ("machine", "stack", "load"):
            own, its = dict(getattr(self, name)), dict(getattr(other, name))
            facts = [fact for fact in {**own, **its} if own.get(fact) != its.get(fact)]
            clauses += [f"{fact} {own.get(fact, formatting.NOTHING)}" for fact in facts]
        return clauses


def kind(data: RunData, usual: Mapping[str, object]) -> Kind:
    """What has to be equal for another run to be comparable with this one.

    Args:
        data: The run's record.
        usual: The notebook's parameters by name, for those that an older record does not have.
    """
    facts = (machine(data), stack(data), load(data, usual))
    return Kind(data.notebook, *(tuple(sorted(each.items())) for each in facts))


def machine(data: RunData) -> Facts:
    """What makes the same machine."""
    where = data.machine
    return {
        "processor": where.cpu_model or "unknown",
        "cores": f"{where.cpu_count_logical or 'unknown'} logical",
        "memory": _memory(where.memory_bytes),
        "architecture": where.architecture or "unknown",
        "system": where.os or "unknown",
    }


def _memory(size: int | None) -> str:
    """The powers of two, a half either way, that the memory lies between."""
    if not size or size < 0:
        return "unknown"
    nearest = round(math.log2(size / 2**30))
    return f"{2 ** (nearest - 0.5):.2g} to {2 ** (nearest + 0.5):.2g} GiB"


def stack(data: RunData) -> Facts:
    """Bus and store; of a run without a stack nothing."""
    if data.stack is None:
        return {}
    known = data.stack
    return {"stack": known.kind, "bus": known.bus or known.label, "store": known.store or known.label}


def load(data: RunData, usual: Mapping[str, object]) -> Facts:
    """The parameters that say what was offered."""
    ignored = {name for names in LEFT_OUT for name in names.split(", ")}
    given = {**usual, **data.parameters}
    return {name: worded(value) for name, value in sorted(given.items()) if name not in ignored}


def worded(value: object) -> str:
    """A parameter's value as text; a whole number is the same with a point and without."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.15g}" if number else str(value)


def commonest(kinds: Iterable[tuple[str, Kind]]) -> Kind | None:
    """The kind that most runs are of; of several, the one with the newest run.

    Args:
        kinds: When each run began, ISO 8601, and its kind.

    Returns:
        The kind; None without any run.
    """
    moments: dict[Kind, list[str]] = {}
    for moment, each in kinds:
        moments.setdefault(each, []).append(moment)
    return max(moments, key=lambda each: (len(moments[each]), max(moments[each])), default=None)


def originals(names: Sequence[tuple[str, str]]) -> list[bool]:
    """Which folders hold a run that no folder before them holds as well.

    Args:
        names: Of each folder its own name and the id that its record has; a folder named after its record is never
            taken for a copy.
    """
    homes = {run: folder for folder, run in reversed(names)} | {run: run for folder, run in names if folder == run}
    return [homes[run] == folder for folder, run in names]
