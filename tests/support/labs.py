"""Labs whose trials take no time: what they find is made up, seeded."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.experiments.sweep.trials import SweepLab
from sentinel.lab.run.trial_record import LATENCY, Outcome, Plan
from sentinel.lab.trials.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Callable

WORTH = {"baseline": 700.0, "optimised": 200_000.0}


class MadeUp(Lab[Any]):
    """Trials that take no time, for any lab."""

    noise = 0.001
    """Standard deviation of the logarithm of what a trial finds."""
    fails: Callable[[Plan], bool] = staticmethod(lambda _plan: False)
    """Which trials are invalid."""
    ends: Callable[[Plan], bool] = staticmethod(lambda _plan: False)
    """Before which trial there is an interrupt."""

    @classmethod
    def before(cls, parameters: Any) -> dict[str, Any]:
        """See Session: nothing is measured of the machine."""
        return {}

    def _carried_out(self, bare: Plan) -> Outcome:
        plan = replace(bare, number=self._numbered())
        if self.ends(plan):
            raise KeyboardInterrupt
        folder = self.run.trial_folder(plan.number)
        folder.mkdir(parents=True)
        (folder / "trial.json").write_text("{}\n", encoding="utf-8")
        if self.fails(plan):
            return Outcome(plan, problems=["it was made to fail"])
        random = np.random.default_rng(plan.number)
        speed = WORTH[plan.configuration] * float(np.exp(random.normal(0, self.noise)))
        stored = {"p50": 1e3 / speed, "p99": 1e4 / speed, "max": 1e5 / speed, "n": 1000}
        kinds = ("internal", "e2e", "stored", "send_delay") if plan.kind == LATENCY else ()
        latencies = dict.fromkeys(kinds, stored)
        return Outcome(plan, valid=True, throughput=speed, cpu_us=1e6 / speed, latencies=latencies)


class FakeLab(MadeUp, BenchmarkLab):
    """A benchmark that takes no time."""


class FakeSweep(MadeUp, SweepLab):
    """A sweep that takes no time."""

    most: ClassVar[dict[str, float]] = {"baseline": 300.0, "optimised": 1500.0}
    """The highest rate that each configuration meets the SLO at, msg/s."""
