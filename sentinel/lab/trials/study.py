"""A study: something found out and kept as a run, whatever ends it.

`open(parameters)` makes the run's folder, `close()` writes run.json. Whatever ends the notebook first, what there is is
kept: an interrupt or a full disk end the study with a record, a page and one line that says why. A study needs no
servers; `session.Session` is one that has a stack of its own.
"""

from __future__ import annotations

import errno
import signal
import threading
from abc import ABC, abstractmethod
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from sentinel.environment import LabSettings
from sentinel.errors import RunEndedError, RunError, SentinelError
from sentinel.lab import registry
from sentinel.lab.index.refresh import refresh
from sentinel.lab.machine import provenance
from sentinel.lab.notebook.progress import Progress
from sentinel.lab.notebook.variables import check
from sentinel.lab.page import page
from sentinel.lab.parameters import Parameters
from sentinel.lab.run import conclusion
from sentinel.lab.run.claim import Claim
from sentinel.lab.run.run import Run, new_id, project_root
from sentinel.lab.run.run_data import FAILED, FINISHED, INTERRUPTED, RUNNING, RunData
from sentinel.lab.trials.supervision import require_room

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome

Q = TypeVar("Q", bound=Parameters)

INTERRUPT = 130
"""Exit code of what was interrupted, as shells have it."""
CLOSING, CLOSING_SECONDS = "closing", 3.0
"""The kind of work that every study ends with, and roughly how long it takes, for the progress bar only."""


class Study(ABC, Generic[Q]):
    """A run under way.

    Args:
        parameters: The notebook's.
        run: Receives what comes of it.
        stops: Ends all that was begun for it.
    """

    notebook: ClassVar[str]
    """The experiment's name: of its notebook, and in the ids of its runs."""
    _current: ClassVar[Study[Any] | None] = None
    """The one that this process has open: a kernel in which a notebook is run again has one already."""

    def __init__(self, parameters: Q, run: Run, stops: ExitStack) -> None:
        self.parameters = parameters
        self.run = run
        self.outcomes: list[Outcome] = []
        self._stops = stops
        self._progress = Progress(self.expected_seconds() | {CLOSING: CLOSING_SECONDS})

    @abstractmethod
    def expected_seconds(self) -> dict[str, float]:
        """Roughly how long all work of each kind will take, for the progress bar."""

    def planned_trials(self) -> int:
        """How many trials a whole run has; 0 where that depends on what they find."""
        return 0

    @staticmethod
    @abstractmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """What was found, for run.json: `summary`, `verdict`, `warnings` beyond the machine's, and more.

        Args:
            run: Its `data` holds what `open` put there. The run may have ended early.
            outcomes: Its trials.
        """

    @classmethod
    def require(cls, parameters: Q) -> None:
        """Make sure, before anything is made, that it can be carried out."""

    @classmethod
    def described(cls, parameters: Q) -> dict[str, Any]:
        """What the record begins with, besides name, time and parameters."""
        return {"machine": provenance.provenance(), "warnings": []}

    @classmethod
    def new(cls, parameters: Q, run: Run) -> RunData:
        """The record that a new run begins with."""
        created = datetime.now(UTC).isoformat(timespec="seconds")
        data = RunData(id=run.id, state=RUNNING, notebook=cls.notebook, created=created, parameters=asdict(parameters))
        data.add(cls.described(parameters))
        return data

    @classmethod
    def resumed(cls, parameters: Q, run: Run) -> RunData:
        """The record that a run goes on with which ended before its time.

        Raises:
            RunError: such runs do not go on, or not here and now.
        """
        raise RunError(f"run {run.id} cannot be resumed: runs of {cls.notebook} are not, so start it anew")

    @classmethod
    def begun(cls, parameters: Q, run: Run, stops: ExitStack) -> Self:
        """The study, with all that it needs.

        Args:
            parameters: What it was told.
            run: Its record.
            stops: Takes what ends with it.
        """
        return cls(parameters, run, stops.pop_all())

    @classmethod
    def from_notebook(cls, variables: Mapping[str, Any]) -> Self:
        """Opened with the parameters among a notebook's `globals()`.

        Raises:
            SettingsError: an unknown parameter, or a value that is not allowed; otherwise see `open`.
        """
        told: Any = check(variables, registry.experiment(cls.notebook).parameters)
        return cls.open(told)

    @classmethod
    def open(cls, parameters: Q, root: Path | None = None) -> Self:
        """Make the run's folder and begin; a study that this process still has open is ended first.

        Raises:
            RunError: the folder cannot be written, the disk has no room for a run, or the run that is to be resumed
                cannot go on.
            SettingsError, StackError, BusError, StoreError: of a session, the stack cannot be had.
        """
        if Study._current is not None:
            Study._current.end_early(INTERRUPTED, "another session was opened in its place")
        cls.require(parameters)
        told = LabSettings.from_env()
        run = Run(told.run_id or new_id(cls.notebook), root or project_root())
        require_room(run.folder)
        run.data = cls.resumed(parameters, run) if told.resumes else cls.new(parameters, run.create())
        with ExitStack() as stops:
            stops.callback(_release, Claim(run), run)
            Study._current = session = cls.begun(parameters, run, stops)
        run.data.planned = session.planned_trials()
        session.checkpoint()
        return session

    @property
    def kept(self) -> list[Outcome]:
        """All trials that the record has: those so far, and in a resumed run those that were not asked for yet."""
        return self.outcomes

    def checkpoint(self) -> None:
        """Bring the record up to date: whatever comes next, the trials so far are kept."""
        conclusion.keep(self.run, self.kept)
        self.run.save()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Whatever ends the block before its time also ends the session, and what was measured is kept.

        Raises:
            RunEndedError: interrupted, a server of the stack has ended, or the disk is full.
        """
        try:
            yield
        except BaseException as error:
            if self._closed:
                raise
            ended = self.end_early(*reason(error))
            if isinstance(error, (KeyboardInterrupt, SentinelError)) or _full(error):
                raise ended from None
            raise  # a fault of ours: its stack of calls is wanted, and what was measured is kept

    def end_early(self, state: str, why: str) -> RunEndedError:
        """Stop everything, write record and page of what there is; returns the error that says so."""
        with _uninterrupted():
            kept = conclusion.kept(self.run, len(self.kept), self.planned_trials())
            try:
                self._end(state, why)
                page.write(self.run)
            except (SentinelError, OSError) as error:
                kept += f"; {error}"
        return RunEndedError(f"{why}; {kept}", INTERRUPT if state == INTERRUPTED else 1)

    def close(self) -> Run:
        """Stop the stack, sum up, write the record; again does nothing."""
        with _uninterrupted():
            self._end(FINISHED)
        return self.run

    @property
    def _closed(self) -> bool:
        return self.run.state != RUNNING

    def _end(self, state: str, why: str = "") -> None:
        if self._closed:
            return
        self._progress.step("stopping the stack, summing up", CLOSING_SECONDS, kind=CLOSING)
        self._stops.close()
        if Study._current is self:
            Study._current = None
        try:
            conclusion.conclude(self.summarise, self.run, self.kept, state, why)
        finally:
            refresh(self.run.root)
        self._progress.close(f"run {self.run.id} is written")


def _release(claim: Claim, run: Run) -> None:
    if others := claim.release():
        run.data.warnings.append(
            f"Another run went on in this checkout at the same time ({', '.join(others)}): they took each other's time."
        )


def reason(error: BaseException) -> tuple[str, str]:
    """State and reason of a run that this ended."""
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        return INTERRUPTED, "interrupted"
    if _full(error):
        return FAILED, "the disk is full"
    return FAILED, str(error) if isinstance(error, SentinelError) else f"{type(error).__name__}: {error}"


def _full(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Interrupts do nothing meanwhile: what is being written is what an interrupt would lose."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
