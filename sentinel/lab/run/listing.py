"""Every folder under `runs/` as `sentinel runs` lists it: its state, or one word for what is wrong with its record."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.errors import RunRecordError
from sentinel.lab import registry
from sentinel.lab.index.figures import words
from sentinel.lab.report.results import key_figures
from sentinel.lab.resuming.request import command
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import PROFILES, RECORD, RUNS, load_folder, project_root
from sentinel.lab.run.run_data import DAMAGED, FAILED, INTERRUPTED, RUNNING, RunData
from sentinel.lab.statistics.reliability import validity
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.index.figures import KeyFigure
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
    measured: list[KeyFigure] = field(default_factory=list)
    """See `registry.figures`."""
    words: dict[str, str] = field(default_factory=dict)
    """See `figures.words`."""
    resume: str = ""
    """The command that goes on with it, where it ended early and can be resumed."""

    @property
    def profiles(self) -> Path:
        """Where the run's profiles are, if it has any; a copy's lie where those of the run do."""
        return self.folder.parent.parent / PROFILES / (self.data.id if self.data else self.folder.name)

    @property
    def invalid(self) -> list[int]:
        """Numbers of the trials that are invalid."""
        return validity(self.data.trials).invalid if self.data else []

    def row(self) -> dict[str, str]:
        """Short texts by column of the table of `sentinel runs`: `run`, `state`, and the key figures."""
        return {"run": self.folder.name, "state": self.state, **self.figures}

    def to_dict(self) -> dict[str, Any]:
        """The entry as `sentinel runs --json` prints it; runs/README.md has every key.

        Returns:
            The same keys for every entry: None where a value is not known, as that of a damaged record.
        """
        known = self.data.to_dict() if self.data else {}
        git = known.get("machine", {}).get("git", {})
        where = {"id": self.folder.name, "folder": str(self.folder), "state": self.state}
        kept = ("notebook", "created", "stack", "parameters", "summary", "answer", "verdict")
        return {
            **where,
            "problem": self.problem or None,
            "resume": self.resume or None,
            **{name: known.get(name) for name in kept},
            "began": known.get("created"),
            "commit": git.get("commit"),
            "dirty": git.get("dirty"),
            "figures": msgspec.to_builtins(self.measured) if self.data else None,
            "words": self.words if self.data else None,
            "trials": len(self.data.trials) if self.data else None,
            "invalid": self.invalid if self.data else None,
            "paths": self._paths(),
        }

    def _paths(self) -> dict[str, str | None]:
        files = {
            "record": self.folder / RECORD,
            "page": self.folder / "report.html",
            "notebook": self.folder / "notebook.ipynb",
            "profiles": self.profiles,
        }
        return {name: str(path) if path.exists() else None for name, path in files.items()}


def entries(root: Path | None = None) -> list[Entry]:
    """Every folder under `runs/`, oldest first; hidden folders are left out.

    Args:
        root: The checkout that holds `runs/`; `project_root()` where it is None.
    """
    folders = (path for path in ((root or project_root()) / RUNS).glob("[!.]*") if path.is_dir())
    return sorted(map(entry, folders), key=moment)


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
        texts, measured = key_figures(run), registry.figures(run)
        state = _state(run)
        again = command(run.data) if state in ENDED_EARLY else ""
        return Entry(folder, state, run.data.why, run.data, texts, measured, words(run), again)
    except RunRecordError as error:
        return Entry(folder, error.fault, str(error))
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


def moment(entry: Entry) -> str:
    """When a run was created, in the form that ids begin with; of what has no record, its folder's name."""
    return re.sub(r"[-:]", "", (entry.data and entry.data.created) or entry.folder.name)
