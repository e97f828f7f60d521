"""The performance gate, `sentinel bench-check`: a short pinned comparison, held to committed bounds.

gate.toml has the parameters and the bounds, with the reason for each. A bound is a ratio between configurations of one
run, or a count of bytes: never a speed.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from sentinel.errors import SettingsError
from sentinel.lab import formatting
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.parameters import Chosen, Draining, converted

COMMITTED = Path(__file__).with_name("gate.toml")
MEASURES = {
    "capacity": "Capacity",
    "capacity_cpu_us": "CPU per message",
    "bytes_per_message": "Allocated bytes per message",
    "allocations_per_message": "Allocations per message",
}
"""What can be bounded, by its name in run.json's summary."""
COUNTS = ("bytes_per_message", "allocations_per_message")
"""Measures that no machine makes faster: only these may be bounded as they are, without a configuration beside."""


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one measure must be: of one configuration, divided by that of another."""

    measure: str
    """What is bounded, by its name in the summary."""
    of: str
    """The configuration that it is bounded for."""
    against: str = ""
    """The configuration to divide by; empty: the count itself is bounded."""
    at_least: float | None = None
    """The smallest value that passes, in the measure's unit or, of a quotient, in none."""
    at_most: float | None = None
    """The largest, likewise."""

    def __post_init__(self) -> None:
        if self.measure not in MEASURES:
            raise ValueError(f"{self.measure!r} is not a measure: there are {', '.join(MEASURES)}")
        if not self.against and self.measure not in COUNTS:
            raise ValueError(f"{self.measure} by itself is a speed of this machine: say `against` what")
        given = [limit for limit in (self.at_least, self.at_most) if limit is not None]
        if len(given) != 1 or not (math.isfinite(given[0]) and given[0] > 0):
            raise ValueError(f"{self.measure} of {self.of}: expected one of at_least and at_most, a number above 0")

    @property
    def head(self) -> str:
        """`Capacity, optimised ÷ baseline`."""
        return f"{MEASURES[self.measure]}, {self.of}{f' ÷ {self.against}' if self.against else ''}"

    def keeps(self, value: float) -> bool:
        """Whether a value lies within the bound, its edge included."""
        return value >= self.at_least if self.at_least is not None else value <= (self.at_most or 0)

    def __str__(self) -> str:
        return (
            f"≥ {formatting.plain(self.at_least)}"
            if self.at_least is not None
            else f"≤ {formatting.plain(self.at_most or 0)}"
        )


class _File(msgspec.Struct, forbid_unknown_fields=True):
    parameters: dict[str, Any]
    bounds: list[Bound]


@dataclass(frozen=True)
class Gate:
    """What is measured, and what must come out."""

    parameters: Benchmark
    bounds: list[Bound]


def load(path: Path = COMMITTED) -> Gate:
    """Read and check a gate.

    Args:
        path: A TOML file with the table `parameters` and an array of tables `bounds`.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or not allowed; the message says where.
    """
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        gate = Gate(Benchmark(**converted(file.parameters, Draining.rules() | Chosen.rules())), file.bounds)
    except OSError as error:
        raise SettingsError(f"no gate can be read from {path}: {error.strerror}") from error
    except (ValueError, SettingsError) as error:  # tomllib's and msgspec's errors are ValueErrors
        raise SettingsError(f"{path}: {error}") from error
    if not gate.bounds:
        raise SettingsError(f"{path} has no bounds, so nothing could break: add [[bounds]]")
    for bound in gate.bounds:
        if unknown := {bound.of, bound.against} - {*gate.parameters.names, ""}:
            there = ", ".join(gate.parameters.names)
            raise SettingsError(f"{path}: {bound.head}: {', '.join(unknown)} is not measured, only {there}")
        if bound.measure in COUNTS and not gate.parameters.MEMRAY:
            raise SettingsError(f"{path}: {bound.head} needs memray: take MEMRAY = false out")
    return gate
