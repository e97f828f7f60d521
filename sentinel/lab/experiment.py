"""An experiment: a session of trials in interleaved order.

`Lab` is what a notebook that measures holds on to: each method of its own lab carries out one set of trials.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from sentinel.errors import SentinelError, TrialError
from sentinel.lab import jitter, limits, profiling
from sentinel.lab.bounds import Limit
from sentinel.lab.outcome import CAPACITY, LATENCY, MEMORY, PROFILE, Outcome, Plan
from sentinel.lab.parameters import Common
from sentinel.lab.session import Session
from sentinel.lab.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SECONDS = {LATENCY: 2.5, CAPACITY: 3.0, MEMORY: 7.0, PROFILE: 8.0}
"""Rough overhead of one trial of each kind, for the progress bar only."""

P = TypeVar("P", bound=Common)


class Lab(Session[P]):
    """A session that measures. Each notebook has a lab of its own."""

    @classmethod
    def before(cls, parameters: P) -> dict[str, Any]:
        """See Session: the machine's own jitter, while nothing else runs."""
        return {"jitter": jitter.measure(parameters.limit_seconds * parameters.REPEATS)}

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
        outcomes = list[Outcome]()
        for bare in plans:
            plan = replace(bare, number=self._numbered())
            rate = f" at {plan.load.rate:,.0f}/s" if plan.kind == LATENCY else ""
            self._progress.step(f"{plan.kind}{rate}: {plan.label}, repeat {plan.repeat + 1}", self.expected(plan))
            folder = self.run.trial_folder(plan.number)
            outcomes.append(Trial(plan, self.stack, folder, self._warden, self.run.id).run())
            if then is not None:
                then(outcomes[-1])
            self._progress.advance(self.expected(plan))
        self.outcomes += outcomes
        return outcomes


def _weigh(outcome: Outcome, capture: Path) -> None:
    outcome.memory = profiling.summary(capture)


def _noted(outcome: Outcome, do: Callable[..., object], *words: object) -> None:
    """Do it; what goes wrong makes the outcome invalid and is its problem."""
    try:
        do(*words)
    except TrialError as error:
        outcome.valid = False
        outcome.problems.append(str(error))
