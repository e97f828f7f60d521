"""A session: a study with a stack up while it goes on.

Every notebook that measures or watches holds on to one of its own: `open(parameters)` also starts the stack, and
whatever ends the session stops it: also the end of one of its servers.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Self, TypeVar

from msgspec import structs

from sentinel.lab import stack
from sentinel.lab.contenders import catalog
from sentinel.lab.machine import provenance
from sentinel.lab.parameters import Shared
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.resuming import sameness
from sentinel.lab.run import conclusion
from sentinel.lab.run.run_data import StackData
from sentinel.lab.trials.study import Study, reason
from sentinel.lab.trials.supervision import Supervision

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from sentinel.lab.run.run import Run
    from sentinel.lab.stack import Stack

P = TypeVar("P", bound=Shared)


class Session(Study[P]):
    """A started stack, and the trials carried out on it so far.

    Args:
        parameters: The notebook's.
        run: Receives what is measured.
        started: The stack.
        supervisor: Starts the processes of trials.
        stops: Ends all that was begun for it.
    """

    def __init__(self, parameters: P, run: Run, started: Stack, supervisor: Supervisor, stops: ExitStack) -> None:
        self.stack = started
        self._supervision = Supervision(started, run.folder)
        self._supervisor = supervisor
        self._number = self._first = run.next_trial()
        super().__init__(parameters, run, stops)

    @classmethod
    def before(cls, parameters: P) -> dict[str, Any]:
        """What is to be known of the machine before the stack is up."""
        return {}

    @classmethod
    def require(cls, parameters: P) -> None:
        """See Study: there is a stack of the kind asked for."""
        stack.choose(parameters.STACK)

    @classmethod
    def described(cls, parameters: P) -> dict[str, Any]:
        """See Study."""
        where = provenance.provenance() | cls.before(parameters)
        return {
            "configurations": cls.configurations(parameters),
            "machine": where,
            "warnings": provenance.reliability_warnings(where),
        }

    @classmethod
    def configurations(cls, parameters: P) -> dict[str, dict[str, str]]:
        """What is compared, by label: the choice on each axis."""
        return {name: catalog.axes(name) for name in parameters.names}

    @classmethod
    def begun(cls, parameters: P, run: Run, stops: ExitStack) -> Self:
        """See Study: the stack is up."""
        earlier = run.data.stack  # of a run that is resumed
        kind = earlier.kind if earlier else stack.choose(parameters.STACK)[0]
        supervisor = stops.enter_context(Supervisor())
        try:
            started = stops.enter_context(stack.start(kind, _emptied(run), supervisor))
        except BaseException as error:
            if earlier is None:
                run.data.stack = StackData(kind=kind, label="did not start", description="did not start")
                conclusion.conclude(cls.summarise, run, [], *reason(error))
            raise
        run.data.stack = _same(run, earlier, _described(started)) if earlier else _described(started)
        return cls(parameters, run, started, supervisor, stops.pop_all())

    def _numbered(self) -> int:
        """The next trial's number; one that broke off keeps its own, and its folder."""
        self._number += 1
        return self._number - 1


def _emptied(run: Run) -> Path:
    """The folder of this session's stack; what a killed session's servers left in theirs is removed."""
    folder, session = run.folder / "stack", len(run.data.resumption.interruptions)
    for data in list(folder.rglob("*-data")):
        shutil.rmtree(data, ignore_errors=True)
    return folder / f"resumed-{session}" if session else folder


def _same(run: Run, earlier: StackData, now: StackData) -> StackData:
    """The stack of the session before, which that of now is equal to.

    Raises:
        RunError: it is not.
    """
    before, after = (sameness.chosen(structs.asdict(data), sameness.STACK) for data in (earlier, now))
    sameness.require(run.id, {"stack": before}, {"stack": after})
    return earlier


def _described(started: Stack) -> StackData:
    return StackData(
        kind=started.kind,
        label=started.label,
        description=started.description,
        reason=started.reason,
        bus=started.bus_version,
        store=started.store_version,
        write_path=started.write_path,
    )
