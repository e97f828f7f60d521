"""An experiment: a session of trials in interleaved order.

`Lab` is what a notebook that measures holds on to: each method of its own lab carries out one set of trials.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sentinel.environment import LabSettings
from sentinel.errors import SentinelError, StackError, TrialError
from sentinel.lab import formatting
from sentinel.lab.contenders import contest, entry
from sentinel.lab.limits import measurement
from sentinel.lab.limits.limit import Limit
from sentinel.lab.machine import jitter
from sentinel.lab.parameters import Common
from sentinel.lab.profiling import memory
from sentinel.lab.replay import recording
from sentinel.lab.resuming import sessions
from sentinel.lab.resuming.stored import Stored
from sentinel.lab.run.trial_record import MEMORY, Outcome, Plan
from sentinel.lab.trials import plans as planning
from sentinel.lab.trials.kinds import KINDS
from sentinel.lab.trials.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.run_data import RunData
    from sentinel.lab.trials.trial import Trial

LIMITS, PAGES = "limits", "pages"
"""Kinds of work beside trials."""
DIGESTED = 1.5
"""Rough seconds that one page or sum of a memory trial takes after the last trial, for the progress bar only."""

P = TypeVar("P", bound=Common)


class Lab(Session[P]):
    """A session that measures. Each notebook has a lab of its own."""

    def __init__(self, *begun: Any) -> None:
        super().__init__(*begun)
        data, self.contest = self.run.data, contest.Contest(self.parameters)
        self.contest.recall(data.id, data.contenders)
        data.contenders = self.contest.described
        past = data.resumption
        self._stored = Stored(data.trials, past.replaced, self.contest.refused, gaps=past.took)

    @classmethod
    def require(cls, parameters: P) -> None:
        """See Session: also its recording, and whatever its contenders need, where no runner has seen to that."""
        super().require(parameters)
        recording.of(parameters.replay)
        if not LabSettings.from_env().run_id:
            entry.require(parameters)

    @classmethod
    def described(cls, parameters: P) -> dict[str, Any]:
        """See Session: also the recording that is played, where there is one."""
        return {"recording": recording.of(parameters.replay), **super().described(parameters)}

    @classmethod
    def before(cls, parameters: P) -> dict[str, Any]:
        """See Session: the machine's own jitter, while nothing else runs."""
        return {"jitter": jitter.measure(parameters.limit_seconds * parameters.repeats)}

    @classmethod
    def resumed(cls, parameters: P, run: Run) -> RunData:
        """See Study: with whole rounds of its trials, if machine and versions are the same."""
        return sessions.taken_up(run, cls.described(parameters))

    @property
    def kept(self) -> list[Outcome]:
        """See Study."""
        return sorted([*self.outcomes, *self._stored.left], key=lambda outcome: outcome.plan.number)

    def close(self) -> Run:
        """See Study: trials of earlier sessions that were not asked for count no more."""
        self._stored.drop()
        return super().close()

    @staticmethod
    def expected(plan: Plan) -> float:
        """Roughly how long one trial takes, in seconds."""
        return KINDS[plan.kind].seconds + (plan.load.duration if plan.paced else 0.0)

    def expected_of(self, planned: Iterable[Plan]) -> dict[str, float]:
        """Roughly how long trials take, and what is made of them, in seconds by kind of work."""
        seconds = dict[str, float]()
        for plan in planned:
            seconds[plan.kind] = seconds.get(plan.kind, 0.0) + self.expected(plan)
            if plan.kind == MEMORY:
                seconds[PAGES] = seconds.get(PAGES, 0.0) + DIGESTED * (len(memory.PAGES) + 1)
        return seconds

    def limits(self) -> list[Limit]:
        """Measure what Redis alone and the store alone can do here; without an answer the run has a warning instead."""
        repeats, limits = self.parameters.repeats, list[Limit]()
        each = measurement.expected(repeats) / measurement.steps(repeats)
        with self.keeping():
            self._progress.step("limits: Redis alone, the store alone", each, kind=LIMITS)
            try:
                limits = measurement.measure(
                    self.stack,
                    f"{self.run.id}.limits.{self._first}",
                    message=planning.load_of(self.parameters),
                    seconds=self.parameters.limit_seconds,
                    repeats=repeats,
                    note=lambda _: self._progress.advance(each),
                )
            except SentinelError as error:
                self._supervision.ask()
                self.run.data.warnings.append(f"The limits could not be measured: {error}.")
        self.run.data.limits = limits
        return limits

    def weighed(self, plans: Sequence[Plan]) -> list[Outcome]:
        """Carry out memory trials; memray's pages are made beside them, since nothing here is timed."""
        pool, work = ThreadPoolExecutor(max_workers=2), list[Future[None]]()
        with self.keeping():
            try:
                outcomes = self.carry_out(plans, lambda o: work.extend(self._digest(o, pool)))
                self._await(work)
            finally:  # of an interrupted run nothing more is begun; what runs ends with the supervisor
                pool.shutdown(wait=False, cancel_futures=True)
        return outcomes

    def _await(self, work: Sequence[Future[None]]) -> None:
        """See what is still being made of memory trials to its end."""
        left = [piece for piece in work if not piece.done()]
        self._progress.skip(PAGES, DIGESTED * (len(work) - len(left)))
        self._progress.step("memory: memray's pages and sums", DIGESTED, kind=PAGES)
        for _ in as_completed(left):
            self._progress.advance(DIGESTED)
        self._progress.skip(PAGES)
        for piece in work:
            piece.result()

    def _kept_as(self, plan: Plan) -> tuple[str, Iterable[str]]:
        """What a capture is called, and the pages that are made of it."""
        return plan.label, memory.PAGES

    def _digest(self, outcome: Outcome, pool: ThreadPoolExecutor) -> list[Future[None]]:
        """memray's numbers into the outcome, the capture and its pages into `profiles/<run id>/`."""
        name, kinds = self._kept_as(outcome.plan)
        try:
            capture = memory.keep(self.run.trial_folder(outcome.plan.number), self.run.profiles, name)
        except TrialError as error:
            outcome.valid = False
            outcome.problems.append(str(error))
            return []
        given = capture, self._supervisor
        pages = [pool.submit(_noted, outcome, memory.page, kind, *given) for kind in kinds]
        return [*pages, pool.submit(_noted, outcome, _weigh, outcome, *given)]

    def carry_out(
        self, plans: Sequence[Plan], then: Callable[[Outcome], object] | None = None, note: str = ""
    ) -> list[Outcome]:
        """Carry out trials one after the other. Each is kept as soon as it ends.

        Args:
            plans: Of whole rounds, in this order; they are numbered here. What an earlier session of the run has
                carried out is not carried out again.
            then: Called with each outcome that is new.
            note: Shown beside the progress.

        Raises:
            RunEndedError: interrupted, a server of the stack has ended or does not answer, or the disk is full.
        """
        with self.keeping():
            earlier = self.recalled(plans)  # all of them at once: whatever ends what is measured then, they are kept
            return [there or self._measured(plan, then, note) for plan, there in zip(plans, earlier, strict=True)]

    def recalled(self, plans: Sequence[Plan]) -> list[Outcome | None]:
        """What stays of these trials from an earlier session of the run (see `Stored.of`); all None in a new run."""
        earlier = self._stored.of(plans)
        for outcome in filter(None, earlier):
            self._progress.skip(outcome.plan.kind, self.expected(outcome.plan))
            self.outcomes.append(outcome)
        return earlier

    def _measured(self, plan: Plan, then: Callable[[Outcome], object] | None, note: str) -> Outcome:
        """A trial that is new."""
        self._verify(plan)
        seconds, rate = self.expected(plan), f" at {plan.load.rate:,.0f}/s" if plan.paced else ""
        label = f"{plan.kind}{rate}: {plan.label}, repeat {plan.repeat + 1}"
        self._progress.step(f"{label}; {note}" if note else label, seconds, kind=plan.kind)
        outcome = self._carried_out(plan)
        if then is not None:
            then(outcome)
        self.outcomes.append(outcome)
        self.checkpoint()
        self._progress.advance(seconds)
        return outcome

    def of_this_session(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """Those of them that were carried out since the run began, or was resumed."""
        return [outcome for outcome in outcomes if outcome.plan.number >= self._first]

    def _verify(self, plan: Plan) -> None:
        """What a contender promises is tried before its first trial."""
        if self.contest.is_due(plan):
            self._progress.step(f"verify: {plan.configuration}")
            folder = self.run.folder / "verified"
            self.contest.verify(plan.configuration, self.stack, folder, self._supervisor, self._supervision.check)

    def _trial(self, plan: Plan, *given: Any, check: Callable[[], None]) -> Trial:
        """The trial of a plan; a lab of other consumers has trials of its own."""
        return self.contest.trial(plan, *given, check=check)

    def _numbered_trial(self, bare: Plan) -> Trial:
        """The next trial of the run."""
        plan = replace(bare, number=self._numbered())
        given = plan, self.stack, self.run.trial_folder(plan.number), self._supervisor, self.run.id
        return self._trial(*given, check=self._supervision.check)

    def _carried_out(self, bare: Plan) -> Outcome:
        """One trial; where it did not leave what its kind must, which happens now and then, another one."""
        kind = KINDS[bare.kind]
        for attempt in range(kind.attempts):
            self._supervision.ask()
            trial = self._numbered_trial(bare)
            outcome = trial.run()
            if attempt:
                times = formatting.counted(attempt, "time")
                outcome.warnings.append(f"{kind.program} found no way into the consumer {times} before")
            if not kind.leaves or (trial.folder / kind.leaves).exists():
                break
        return outcome


def _weigh(outcome: Outcome, capture: Path, supervisor: Supervisor) -> None:
    outcome.memory = memory.summary(capture, supervisor)


def _noted(outcome: Outcome, do: Callable[..., object], *words: object) -> None:
    """Do it; what goes wrong makes the outcome invalid and is its problem."""
    try:
        do(*words)
    except (TrialError, StackError) as error:
        outcome.valid = False
        outcome.problems.append(str(error))
