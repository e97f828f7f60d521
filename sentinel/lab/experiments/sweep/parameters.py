"""What a sweep can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.parameters import Chosen, Paced, Rule, choice, number
from sentinel.lab.replay.parameters import Replayed
from sentinel.load.schedule import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping


def _rates(value: Any) -> str:
    rates = [float(rate) for rate in str(value).split(",")] if value else []
    if any(not 1 <= rate <= 10_000_000 for rate in rates) or rates != sorted(set(rates)):
        raise ValueError
    return ",".join(f"{rate:g}" if rate < 1000 else f"{rate:.0f}" for rate in rates)


@dataclass(frozen=True)
class Sweep(Chosen, Paced, Replayed):
    """The parameters of sweep.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {
        "RATES": Rule(_rates, "rising rates in msg/s joined by commas, such as 10000,25000, or nothing"),
        "LOOP": choice(*OPEN),
        "START": number(1, 10_000_000),
        "FACTOR": number(1.05, 10),
        "P99_STORED_MS": number(0.1, 60_000),
    }

    WORKERS: int = 128
    REPEATS: int = 3
    DURATION: float = 5.0
    RATES: str = ""
    START: float = 250.0
    FACTOR: float = 2.0
    P99_STORED_MS: float = 50.0
