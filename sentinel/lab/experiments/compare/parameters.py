"""What a comparison of two runs can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.parameters import YES_OR_NO, Parameters, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping


def _run(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError
    return value


RUN = Rule(_run, "a run: its id, its folder (also a copy of it), or a file in there")


@dataclass(frozen=True)
class Compare(Parameters):
    """The parameters of compare.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {"A": RUN, "B": RUN, "FORCE": YES_OR_NO}

    A: str = ""
    B: str = ""
    FORCE: bool = False
