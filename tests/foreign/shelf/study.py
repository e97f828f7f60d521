"""A study that is no part of the lab: which runs are there? It needs no server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from IPython.display import HTML

from sentinel.lab.parameters import Parameters
from sentinel.lab.run.run import find
from sentinel.lab.trials.study import Study

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


@dataclass(frozen=True)
class Shelf(Parameters):
    """It can be told nothing."""


class Shelved(msgspec.Struct):
    """What only its record holds."""

    seen: list[str] = []
    """The ids of the runs."""


class ShelfStudy(Study[Shelf]):
    """Looks at the runs of the checkout."""

    notebook = "shelf"

    def expected_seconds(self) -> dict[str, float]:
        """See Study."""
        return {}

    def look(self) -> None:
        """Note which runs there are."""
        with self.keeping():
            self.run.data.add({"seen": [run.id for run in find(self.run.root) if run.id != self.run.id]})

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Study."""
        return {"verdict": [f"There is {len(run.sections(Shelved).seen)} run."]}


def listed(run: Run) -> HTML:
    """The runs, as a list."""
    return HTML("<ul>" + "".join(f"<li>{name}</li>" for name in run.sections(Shelved).seen) + "</ul>")
