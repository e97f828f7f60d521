"""What a history can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.parameters import Parameters, Rule

if TYPE_CHECKING:
    from collections.abc import Mapping


def _name(value: Any) -> str:
    """A name that can be a folder's, or a part of it."""
    if not isinstance(value, str) or not value.isprintable() or "/" in value:
        raise ValueError
    return value


def _named(value: Any) -> str:
    if not (text := _name(value)):
        raise ValueError
    return text


@dataclass(frozen=True)
class History(Parameters):
    """The parameters of history.ipynb."""

    OWN: ClassVar[Mapping[str, Rule]] = {
        "NOTEBOOK": Rule(_named, "the name of a notebook that has runs, such as benchmark"),
        "LIKE": Rule(_name, "the id of a run, as `sentinel runs` lists it; empty: the runs that most others are like"),
    }

    NOTEBOOK: str = "benchmark"
    LIKE: str = ""
