"""A session: a stack up, something done on it, the stack down, one run's record.

Every notebook holds on to one of its own: `open(parameters)` makes the run's folder and starts the stack, `close()`
stops everything and writes run.json. Whatever ends the notebook first, the warden ends the stack.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from sentinel.configurations import parse
from sentinel.lab import machine, stack
from sentinel.lab.parameters import Shared
from sentinel.lab.progress import Progress
from sentinel.lab.runs import Run, new_id, project_root
from sentinel.lab.warden import Warden
from sentinel.settings import LabSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.outcome import Outcome
    from sentinel.lab.stack import Stack

P = TypeVar("P", bound=Shared)


class Session(ABC, Generic[P]):
    """A started stack, and the trials carried out on it so far."""

    notebook: ClassVar[str]

    def __init__(self, parameters: P, run: Run, started: Stack, warden: Warden, stops: ExitStack) -> None:
        self.parameters = parameters
        self.run = run
        self.stack = started
        self.outcomes: list[Outcome] = []
        self._warden = warden
        self._stops = stops
        self._number = 0
        self._progress = Progress(self.expected_seconds())

    @abstractmethod
    def expected_seconds(self) -> float:
        """Roughly how long all trials will take, for the progress bar."""

    @abstractmethod
    def found(self) -> dict[str, Any]:
        """What the trials say, for run.json: `summary`, `verdict`, `warnings` beyond the machine's, and more."""

    @classmethod
    def before(cls, parameters: P) -> dict[str, Any]:
        """What is to be known of the machine before the stack is up."""
        return {}

    @classmethod
    def open(cls, parameters: P, root: Path | None = None) -> Self:
        """Make the run's folder and start the stack.

        Raises:
            RunError: the folder cannot be written.
            SettingsError, StackError, BusError, StoreError: the stack cannot be had.
        """
        kind, _ = stack.choose(parameters.STACK)
        run = Run(LabSettings.from_env().run_id or new_id(cls.notebook), root or project_root()).create()
        where = machine.provenance() | cls.before(parameters)
        with ExitStack() as stops:
            warden = stops.enter_context(Warden())
            started = stops.enter_context(stack.start(kind, run.folder / "stack", warden))
            run.data |= {
                "notebook": cls.notebook,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "parameters": asdict(parameters),
                "configurations": {name: parse(name).axes() for name in parameters.names},
                "stack": _described(started),
                "machine": where,
                "warnings": machine.doubts(where),
            }
            return cls(parameters, run, started, warden, stops.pop_all())

    def _numbered(self) -> int:
        """The next trial's number; one that broke off keeps its own, and its folder."""
        self._number += 1
        return self._number - 1

    def close(self) -> Run:
        """Stop the stack, sum up, write the record."""
        self._stops.close()
        self.run.data["trials"] = [outcome.to_dict() for outcome in self.outcomes]
        self.run.data["order"] = [f"{o.plan.kind}/{o.plan.label}" for o in self.outcomes]
        try:
            found = self.found()
            self.run.data |= found | {"warnings": [*self.run.data["warnings"], *found.get("warnings", [])]}
        finally:  # whatever is wrong with the sum, the trials are kept
            self.run.save()
        self._progress.close(f"run {self.run.id} is written")
        return self.run


def _described(started: Stack) -> dict[str, str]:
    versions = {"bus": started.bus_version, "store": started.store_version, "write_path": started.write_path}
    words = {"label": started.label, "description": started.description, "reason": started.reason}
    return {"kind": started.kind, **words, **versions}
