"""The lab of benchmark.ipynb: configurations against each other, at what they can take and at one common load."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from sentinel.errors import SentinelError, TrialError
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.limits import measurement
from sentinel.lab.profiling import cpu as pyspy
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, PROFILE, Outcome, Plan
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.lab import LIMITS, Lab

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.run import Run

HEADROOM = 0.6
"""Share of the slowest configuration's capacity up to which the common load may go."""


class BenchmarkLab(Lab[Benchmark]):
    """Capacity first: it decides the common load."""

    notebook = "benchmark"

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        p = self.parameters
        everything = [*plans.capacity(p), *self._latency_plans(), *self._headline_plans(), *plans.memory(p)]
        everything += self._profile_plans({})
        return self.expected_of(everything) | {LIMITS: measurement.expected(p.REPEATS)}

    def planned_trials(self) -> int:
        """See Session."""
        p = self.parameters
        everything = [*plans.capacity(p), *self._latency_plans(), *self._headline_plans(), *plans.memory(p)]
        return len([*everything, *self._profile_plans({})])

    def _latency_plans(self) -> list[Plan]:
        p = self.parameters
        return plans.paced(p, p.names, common_rate(p, self.outcomes), "latency", p.REPEATS)

    def _headline_plans(self) -> list[Plan]:
        p = self.parameters
        return plans.paced(p, p.names[-1:], p.HEADLINE_RATE, HEADLINE, p.REPEATS)

    def _profile_plans(self, rates: Mapping[str, float]) -> list[Plan]:
        p = self.parameters
        return plans.profile(p, rates, p.DURATION) if p.PYSPY else []

    def capacity(self) -> list[Outcome]:
        """Carry out the capacity trials: every configuration draining a full stream.

        The last of them is measured once more as A/A control. Two limits are measured again afterwards, since the
        machine may have been slower by then.
        """
        outcomes = self.carry_out(plans.capacity(self.parameters))
        self._limit_again()
        return outcomes

    def _limit_again(self) -> None:
        data = self.run.data
        if not data.limits:
            return
        try:
            limits = measurement.again(self.stack, f"{self.run.id}.limits.again", data.limits, self.parameters.CODEC)
        except SentinelError as error:
            data.warnings.append(f"The limits could not be measured again after the capacities: {error}.")
        else:
            data.limits = limits

    def latency(self) -> list[Outcome]:
        """Carry out the latency trials: every configuration under the common load, which all can sustain."""
        return self.carry_out(self._latency_plans())

    def headline(self) -> list[Outcome]:
        """Carry out the headline's trials: the last configuration alone, at HEADLINE_RATE."""
        return self.carry_out(self._headline_plans())

    def cpu(self) -> list[Outcome]:
        """Carry out the profile trials: every configuration once under py-spy.

        Returns:
            The trials; none where py-spy cannot run, and the record then says why.
        """
        planned = self._profile_plans(self._capacities())
        if planned and (why := pyspy.obstacle()):
            self._progress.skip(PROFILE)
            self.run.data.unprofiled = why
            self.run.data.warnings.append(f"No CPU profile was taken: {why}.")
            return []
        return self.carry_out(planned, self._keep_stacks)

    def _capacities(self) -> dict[str, float]:
        rates: dict[str, list[float]] = {}
        for outcome in self.outcomes:
            if outcome.plan.kind == CAPACITY and outcome.valid:
                rates.setdefault(outcome.plan.label, []).append(outcome.throughput)
        return {name: statistics.median(values) for name, values in rates.items()}

    def _keep_stacks(self, outcome: Outcome) -> None:
        """What was sampled into the outcome, stacks and flame graph into `profiles/<run id>/`."""
        folder, label = self.run.trial_folder(outcome.plan.number), outcome.plan.label
        try:
            outcome.profile = pyspy.keep(folder, self.run.profiles, label)
        except TrialError as error:
            outcome.warnings.append(f"no CPU profile: {error}")

    def memory(self) -> list[Outcome]:
        """Carry out the memory trials: every configuration once under memray."""
        return self.weighed(plans.memory(self.parameters))

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session."""
        p = Benchmark(**run.data.parameters)
        rate = common_rate(p, outcomes)
        record = summary.of_benchmark(p, outcomes, _lowered(p, rate), rate, machine=run.data.machine)
        return {"rates": {"latency": rate, HEADLINE: p.HEADLINE_RATE}, **plain(record)}


def common_rate(p: Benchmark, outcomes: Sequence[Outcome]) -> float:
    """The rate of the common load: RATE, or less where the slowest configuration could not sustain it.

    A queue that grows has no latency to compare.

    Args:
        p: The benchmark's parameters.
        outcomes: Trials so far, with the capacities.

    Returns:
        msg/s; RATE where no capacity is known.
    """
    capacities = [o.throughput for o in outcomes if o.plan.kind == CAPACITY and o.valid]
    if not capacities or min(capacities) * HEADROOM >= p.RATE:
        return p.RATE
    return max(1.0, min(capacities) * HEADROOM // 10 * 10)


def _lowered(p: Benchmark, rate: float) -> list[str]:
    if rate == p.RATE:
        return []
    return [
        f"RATE={p.RATE:,.0f} msg/s is more than the slowest configuration can sustain here:"
        f" latencies are compared at {rate:,.0f} msg/s, {100 * HEADROOM:.0f} % of its capacity.",
    ]
