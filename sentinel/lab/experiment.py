"""An experiment: stack up, trials in interleaved order, stack down, one run's record.

`Lab` is what a notebook holds on to: `Lab.open(parameters)` starts the stack, each method carries out one set of
trials, `close()` stops everything and writes run.json. Whatever ends the notebook first, the warden ends the stack.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sentinel.configurations import BASELINE, parse
from sentinel.errors import TrialError
from sentinel.lab import machine, profiling, stack, summary
from sentinel.lab.outcome import CAPACITY, LATENCY, MEMORY, Outcome, Plan, warm_up
from sentinel.lab.progress import Progress
from sentinel.lab.runs import Run, new_id, project_root
from sentinel.lab.summary import AGAIN, HEADLINE
from sentinel.lab.trial import WARM_UP, Trial
from sentinel.lab.warden import Warden
from sentinel.settings import LabSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sentinel.lab.parameters import Benchmark
    from sentinel.lab.stack import Stack

SLOW_SHARE = {CAPACITY: 10, MEMORY: 20}
"""`baseline` gets 1/10 of the messages in capacity trials and 1/20 under memray: it would take minutes otherwise."""


HEADROOM = 0.6
"""Share of the slowest configuration's capacity up to which the common load may go."""
SECONDS = {LATENCY: 2.5, CAPACITY: 3.0, MEMORY: 7.0}
"""Rough overhead of one trial of each kind, for the progress bar only."""


def interleaved(names: Sequence[str], repeats: int) -> Iterator[tuple[int, str]]:
    """(repeat, name): A B C, C B A, A B C …, so that a drift of the machine meets all alike."""
    for repeat in range(repeats):
        yield from ((repeat, name) for name in (names if repeat % 2 == 0 else reversed(names)))


class Lab:
    """A started stack, and the trials carried out on it so far."""

    def __init__(self, parameters: Benchmark, run: Run, started: Stack, warden: Warden, stops: ExitStack) -> None:
        self.parameters = parameters
        self.run = run
        self.stack = started
        self.outcomes: list[Outcome] = []
        self._warden = warden
        self._stops = stops
        self._number = 0
        self._progress = Progress(sum(self._expected(plan) for plan in self._all_plans()))

    @classmethod
    def open(cls, parameters: Benchmark, notebook: str = "benchmark", root: Path | None = None) -> Lab:
        """Make the run's folder and start the stack.

        Raises:
            RunError: the folder cannot be written.
            SettingsError, StackError, BusError, StoreError: the stack cannot be had.
        """
        kind, _ = stack.choose(parameters.STACK)
        run = Run(LabSettings.from_env().run_id or new_id(notebook), root or project_root()).create()
        where = machine.provenance()
        with ExitStack() as stops:
            warden = stops.enter_context(Warden())
            started = stops.enter_context(stack.start(kind, run.folder / "stack", warden))
            run.data |= {
                "notebook": notebook,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "parameters": asdict(parameters),
                "configurations": {name: parse(name).axes() for name in parameters.names},
                "stack": _described(started),
                "machine": where,
                "warnings": machine.doubts(where),
            }
            return cls(parameters, run, started, warden, stops.pop_all())

    # -- plans ---------------------------------------------------------------------------------------------------

    def _all_plans(self) -> list[Plan]:
        return [*self.capacity_plans(), *self.latency_plans(), *self.headline_plans(), *self.memory_plans()]

    @staticmethod
    def _expected(plan: Plan) -> float:
        return SECONDS[plan.kind] + (plan.load.duration if plan.kind == LATENCY else 0.0)

    def _load(self, rate: float) -> LoadSettings:
        p = self.parameters
        duration = p.DURATION + WARM_UP
        return LoadSettings(p.TRANSPORT, p.CODEC, p.WORKERS, rate, duration, seed=p.SEED)

    def _plan(self, kind: str, label: str, load: LoadSettings, repeat: int, group: str) -> Plan:
        return Plan(0, kind, label, label.removesuffix(AGAIN), load, self.parameters.BATCH_SIZE, repeat, group)

    def latency_plans(self) -> list[Plan]:
        """Every configuration under the one load that all can sustain."""
        load = self._load(self.common_rate())
        order = interleaved(self.parameters.names, self.parameters.REPEATS)
        return [self._plan(LATENCY, name, load, repeat, "latency") for repeat, name in order]

    def headline_plans(self) -> list[Plan]:
        """The last configuration named, alone, at the original's rate."""
        load, name = self._load(self.parameters.HEADLINE_RATE), self.parameters.names[-1]
        return [self._plan(LATENCY, name, load, repeat, HEADLINE) for repeat in range(self.parameters.REPEATS)]

    def capacity_plans(self) -> list[Plan]:
        """Every configuration draining a full stream, the last one twice (A/A)."""
        names = [*self.parameters.names, self.parameters.names[-1] + AGAIN]
        order = interleaved(names, self.parameters.REPEATS)
        return [self._plan(CAPACITY, name, self._full(name, CAPACITY), repeat, "capacity") for repeat, name in order]

    def memory_plans(self) -> list[Plan]:
        """Every configuration once under memray, with some messages more, which warm up."""
        if not self.parameters.MEMRAY:
            return []
        # The largest captures first: their pages are made while the others run.
        loads = {name: self._full(name, MEMORY) for name in sorted(self.parameters.names, key=self._slowness)}
        return [
            self._plan(MEMORY, name, replace(load, count=load.count + warm_up(load.count)), 0, "memory")
            for name, load in loads.items()
        ]

    def _slowness(self, name: str) -> tuple[bool, int]:
        axes = parse(name).axes()
        return axes["point"] != BASELINE.point, -self._full(name, MEMORY).count

    def _full(self, name: str, kind: str) -> LoadSettings:
        """A stream's worth of messages for a configuration: fewer where each point is a request."""
        slow = parse(name.removesuffix(AGAIN)).write == BASELINE.write
        count = self.parameters.MESSAGES // (SLOW_SHARE[kind] if slow else 1)
        return replace(self._load(self.parameters.RATE), count=count)

    def common_rate(self) -> float:
        """RATE, or less where the slowest configuration could not sustain it: queues are no latencies to compare."""
        capacities = [o.throughput for o in self.outcomes if o.plan.kind == CAPACITY and o.valid]
        if not capacities or min(capacities) * HEADROOM >= self.parameters.RATE:
            return self.parameters.RATE
        return max(1.0, min(capacities) * HEADROOM // 10 * 10)

    # -- doing ---------------------------------------------------------------------------------------------------

    def latency(self) -> list[Outcome]:
        """Carry out the latency trials."""
        return self._carry_out(self.latency_plans())

    def headline(self) -> list[Outcome]:
        """Carry out the trials at the headline rate."""
        return self._carry_out(self.headline_plans())

    def capacity(self) -> list[Outcome]:
        """Carry out the capacity trials."""
        return self._carry_out(self.capacity_plans())

    def memory(self) -> list[Outcome]:
        """Carry out the memory trials; memray's pages are made beside them, since nothing here is timed."""
        with ThreadPoolExecutor(max_workers=2) as pool:
            work: list[Future[None]] = []
            outcomes = self._carry_out(self.memory_plans(), lambda o: work.extend(self._digest(o, pool)))
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

    def _carry_out(self, plans: Sequence[Plan], then: Callable[[Outcome], object] | None = None) -> list[Outcome]:
        outcomes = []
        for bare in plans:
            plan = replace(bare, number=self._number)
            self._number += 1
            rate = f" at {plan.load.rate:,.0f}/s" if plan.kind == LATENCY else ""
            self._progress.step(f"{plan.kind}{rate}: {plan.label}, repeat {plan.repeat + 1}", self._expected(plan))
            folder = self.run.trial_folder(plan.number)
            outcomes.append(Trial(plan, self.stack, folder, self._warden, self.run.id).run())
            if then is not None:
                then(outcomes[-1])
            self._progress.advance(self._expected(plan))
        self.outcomes += outcomes
        return outcomes

    def _lowered(self) -> list[str]:
        rate, asked = self.common_rate(), self.parameters.RATE
        if rate == asked:
            return []
        return [
            f"RATE={asked:,.0f} msg/s is more than the slowest configuration can sustain here:"
            f" latencies are compared at {rate:,.0f} msg/s, {100 * HEADROOM:.0f} % of its capacity.",
        ]

    def close(self) -> Run:
        """Stop the stack, sum up, write the record."""
        self._stops.close()
        self.run.data["rates"] = {"latency": self.common_rate(), HEADLINE: self.parameters.HEADLINE_RATE}
        self.run.data["warnings"] += self._lowered()
        self.run.data["trials"] = [outcome.to_dict() for outcome in self.outcomes]
        self.run.data["order"] = [f"{o.plan.kind}/{o.plan.label}" for o in self.outcomes]
        self.run.data |= summary.of_benchmark(
            self.parameters, self.outcomes, self.run.data["warnings"], self.common_rate()
        )
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
