"""What a run about linger can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.experiments.linger.record import label
from sentinel.lab.parameters import Paced, Rule, choice
from sentinel.load.schedule import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def rising(least: float, most: float, fewest: int) -> Callable[[Any], str]:
    """Reads rising numbers joined by commas.

    Args:
        least: The smallest that is allowed.
        most: The largest.
        fewest: How many there are at least.
    """

    def read(value: Any) -> str:
        numbers = [float(word) for word in str(value).split(",")]
        if any(not least <= x <= most for x in numbers) or numbers != sorted(set(numbers)) or len(numbers) < fewest:
            raise ValueError
        return ",".join(f"{x:.10g}" for x in numbers)

    return read


@dataclass(frozen=True)
class Linger(Paced):
    """The parameters of linger.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {
        "LOOP": choice(*OPEN),
        "LINGERS": Rule(rising(0, 1000, 2), "two or more rising times in ms joined by commas, such as 0,2,5,10,20"),
        "RATES": Rule(rising(1, 10_000_000, 1), "rising rates in msg/s joined by commas, such as 1000,25000"),
    }

    LINGERS: str = "0,2,3,5,7,10,20"
    RATES: str = "1000,5000,25000"
    REPEATS: int = 6
    DURATION: float = 2.0
    TRANSPORT: str = "pubsub"

    @property
    def lingers(self) -> list[float]:
        """Times that reads linger, ms, rising."""
        return [float(word) for word in self.LINGERS.split(",")]

    @property
    def rates(self) -> list[float]:
        """Loads, msg/s, rising."""
        return [float(word) for word in self.RATES.split(",")]

    @property
    def names(self) -> list[str]:
        """Labels of what takes turns, one a linger."""
        return [label(ms) for ms in self.lingers]
