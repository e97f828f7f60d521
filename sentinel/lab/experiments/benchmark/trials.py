"""The lab of benchmark.ipynb: configurations against each other, at what they can take and at one common load."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from sentinel.errors import SentinelError, TrialError
from sentinel.lab.experiments.benchmark import keys, summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.limits import measurement
from sentinel.lab.profiling import cpu as pyspy
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, PILOT, PROFILE, Outcome, Plan, TrialLength
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.lab import LIMITS
from sentinel.lab.trials.rounds import length
from sentinel.lab.trials.rounds.keys import ratios
from sentinel.lab.trials.rounds.repeating import RepeatingLab
from sentinel.settings import CLOSED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.statistics.rounds.allocation import Allocation
    from sentinel.lab.statistics.rounds.estimates import Estimate

PILOTS, PILOT_SHARE = 3, 0.15
"""Trials of a pilot, and the most of the time left for latencies that it may take."""
HEADROOM = 0.6
"""Share of the slowest configuration's capacity up to which the common load may go."""


class BenchmarkLab(RepeatingLab[Benchmark]):
    """Capacity first: it decides the common load."""

    notebook = "benchmark"
    groups = ("capacity", "latency")
    _seconds: float | None = None
    """Measured seconds of a latency trial, where a pilot found others than DURATION."""

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of(self._foreseen()) | {LIMITS: measurement.expected(self.parameters.repeats)}

    def planned_trials(self) -> int:
        """See Session."""
        return 0 if self.parameters.automatic else len(self._foreseen())

    def _foreseen(self) -> list[Plan]:
        p = self.parameters
        repeated = [*self.foreseen(plans.capacity(p)), *self.foreseen(self._latency_plans())]
        return [*repeated, *self._headline_plans(), *plans.memory(p), *self._profile_plans({})]

    def _latency_plans(self) -> list[Plan]:
        p = replace(self.parameters, DURATION=self._seconds or self.parameters.DURATION)
        return plans.paced(p, p.names, common_rate(p, self.outcomes), "latency", p.rounds)

    def _headline_plans(self) -> list[Plan]:
        p = self.parameters
        return plans.paced(p, p.names[-1:], p.HEADLINE_RATE, HEADLINE, p.repeats)

    def _profile_plans(self, rates: Mapping[str, float]) -> list[Plan]:
        p = self.parameters
        return plans.profile(p, rates, p.DURATION) if p.PYSPY else []

    def capacity(self) -> list[Outcome]:
        """Carry out the capacity trials: every configuration draining a full stream.

        The last of them is measured once more as A/A control. Two limits are measured again afterwards, since the
        machine may have been slower by then.
        """
        p = self.parameters
        outcomes = self.repeated(plans.capacity(p), partial(ratios, keys.of_capacity(p)))
        self._limit_again()
        return outcomes

    def _limit_again(self) -> None:
        data = self.run.data
        if not data.limits:
            return
        try:
            message, again = plans.load_of(self.parameters), f"{self.run.id}.limits.again.{self._first}"
            limits = measurement.again(self.stack, again, data.limits, message)
        except SentinelError as error:
            data.warnings.append(f"The limits could not be measured again after the capacities: {error}.")
        else:
            data.limits = limits

    def latency(self) -> list[Outcome]:
        """Carry out the latency trials: every configuration under the common load, which all can sustain.

        Where REPEATS is `auto` and there is time, a few trials before them show how long one should be.
        """
        p, pilot = self.parameters, self._pilot()
        began = time.monotonic()
        outcomes = self.repeated(self._latency_plans(), self._latency_ratios)
        new = self.of_this_session(outcomes)
        took = (time.monotonic() - began) / max(1, len(new))
        ours = [o for o in outcomes if o.plan.label == p.names[-1] and new]
        self.run.data.length = TrialLength(p.DURATION, self._seconds or p.DURATION, pilot, self._allocation(ours, took))
        return outcomes

    def _latency_ratios(self, outcomes: Sequence[Outcome], looks: Sequence[int]) -> dict[str, Estimate]:
        return ratios(keys.of_latency(self.parameters, outcomes), outcomes, looks)

    def _pilot(self) -> Allocation | None:
        """What a few trials of the last configuration say of their length; it is kept to from then on."""
        p, before = self.parameters, self.expected_of(self.foreseen(self._latency_plans()))
        rate = common_rate(p, self.outcomes)
        planned = plans.paced(p, [p.names[-1] + PILOT], rate, "pilot", PILOTS)
        if not p.automatic or sum(map(self.expected, planned)) > PILOT_SHARE * self.within("latency"):
            return None
        outcomes, took = self.timed(planned, note="how long should a trial be?")
        self._spent += took
        pilot = self._allocation(outcomes, took / len(planned))
        self._seconds = length.chosen(pilot, p.DURATION, rate)
        after = self.expected_of([*planned, *self.foreseen(self._latency_plans())])
        self._progress.skip(LATENCY, before[LATENCY] - after[LATENCY])
        return pilot

    def _allocation(self, outcomes: Sequence[Outcome], took: float) -> Allocation | None:
        """From trials of one configuration that took so many seconds each."""
        valid = [o for o in outcomes if o.valid]
        if not valid:
            return None
        trials = [length.slices(self.run.trial_folder(o.plan.number), o) for o in valid]
        return length.allocation(trials, took - length.seconds(valid[0]))

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
        rates = {LATENCY: rate, HEADLINE: p.HEADLINE_RATE} | _sent_in_closed_loops(p, outcomes)
        given = p, outcomes, _lowered(p, rate), rates[LATENCY]
        record = summary.of_benchmark(*given, looks=run.data.looks, machine=run.data.machine)
        return {"rates": rates, **plain(record)}


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
    if not capacities or p.LOOP == CLOSED or min(capacities) * HEADROOM >= p.RATE:
        return p.RATE
    return max(1.0, min(capacities) * HEADROOM // 10 * 10)


def _sent_in_closed_loops(p: Benchmark, outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The rates that Redis allowed, msg/s by group: the median of its trials; empty where a rate was kept."""
    sent: dict[str, list[float]] = {}
    for o in outcomes if p.LOOP == CLOSED else ():
        if o.plan.paced and o.plan.group in (LATENCY, HEADLINE) and o.valid:
            sent.setdefault(o.plan.group, []).append(o.sender["sent"] / o.plan.load.duration)
    return {group: statistics.median(rates) for group, rates in sent.items()}


def _lowered(p: Benchmark, rate: float) -> list[str]:
    if rate == p.RATE:
        return []
    return [
        f"RATE={p.RATE:,.0f} msg/s is more than the slowest configuration can sustain here:"
        f" latencies are compared at {rate:,.0f} msg/s, {100 * HEADROOM:.0f} % of its capacity.",
    ]
