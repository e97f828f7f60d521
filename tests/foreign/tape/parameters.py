"""What it can be told: also something that no other experiment has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sentinel.lab.parameters import Draining, Rule, whole

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Tape(Draining):
    """The parameters of tape.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {"TURNS": whole(1, 9)}

    TURNS: int = 2
    MEMRAY: bool = False

    @property
    def names(self) -> list[str]:
        """See Shared."""
        return ["optimised"]
