"""What a regression test can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.consumer import configurations
from sentinel.lab.experiments.regression.record import BASE, HEAD
from sentinel.lab.parameters import YES_OR_NO, Draining, Paced, Rule, number

if TYPE_CHECKING:
    from collections.abc import Mapping


def _ref(value: Any) -> str:
    """A name that git can take for nothing else."""
    text = str(value)
    if not text or text[0] == "-" or not text.isprintable() or " " in text:
        raise ValueError
    return text


def _configuration(value: Any) -> str:
    return configurations.parse(str(value)).name


REF = Rule(_ref, "a branch, tag or commit, or . for the working tree as it is")


@dataclass(frozen=True)
class Regression(Draining, Paced):
    """The parameters of regression.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {
        "BASE": REF,
        "HEAD": REF,
        "CONFIGURATION": Rule(
            _configuration,
            f"one of {', '.join(configurations.names())}, with axes switched where asked: optimised,decode=json.loads",
        ),
        "MARGIN": number(0.001, 10),
        "RATE": number(0, 10_000_000),
        "DUET": YES_OR_NO,
    }

    BASE: str = "main"
    HEAD: str = "."
    CONFIGURATION: str = "optimised"
    REPEATS: int = 8
    MARGIN: float = 0.05
    RATE: float = 5000.0
    DURATION: float = 1.0
    DUET: bool = False

    @property
    def names(self) -> list[str]:
        """Labels of the two sides; the last is compared with the first."""
        return [BASE, HEAD]
