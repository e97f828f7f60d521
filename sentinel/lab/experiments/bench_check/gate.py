"""The performance gate, `sentinel bench-check`: a short pinned comparison, held to committed budgets.

gate.toml has the parameters and the budgets, with the reason for each. A bound is a ratio between configurations of one
run, or a count of bytes: never a speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError
from sentinel.lab import registry
from sentinel.lab.budgets import file
from sentinel.lab.budgets.judgement import kinds
from sentinel.lab.budgets.requirements import require
from sentinel.lab.experiments.bench_check.legs import AT_ONCE, LIGHT, Pinned
from sentinel.lab.parameters import Chosen, Draining, converted
from sentinel.lab.run.trial_record import CAPACITY, MEMORY

if TYPE_CHECKING:
    from typing import Any

    from sentinel.lab.budgets.bound import Bound

COMMITTED = Path(__file__).with_name("gate.toml")
PARAMETERS = "parameters"
COUNTS = ("bytes_per_message", "allocations_per_message")
"""Measures that no machine makes faster: only these may be bounded as they are, without a configuration beside."""


@dataclass(frozen=True)
class Gate:
    """What is measured, and what must come out."""

    parameters: Pinned
    bounds: list[Bound]


def load(path: Path = COMMITTED) -> Gate:
    """Read and check a gate.

    Args:
        path: A file of budgets that has a table `parameters` besides.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or not allowed; the message says where.
    """
    held = file.tables(path)
    bounds = file.bounds(held, path, PARAMETERS)
    parameters = _parameters(held.get(PARAMETERS, {}), path)
    for number, bound in enumerate(bounds, 1):
        if fault := _fault(bound):
            raise SettingsError(f"{path}: budget {number} ({bound.measure} of {bound.of}): {fault}")
    require(bounds, registry.experiment("bench-check"), vars(parameters), path)
    return Gate(parameters, bounds)


def _parameters(given: Any, path: Path) -> Pinned:
    if not isinstance(given, dict):
        raise SettingsError(f"{path}: {PARAMETERS} is {given!r}: expected a table, [{PARAMETERS}]")
    try:
        return Pinned(**converted(given, Draining.rules() | Chosen.rules()))
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def _fault(bound: Bound) -> str:
    if not {CAPACITY, MEMORY} & {*kinds(bound.measure)} and bound.of not in {LIGHT, AT_ONCE}:
        return f"bench-check measures it under the {LIGHT} only"
    if not bound.against and bound.measure not in COUNTS:
        return "by itself it is a speed of this machine: say `against` what"
    return ""
