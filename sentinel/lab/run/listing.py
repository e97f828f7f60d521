"""Every folder under `runs/` as `sentinel runs` lists it: its state, or one word for what is wrong with its record."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sentinel.errors import RunError
from sentinel.lab.report.results import key_figures
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import FORMAT, RUNNING, RUNS, load_folder, project_root

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run

KILLED = "killed"
"""Its record says that it is running, and nobody carries it out: `sentinel report` concludes it."""
UNFINISHED, UNREADABLE, DAMAGED, OLDER, NEWER = "unfinished", "unreadable", "damaged", "older", "newer"
"""What can be wrong with a record: there is none, it cannot be opened, it is no record, or of another version."""


@dataclass(frozen=True)
class Entry:
    """A folder under `runs/`."""

    folder: Path
    state: str
    """See `Run.state`, or `KILLED`, or what is wrong with the record."""
    problem: str = ""
    """What is wrong with the record, or why the run ended early, in a sentence."""
    data: dict[str, Any] = field(default_factory=dict)
    """The record; empty where something is wrong with it."""
    figures: dict[str, str] = field(default_factory=dict)
    """See `results.key_figures`."""

    def row(self) -> dict[str, str]:
        """Short texts by column."""
        return {"run": self.folder.name, "state": self.state, **self.figures}

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it; what is not known is null."""
        kept = {
            name: self.data.get(name) for name in ("notebook", "created", "parameters", "summary", "answer", "verdict")
        }
        named = {"id": self.folder.name, "folder": str(self.folder), "state": self.state}
        return {**named, "problem": self.problem or None, **kept}


def entries(root: Path | None = None) -> list[Entry]:
    """Every folder under `runs/`, oldest first."""
    folders = (path for path in ((root or project_root()) / RUNS).glob("[!.]*") if path.is_dir())
    return sorted(map(entry, folders), key=_moment)


def entry(folder: Path) -> Entry:
    """What there is to say of a folder; nothing that its record holds is an error."""
    try:
        run = load_folder(folder)
    except RunError as error:
        return Entry(folder, _fault(folder), str(error))
    try:
        return Entry(folder, _state(run), str(run.data.get("why", "")), run.data, key_figures(run))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return Entry(folder, DAMAGED, f"{folder / 'run.json'} is damaged: {type(error).__name__}: {error}")


def _state(run: Run) -> str:
    return KILLED if run.state == RUNNING and not under_way(run) else run.state


def _fault(folder: Path) -> str:
    """One word for why a record cannot be read."""
    try:
        data = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return UNFINISHED
    except OSError:
        return UNREADABLE
    except (ValueError, RecursionError):
        return DAMAGED
    if not isinstance(data, dict):
        return DAMAGED
    known = data.get("format")
    return NEWER if isinstance(known, int) and known > FORMAT else OLDER


def _moment(entry: Entry) -> str:
    """When it was created, in the form that ids begin with."""
    return re.sub(r"[-:]", "", str(entry.data.get("created") or entry.folder.name))
