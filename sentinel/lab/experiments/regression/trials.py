"""The lab of regression.ipynb: one configuration of two versions of the consumer, by rounds.

A round measures base, base again (the A/A control) and head, in an order that alternates. Only the consumer differs:
load generator, bus, store and all that measures are those of the lab that runs.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from sentinel.lab.contenders import catalog
from sentinel.lab.experiments.regression import installed
from sentinel.lab.experiments.regression.parameters import Regression
from sentinel.lab.experiments.regression.record import BASE, HEAD, Record
from sentinel.lab.experiments.regression.summary import of_regression
from sentinel.lab.run.run import project_root
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan, warm_up
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.duets.lab import DuetLab
from sentinel.lab.trials.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sentinel.lab.experiments.regression.installed import Installed
    from sentinel.lab.process.child import Child
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.kinds import Start
    from sentinel.settings import LoadSettings

LEGS = (BASE, BASE + CONTROL, HEAD)
"""Of a round, in its first order."""
WEIGHED = 4
"""Rounds under memray at most: what is allocated follows the sizes of batches, which vary, but less than times do."""


def prepared(p: Regression) -> dict[str, Installed]:
    """Both versions, installed where they are not yet; what takes long is said on stderr.

    Args:
        p: The parameters.

    Returns:
        By label.

    Raises:
        SettingsError: one cannot be had; see `installed.install`.
    """
    names = {BASE: p.BASE, HEAD: p.HEAD}
    root = project_root()
    return {label: installed.install(name, root, weighed=p.MEMRAY, note=_say) for label, name in names.items()}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def rounds(p: Regression) -> list[Plan]:
    """Every round's trials, one after the other: first those that drain a full stream, then those under the load."""
    every = []
    for repeat in range(p.REPEATS):
        order = LEGS if repeat % 2 == 0 else tuple(reversed(LEGS))
        every += [_plan(p, CAPACITY, leg, plans.full(p, p.CONFIGURATION, CAPACITY), repeat) for leg in order]
        if p.RATE and not p.DUET:
            every += [_plan(p, LATENCY, leg, offered(p), repeat) for leg in order]
    return every


def duets(p: Regression) -> list[list[Plan]]:
    """Every round's trials under the load, where those of a round run at the same time."""
    if not p.RATE or not p.DUET:
        return []
    return [[_plan(p, LATENCY, leg, offered(p), repeat) for leg in LEGS] for repeat in range(p.REPEATS)]


def offered(p: Regression) -> LoadSettings:
    """The load at which latencies are compared."""
    return plans.paced_load(p, p.RATE)


def memory(p: Regression) -> list[Plan]:
    """A few rounds under memray, with some messages more, which warm up; none where that is not asked for."""
    load = plans.full(p, p.CONFIGURATION, MEMORY)
    longer = replace(load, count=load.count + warm_up(load.count))
    order = plans.interleaved(LEGS, min(p.REPEATS, WEIGHED) if p.MEMRAY else 0)
    return [_plan(p, MEMORY, leg, longer, repeat) for repeat, leg in order]


def _plan(p: Regression, kind: str, label: str, load: LoadSettings, repeat: int) -> Plan:
    return Plan(0, kind, label, p.CONFIGURATION, load, p.BATCH_SIZE, repeat, group=kind, percentiles=p.asked)


class RefTrial(Trial):
    """A trial whose consumer is that of an installed ref."""

    def __init__(self, ref: Installed, *given: Any, check: Callable[[], None]) -> None:
        super().__init__(*given, check=check)
        self._ref = ref

    def _consumer(self, start: Start) -> Child:
        """See Trial: started by the ref's own interpreter, in a folder without any package."""
        ref = self._ref
        return super()._consumer(replace(start, python=str(ref.python), environment=ref.environment, folder=ref.folder))


class RegressionLab(DuetLab[Regression]):
    """Two versions of the consumer, each installed in an environment of its own."""

    notebook = "regression"
    _prepared: ClassVar[Mapping[str, Installed]] = {}
    """By label, of the run that is about to begin."""

    @classmethod
    def require(cls, parameters: Regression) -> None:
        """See Session: both versions are installed."""
        super().require(parameters)
        RegressionLab._prepared = prepared(parameters)

    @classmethod
    def configurations(cls, parameters: Regression) -> dict[str, dict[str, str]]:
        """See Session: of both sides the same."""
        return dict.fromkeys(parameters.names, catalog.axes(parameters.CONFIGURATION))

    @classmethod
    def described(cls, parameters: Regression) -> dict[str, Any]:
        """See Session: also which versions these are."""
        sides = {label: ref.side for label, ref in cls._prepared.items()}
        unweighed = {label: side.unweighed for label, side in sides.items() if side.unweighed}
        left = [f"Memory is not compared: {label}: {why}." for label, why in unweighed.items()]
        described = super().described(parameters)
        return described | {"sides": sides, "warnings": [*described["warnings"], *left]}

    def __init__(self, *begun: Any) -> None:
        self._refs = self._prepared
        super().__init__(*begun)

    def _trial(self, plan: Plan, *given: Any, check: Callable[[], None]) -> Trial:
        """See Lab."""
        ref = self._refs[HEAD if plan.label == HEAD else BASE]
        return RefTrial(ref, plan, *given, check=check)

    def _memory_plans(self) -> list[Plan]:
        return [] if any(ref.side.unweighed for ref in self._refs.values()) else memory(self.parameters)

    def _planned(self) -> list[Plan]:
        return [*rounds(self.parameters), *chain(*duets(self.parameters)), *self._memory_plans()]

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of(self._planned())

    def planned_trials(self) -> int:
        """See Session."""
        return len(self._planned())

    def rounds(self) -> list[Outcome]:
        """Carry out all rounds; what runs at the same time comes last."""
        return [*self.carry_out(rounds(self.parameters)), *self.duets(duets(self.parameters))]

    def memory(self) -> list[Outcome]:
        """Carry out the memory trials: a few rounds under memray; none where one of the versions has no memray."""
        return self.weighed(self._memory_plans())

    def _kept_as(self, plan: Plan) -> tuple[str, Iterable[str]]:
        """See Lab: pages are made of one capture a side."""
        if plan.repeat == 0 and plan.label in {BASE, HEAD}:
            return super()._kept_as(plan)
        return f"{plan.label}, round {plan.repeat + 1}", ()

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session."""
        sides = run.sections(Record).sides
        return plain(of_regression(Regression(**run.data.parameters), sides, outcomes))
