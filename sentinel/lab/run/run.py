"""Runs: the self-describing record of an experiment, in `runs/<UTC time>-<notebook>-<4 hex>/`.

`run.json` holds parameters, configurations, stack, machine, every trial with its ledger, summary, verdict and warnings
(see `run_data` and docs/run.schema.json);
`trials/<n>/` the raw series and histograms; beside them `notebook.ipynb` and `report.html`. While a run goes on its
record is brought up to date after every trial, so that whatever ends it loses none; once it has ended, nothing is
edited, unless it ended early and is resumed: everything in a report can be recomputed from its folder.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from sentinel.errors import RunError, RunRecordError
from sentinel.lab.run.run_data import DAMAGED, RunData, mismatch

if TYPE_CHECKING:
    from sentinel.model.histogram import Recorder

RUNS, PROFILES = Path("runs"), Path("profiles")
RECORD = "run.json"

S = TypeVar("S", bound=msgspec.Struct)


def notebook_folder() -> Path:
    """The folder of the notebook that this process executes, or the current folder.

    A kernel starts beside its notebook, except in VS Code: there it may start anywhere, and is mismatch the notebook's
    path.
    """
    mismatch = Path(vars(sys.modules["__main__"]).get("__vsc_ipynb_file__", ""))
    return mismatch.parent if mismatch.is_absolute() and mismatch.parent.is_dir() else Path.cwd()


def project_root() -> Path:
    """The nearest folder that holds `notebooks/`, at or above that of the notebook, else of the current one."""
    places = (notebook_folder(), Path.cwd())
    above = (folder for place in places for folder in (place, *place.parents))
    return next((folder for folder in above if (folder / "notebooks").is_dir()), Path.cwd())


def new_id(notebook: str) -> str:
    """A new run id: UTC time to the second, the notebook's name, four random hex digits.

    Args:
        notebook: The name of the notebook, without its extension.
    """
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{notebook}-{secrets.token_hex(2)}"


@dataclass
class Run:
    """One run's folder, and in `data` what its run.json holds."""

    id: str
    root: Path = field(default_factory=project_root)
    data: RunData = field(default_factory=lambda: RunData(id="", notebook=""))
    elsewhere: Path | None = None
    """The run's folder where that is not `runs/<id>` under `root`: a copy of it."""
    histograms: dict[int, dict[str, Recorder]] = field(default_factory=dict, repr=False, compare=False)
    """What `queries.histograms` has read, by trial and kind, ns: several sections draw it."""
    figures: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    """The numbers of each figure that was drawn, as CSV by the figure's name: its page keeps them in `figures/`."""

    @property
    def folder(self) -> Path:
        """`runs/<id>`, or where the run was copied to."""
        return self.elsewhere or self.root / RUNS / self.id

    @property
    def state(self) -> str:
        """`RUNNING` (also of a run whose process was killed), `FINISHED`, `INTERRUPTED` or `FAILED`."""
        return self.data.state

    @property
    def profiles(self) -> Path:
        """`profiles/<id>`."""
        return self.root / PROFILES / self.id

    @property
    def report(self) -> Path:
        """The shareable page."""
        return self.folder / "report.html"

    @property
    def notebook(self) -> Path:
        """The executed notebook."""
        return self.folder / "notebook.ipynb"

    def create(self) -> Run:
        """Make the folder.

        Returns:
            The run itself.

        Raises:
            RunError: the folder cannot be written, or holds a record already.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot write to {self.folder}: {error.strerror} (start from the repository's root, in a checkout"
                " that you may write to)"
            ) from error
        if (self.folder / RECORD).exists():
            raise RunError(f"{self.folder} holds a run already: records are written once")
        return self

    def save(self) -> None:
        """Write run.json, whole or not at all.

        Raises:
            RunError: it cannot be written; what was there stays as it was.
        """
        self.data.id = self.data.id or self.id
        part = self.folder / f"{RECORD}.part"
        text = json.dumps(self.data.to_dict(), indent=1, allow_nan=False) + "\n"
        try:
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())  # before its name: or a machine that is switched off leaves an empty record
            part.rename(self.folder / RECORD)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise RunError(f"cannot write the record to {self.folder}: {error.strerror}") from error

    def sections(self, kind: type[S]) -> S:
        """Sections of the record, those of its experiment among them, as typed data.

        Args:
            kind: A struct whose fields are keys of run.json; keys that the record lacks take the field's default.

        Raises:
            RunRecordError: a value has the wrong type, or a key without a default is missing; the message names the
                file and the key.
        """
        try:
            return msgspec.convert(self.data.only(kind.__struct_encode_fields__), kind)
        except msgspec.ValidationError as error:
            raise RunRecordError(f"{self.folder / RECORD} is damaged: {mismatch(error)}", DAMAGED) from error

    def next_trial(self) -> int:
        """The first number that neither a trial nor one that broke off has."""
        return max((int(path.name) for path in (self.folder / "trials").glob("[0-9]*")), default=-1) + 1

    def trial_folder(self, number: int) -> Path:
        """The folder of one trial: `runs/<id>/trials/<n>`.

        Args:
            number: `Plan.number`, from 0.
        """
        return self.folder / "trials" / str(number)


def load(run_id: str, root: Path | None = None) -> Run:
    """The saved run of that id.

    Args:
        run_id: The name of its folder under `runs/`.
        root: The checkout that holds `runs/`; `project_root()` where it is None.

    Raises:
        RunRecordError: there is no such run, or its record cannot be read.
    """
    run = Run(run_id, root or project_root())
    run.data = RunData.read(run.folder / RECORD)
    return run


def load_folder(folder: Path) -> Run:
    """The run whose record lies in a folder, also in a copy outside of `runs/`.

    Args:
        folder: The folder of run.json, absolute or relative to the current one.

    Raises:
        RunRecordError: there is no record, or it cannot be read.
    """
    folder = folder.absolute()
    if folder.parent.name == str(RUNS):
        return load(folder.name, folder.parent.parent)
    data = RunData.read(folder / RECORD)
    return Run(data.id, folder.parent, data, elsewhere=folder)


def find(root: Path | None = None) -> list[Run]:
    """All saved runs, oldest first; folders without a readable record are left out.

    Args:
        root: The checkout that holds `runs/`; `project_root()` where it is None.
    """
    collected = []
    for path in sorted(((root or project_root()) / RUNS).glob(f"*/{RECORD}")):
        try:
            collected.append(load(path.parent.name, root))
        except RunError:
            continue
    return sorted(collected, key=lambda run: run.data.created)
