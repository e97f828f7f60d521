"""Every folder under `runs/` as `sentinel runs` lists it: its state, or one word for what is wrong with its record."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sentinel.errors import RunRecordError
from sentinel.lab.report.results import key_figures
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import RUNS, load_folder, project_root
from sentinel.lab.run.run_data import DAMAGED, RUNNING, RunData

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run

KILLED = "killed"
"""Its record says that it is running, and nobody carries it out: `sentinel report` concludes it."""


@dataclass(frozen=True)
class Entry:
    """A folder under `runs/`."""

    folder: Path
    state: str
    """See `Run.state`, or `KILLED`, or what is wrong with the record."""
    problem: str = ""
    """What is wrong with the record, or why the run ended early, in a sentence."""
    data: RunData | None = None
    """The record; None where something is wrong with it."""
    figures: dict[str, str] = field(default_factory=dict)
    """See `results.key_figures`."""

    def row(self) -> dict[str, str]:
        """Short texts by column of the table of `sentinel runs`: `run`, `state`, and the key figures."""
        return {"run": self.folder.name, "state": self.state, **self.figures}

    def to_dict(self) -> dict[str, Any]:
        """The entry as `sentinel runs --json` prints it.

        Returns:
            `id`, `folder`, `state`, `problem`, and sections of the record by their keys in run.json; None where a value
            is not known.
        """
        known = self.data.to_dict() if self.data else {}
        kept = {name: known.get(name) for name in ("notebook", "created", "parameters", "summary", "answer", "verdict")}
        named = {"id": self.folder.name, "folder": str(self.folder), "state": self.state}
        return {**named, "problem": self.problem or None, **kept}


def entries(root: Path | None = None) -> list[Entry]:
    """Every folder under `runs/`, oldest first; hidden folders are left out.

    Args:
        root: The checkout that holds `runs/`; `project_root()` where it is None.
    """
    folders = (path for path in ((root or project_root()) / RUNS).glob("[!.]*") if path.is_dir())
    return sorted(map(entry, folders), key=_moment)


def entry(folder: Path) -> Entry:
    """One folder as the list shows it; a record that is missing or damaged is part of the entry, no error.

    Args:
        folder: A run's folder.
    """
    try:
        run = load_folder(folder)
    except RunRecordError as error:
        return Entry(folder, error.fault, str(error))
    try:
        return Entry(folder, _state(run), run.data.why, run.data, key_figures(run))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Entry(folder, DAMAGED, f"{folder / 'run.json'} is damaged: {type(error).__name__}: {error}")


def _state(run: Run) -> str:
    return KILLED if run.state == RUNNING and not under_way(run) else run.state


def _moment(entry: Entry) -> str:
    """When it was created, in the form that ids begin with."""
    return re.sub(r"[-:]", "", (entry.data and entry.data.created) or entry.folder.name)
