"""A session: a stack up, something done on it, the stack down, one run's record.

Every notebook holds on to one of its own: `open(parameters)` makes the run's folder and starts the stack, `close()`
stops everything and writes run.json. Whatever ends the notebook first, the stack is stopped and what was measured is
kept: an interrupt, the end of a server or a full disk end the session with a record, a page and one line that says why.
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

from sentinel.consumer.configurations import parse
from sentinel.errors import RunEndedError, SentinelError
from sentinel.lab import stack
from sentinel.lab.machine import provenance
from sentinel.lab.notebook.progress import Progress
from sentinel.lab.page import page
from sentinel.lab.parameters import Shared
from sentinel.lab.process.supervisor import Warden
from sentinel.lab.run import conclusion
from sentinel.lab.run.claim import Claim
from sentinel.lab.run.run import FAILED, FINISHED, INTERRUPTED, RUNNING, Run, new_id, project_root
from sentinel.lab.trials.supervision import Supervision, require_room
from sentinel.settings import LabSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.stack import Stack

P = TypeVar("P", bound=Shared)

INTERRUPT = 130
"""Exit code of what was interrupted, as shells have it."""
CLOSING, CLOSING_SECONDS = "closing", 3.0
"""The kind of work that every session ends with, and roughly how long it takes, for the progress bar only."""


class Session(ABC, Generic[P]):
    """A started stack, and the trials carried out on it so far."""

    notebook: ClassVar[str]
    _current: ClassVar[Session[Any] | None] = None
    """The one that this process has open: a kernel in which a notebook is run again has one already."""

    def __init__(self, parameters: P, run: Run, started: Stack, warden: Warden, stops: ExitStack) -> None:
        self.parameters = parameters
        self.run = run
        self.stack = started
        self.outcomes: list[Outcome] = []
        self._supervision = Supervision(started, run.folder)
        self._warden = warden
        self._stops = stops
        self._number = 0
        self._progress = Progress(self.expected_seconds() | {CLOSING: CLOSING_SECONDS})

    @abstractmethod
    def expected_seconds(self) -> dict[str, float]:
        """Roughly how long all work of each kind will take, for the progress bar."""

    def planned_trials(self) -> int:
        """How many trials a whole run has; 0 where that depends on what they find."""
        return 0

    @staticmethod
    @abstractmethod
    def found(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """What the trials say, for run.json: `summary`, `verdict`, `warnings` beyond the machine's, and more.

        Computed from the record alone, whole or not: `run.data` holds what `open` put there, `outcomes` are its trials.
        """

    @classmethod
    def before(cls, parameters: P) -> dict[str, Any]:
        """What is to be known of the machine before the stack is up."""
        return {}

    @classmethod
    def open(cls, parameters: P, root: Path | None = None) -> Self:
        """Make the run's folder and start the stack; a session that this process still has open is ended first.

        Raises:
            RunError: the folder cannot be written, or the disk has no room for a run.
            SettingsError, StackError, BusError, StoreError: the stack cannot be had.
        """
        if Session._current is not None:
            Session._current.end_early(INTERRUPTED, "another session was opened in its place")
        kind, _ = stack.choose(parameters.STACK)
        run = Run(LabSettings.from_env().run_id or new_id(cls.notebook), root or project_root())
        require_room(run.folder)
        run.create()
        where = provenance.provenance() | cls.before(parameters)
        run.data |= {
            "state": RUNNING,
            "notebook": cls.notebook,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "parameters": asdict(parameters),
            "configurations": {name: parse(name).axes() for name in parameters.names},
            "machine": where,
            "warnings": provenance.doubts(where),
        }
        with ExitStack() as stops:
            stops.callback(_release, Claim(run), run)
            warden = stops.enter_context(Warden())
            try:
                started = stops.enter_context(stack.start(kind, run.folder / "stack", warden))
            except BaseException as error:
                run.data["stack"] = dict.fromkeys(("label", "description"), "did not start") | {"kind": kind}
                conclusion.conclude(cls.found, run, [], *_reason(error))
                raise
            run.data["stack"] = _described(started)
            Session._current = session = cls(parameters, run, started, warden, stops.pop_all())
        run.data["planned"] = session.planned_trials()
        session.checkpoint()
        return session

    def checkpoint(self) -> None:
        """Bring the record up to date: whatever comes next, the trials so far are kept."""
        conclusion.keep(self.run, self.outcomes)
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
            ended = self.end_early(*_reason(error))
            if isinstance(error, (KeyboardInterrupt, SentinelError)) or _full(error):
                raise ended from None
            raise  # a fault of ours: its stack of calls is wanted, and what was measured is kept

    def end_early(self, state: str, why: str) -> RunEndedError:
        """Stop everything, write record and page of what there is; returns the error that says so."""
        with _uninterrupted():
            kept = conclusion.kept(self.run, len(self.outcomes), self.planned_trials())
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
        if Session._current is self:
            Session._current = None
        conclusion.conclude(self.found, self.run, self.outcomes, state, why)
        self._progress.close(f"run {self.run.id} is written")

    def _numbered(self) -> int:
        """The next trial's number; one that broke off keeps its own, and its folder."""
        self._number += 1
        return self._number - 1


def _release(claim: Claim, run: Run) -> None:
    if others := claim.release():
        run.data["warnings"].append(
            f"Another run went on in this checkout at the same time ({', '.join(others)}): they took each other's time."
        )


def _reason(error: BaseException) -> tuple[str, str]:
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


def _described(started: Stack) -> dict[str, str]:
    versions = {"bus": started.bus_version, "store": started.store_version, "write_path": started.write_path}
    words = {"label": started.label, "description": started.description, "reason": started.reason}
    return {"kind": started.kind, **words, **versions}
