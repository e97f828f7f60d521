"""What a benchmark can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sentinel.lab.parameters import YES_OR_NO, Chosen, Draining, Paced, Rule, Settled, number
from sentinel.lab.replay.parameters import Replayed
from sentinel.lab.statistics import published

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Benchmark(Settled, Chosen, Draining, Paced, Replayed):
    """The parameters of benchmark.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {"HEADLINE_RATE": number(1, 10_000_000), "PYSPY": YES_OR_NO}

    DURATION: float = 6.0
    RATE: float = 1000.0
    HEADLINE_RATE: float = published.HIGHEST_RATE
    PYSPY: bool = True
