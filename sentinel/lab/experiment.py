"""An experiment: stack up, trials in interleaved order, stack down, one run's record.

`Lab` is what a notebook holds on to: `open(parameters)` starts the stack, each method of a notebook's own lab carries
out one set of trials, `close()` stops everything and writes run.json. Whatever ends the notebook first, the warden ends
the stack.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from sentinel.configurations import parse
from sentinel.errors import SentinelError, TrialError
from sentinel.lab import limits, machine, profiling, stack
from sentinel.lab.bounds import Limit
from sentinel.lab.outcome import CAPACITY, LATENCY, MEMORY, PROFILE, Outcome, Plan
from sentinel.lab.parameters import Common
from sentinel.lab.progress import Progress
from sentinel.lab.runs import Run, new_id, project_root
from sentinel.lab.trial import Trial
from sentinel.lab.warden import Warden
from sentinel.settings import LabSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sentinel.lab.stack import Stack

SECONDS = {LATENCY: 2.5, CAPACITY: 3.0, MEMORY: 7.0, PROFILE: 8.0}
"""Rough overhead of one trial of each kind, for the progress bar only."""

P = TypeVar("P", bound=Common)


class Lab(ABC, Generic[P]):
    """A started stack, and the trials carried out on it so far. Each notebook has a lab of its own."""

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
    def open(cls, parameters: P, root: Path | None = None) -> Self:
        """Make the run's folder and start the stack.

        Raises:
            RunError: the folder cannot be written.
            SettingsError, StackError, BusError, StoreError: the stack cannot be had.
        """
        kind, _ = stack.choose(parameters.STACK)
        run = Run(LabSettings.from_env().run_id or new_id(cls.notebook), root or project_root()).create()
        where = machine.provenance()
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

    @staticmethod
    def expected(plan: Plan) -> float:
        """Roughly how long one trial takes, in seconds."""
        return SECONDS[plan.kind] + (plan.load.duration if plan.kind == LATENCY else 0.0)

    # -- doing ---------------------------------------------------------------------------------------------------

    def limits(self) -> list[Limit]:
        """Measure what Redis alone and the store alone can do here; without an answer the run has a warning instead."""
        repeats, found = self.parameters.REPEATS, list[Limit]()
        each = limits.expected(repeats) / limits.steps(repeats)
        self._progress.step("limits: Redis alone, the store alone", each)
        try:
            found = limits.measure(
                self.stack,
                f"{self.run.id}.limits",
                codec=self.parameters.CODEC,
                seconds=self.parameters.limit_seconds,
                repeats=repeats,
                note=lambda _: self._progress.advance(each),
            )
        except SentinelError as error:
            self.run.data["warnings"].append(f"The limits could not be measured: {error}.")
        self.run.data["limits"] = [limit.to_dict() for limit in found]
        return found

    def weighed(self, plans: Sequence[Plan]) -> list[Outcome]:
        """Carry out memory trials; memray's pages are made beside them, since nothing here is timed."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            work: list[Future[None]] = []
            outcomes = self.carry_out(plans, lambda o: work.extend(self._digest(o, pool)))
        for piece in work:
            piece.result()
        return outcomes

    def _digest(self, outcome: Outcome, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """memray's numbers into the outcome, the capture and its pages into `profiles/<run id>/`."""
        folder, label = self.run.profiles, outcome.plan.label
        try:
            capture = profiling.keep(self.run.trial_folder(outcome.plan.number), folder, label)
        except TrialError as error:
            outcome.valid = False
            outcome.problems.append(str(error))
            return []
        pages = [pool.submit(_noted, outcome, profiling.page, kind, capture) for kind in profiling.PAGES]
        return [*pages, pool.submit(_noted, outcome, _weigh, outcome, capture)]

    def carry_out(self, plans: Sequence[Plan], then: Callable[[Outcome], object] | None = None) -> list[Outcome]:
        """Carry out trials one after the other; `then` is called with each outcome."""
        outcomes = []
        for bare in plans:
            plan = replace(bare, number=self._number)
            self._number += 1
            rate = f" at {plan.load.rate:,.0f}/s" if plan.kind == LATENCY else ""
            self._progress.step(f"{plan.kind}{rate}: {plan.label}, repeat {plan.repeat + 1}", self.expected(plan))
            folder = self.run.trial_folder(plan.number)
            outcomes.append(Trial(plan, self.stack, folder, self._warden, self.run.id).run())
            if then is not None:
                then(outcomes[-1])
            self._progress.advance(self.expected(plan))
        self.outcomes += outcomes
        return outcomes

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


def _weigh(outcome: Outcome, capture: Path) -> None:
    outcome.memory = profiling.summary(capture)


def _noted(outcome: Outcome, do: Callable[..., object], *words: object) -> None:
    """Do it; what goes wrong makes the outcome invalid and is its problem."""
    try:
        do(*words)
    except TrialError as error:
        outcome.valid = False
        outcome.problems.append(str(error))


def _described(started: Stack) -> dict[str, str]:
    versions = {"bus": started.bus_version, "store": started.store_version, "write_path": started.write_path}
    return {"kind": started.kind, "label": started.label, "reason": started.reason, **versions}
