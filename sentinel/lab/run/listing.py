"""Every folder under `runs/` as `sentinel runs` lists it: its state, or one word for what is wrong with its record."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sentinel.errors import RunRecordError
from sentinel.lab.report.results import key_figures
from sentinel.lab.resuming.request import command
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import RUNS, load_folder, project_root
from sentinel.lab.run.run_data import DAMAGED, FAILED, INTERRUPTED, RUNNING, RunData
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.run.run import Run

KILLED = "killed"
"""Its record says that it is running, and nobody carries it out: `sentinel report` concludes it."""
ENDED_EARLY = (INTERRUPTED, FAILED, KILLED)
"""States of runs that may be resumed."""


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
    resume: str = ""
    """The command that goes on with it, where it ended early and can be resumed."""

    def row(self) -> dict[str, str]:
        """Short texts by column of the table of `sentinel runs`: `run`, `state`, and the key figures."""
        return {"run": self.folder.name, "state": self.state, **self.figures}

    def to_dict(self) -> dict[str, Any]:
        """The entry as `sentinel runs --json` prints it.

        Returns:
            `id`, `folder`, `state`, `problem`, `resume`, and sections of the record by their keys in run.json; None
            where a value is not known.
        """
        known = self.data.to_dict() if self.data else {}
        kept = {name: known.get(name) for name in ("notebook", "created", "parameters", "summary", "answer", "verdict")}
        named = {"id": self.folder.name, "folder": str(self.folder), "state": self.state}
        return {**named, "problem": self.problem or None, "resume": self.resume or None, **kept}


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
        state = _state(run)
        again = command(run.data) if state in ENDED_EARLY else ""
        return Entry(folder, state, run.data.why, run.data, key_figures(run), again)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Entry(folder, DAMAGED, f"{folder / 'run.json'} is damaged: {type(error).__name__}: {error}")


def table(entries: Sequence[Entry]) -> str:
    """A line for each, and below them how to go on with those that ended early; as wide as a terminal.

    Args:
        entries: Any; on a narrow terminal what does not fit follows below.
    """
    rows = [entry.row() for entry in entries]
    heads = list(dict.fromkeys(name for row in rows for name in row))
    texts = [[row.get(name, "") for name in heads] for row in rows]
    width = text_table.columns(elsewhere=sys.maxsize)
    lines = text_table.table(heads, texts, left=range(len(heads)), rule=False, width=width)
    resumed = [entry.resume for entry in entries if entry.resume]
    return "\n".join([*lines, *(["", "to go on with what ended early:"] if resumed else []), *resumed])


def _state(run: Run) -> str:
    return KILLED if run.state == RUNNING and not under_way(run) else run.state


def _moment(entry: Entry) -> str:
    """When it was created, in the form that ids begin with."""
    return re.sub(r"[-:]", "", (entry.data and entry.data.created) or entry.folder.name)
