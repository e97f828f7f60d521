"""Where a run was measured, as its record keeps it. Pure."""

from __future__ import annotations

from typing import TypedDict

import msgspec

from sentinel.lab.statistics import published

LATE = min(figure.high for figure in published.LATENCIES.values() if figure.high is not None)
"""ms at p99 by which a bare timer may be late before it is worth a warning: the lowest of the published p99 figures."""
SLOWED = 0.5
"""Percent of turns with a slowed processor from which it is worth a warning: half of what a p99 leaves out."""
ALONE = 3.0
"""Percent of the CPU time up to which others count as nothing: an idle machine keeps house, and ticks are coarse."""


class Git(TypedDict, total=False):
    """The commit of the code that ran; without keys where that code was in no checkout."""

    commit: str
    """Its hash."""
    dirty: bool
    """Whether files of the package differed from it."""
    changed: list[str]
    """Those files."""


class Jitter(TypedDict, total=False):
    """How steady the machine was while nothing of the lab ran."""

    late_p50: float
    """By how much a timer due every millisecond was late, at p50, ms."""
    late_p99: float
    """The same at p99, ms."""
    late_max: float
    """The same at most, ms."""
    mean: float
    """Mean time of a fixed piece of work, in multiples of its median."""
    slow: float
    """Percent of the turns of that work which took a multiple of the median."""
    slowest: float
    """The slowest turn, in multiples of the median."""
    turns: int
    """How often the work was done."""
    others: float
    """Percent of all CPUs' time that other work took meanwhile."""


class Machine(msgspec.Struct, kw_only=True):
    """Where a run was measured; what is not known is not there."""

    cpu_model: str | None = None
    """The processor, as the system names it."""
    cpu_count_logical: int | None = None
    """Logical cores."""
    cpu_count_physical: int | None = None
    """Physical cores."""
    memory_bytes: int | None = None
    """Main memory, bytes."""
    os: str | None = None
    """Operating system."""
    kernel: str | None = None
    """Its release."""
    architecture: str | None = None
    """Of the processor, such as `x86_64`."""
    python: str | None = None
    """Implementation and version of Python."""
    load_average: list[float] | None = None
    """Load averages over 1, 5 and 15 minutes when the run began, processes."""
    python_optimised: bool | None = None
    """Whether Python was compiled with profile-guided optimisation."""
    sentinel: str | None = None
    """Version of SentinelStream Lab."""
    packages: dict[str, str] = {}
    """Versions of the packages that matter on the hot path, by name."""
    git: Git | None = None
    """The commit of the code that ran."""
    jitter: Jitter | None = None
    """How steady the machine was by itself; not there in runs that do not measure it."""
