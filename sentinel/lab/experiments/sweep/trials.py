"""The lab of sweep.ipynb: a rising rate, until a configuration no longer meets the SLO."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.sweep import knee, summary
from sentinel.lab.experiments.sweep.climb import BISECTIONS, Ladder, climb, confirm
from sentinel.lab.experiments.sweep.knee import Step
from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.limits import measurement
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import LATENCY
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.kinds import PER_PROCESS
from sentinel.lab.trials.lab import LIMITS, Lab

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.stack import Stack


class SweepLab(Lab[Sweep]):
    """A sweep: first the climb, then its confirmation."""

    notebook = "sweep"

    def __init__(self, parameters: Sweep, run: Run, started: Stack, supervisor: Supervisor, stops: ExitStack) -> None:
        self.ladder = ladder(parameters, run.data.machine.cpu_count_logical or 1)
        self.steps: list[Step] = []
        super().__init__(parameters, run, started, supervisor, stops)

    def expected_seconds(self) -> dict[str, float]:
        """See Lab: as if every configuration climbed to the top, of which few come near."""
        each = self._climbing() + 2 * self.parameters.REPEATS
        steps = each * len(self.parameters.names) * self._seconds()
        return {LATENCY: steps, LIMITS: measurement.expected(self.parameters.REPEATS)}

    def _climbing(self) -> int:
        return len(self.ladder.rungs) + 1 + BISECTIONS

    def _seconds(self) -> float:
        (plan,) = plans.paced(self.parameters, self.parameters.names[:1], self.ladder.rungs[0], knee.CLIMB, 1)
        return self.expected(plan)

    def climb(self) -> list[Step]:
        """Carry out the climb: every configuration up the ladder until it fails, then nearer to its knee.

        Returns:
            Every trial, in the order in which they were carried out.
        """
        steps = climb(self.parameters.names, self._step, self.ladder)
        saved = self._climbing() * len(self.parameters.names) - len(steps)
        self._progress.skip(LATENCY, max(0, saved) * self._seconds())
        return steps

    def confirm(self) -> list[Step]:
        """Carry out the confirmation: repeats on both sides of every knee.

        Returns:
            The trials of the confirmation, in the order in which they were carried out.
        """
        return confirm(self.steps, self._step, self.ladder, self.parameters.REPEATS)

    def _step(self, name: str, rate: float, phase: str) -> Step:
        """Carry out one trial."""
        (plan,) = plans.paced(self.parameters, [name], rate, phase, 1)
        before = [s for s in self.steps if (s.configuration, s.rate, s.phase) == (name, rate, phase)]
        (outcome,) = self.carry_out([replace(plan, repeat=len(before))])
        folder = self.run.trial_folder(outcome.plan.number)
        self.steps.append(observed(outcome, folder, self.parameters.P99_STORED_MS))
        return self.steps[-1]

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session."""
        p = Sweep(**run.data.parameters)
        steps = [observed(outcome, run.trial_folder(outcome.plan.number), p.P99_STORED_MS) for outcome in outcomes]
        return plain(summary.of_sweep(p, steps, outcomes))


def ladder(p: Sweep, cores: int) -> Ladder:
    """The rates of a climb; they end where the load generator would need more processes than there are cores.

    Args:
        p: The sweep's parameters.
        cores: Logical cores of the machine.
    """
    return Ladder(p.START, p.FACTOR, PER_PROCESS * cores, tuple(float(rate) for rate in p.RATES.split(",") if rate))


def observed(outcome: Outcome, folder: Path, slo: float) -> Step:
    """What a paced trial showed.

    Args:
        outcome: The trial.
        folder: What its programs left.
        slo: The most that stored p99 may be, ms.
    """
    plan = outcome.plan
    reports = [report for each in series.load_folders(folder) if (report := series.ledger(each))]
    sent = sum(report["ledger"]["sent"] / report["elapsed"] for report in reports if report["elapsed"])
    why = knee.reason(outcome, sent, outcome.growth, slo)
    return Step(plan.label, plan.load.rate, plan.group, plan.number, sent, outcome.growth, why)
