"""The lab of linger.ipynb: each linger under each load once a round, in an order that alternates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sentinel.consumer.configurations import OPTIMISED
from sentinel.lab.contenders import catalog
from sentinel.lab.experiments.linger.parameters import Linger
from sentinel.lab.experiments.linger.record import label
from sentinel.lab.experiments.linger.summary import of_linger
from sentinel.lab.run.trial_record import LATENCY, Plan
from sentinel.lab.statistics.compare import plain
from sentinel.lab.trials import plans
from sentinel.lab.trials.lab import Lab

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


def rounds(p: Linger) -> list[Plan]:
    """Every trial, round by round.

    Args:
        p: The parameters.
    """
    cases = {f"{rate:g} {ms:g}": (rate, ms) for rate in p.rates for ms in p.lingers}
    return [_plan(p, *cases[name], repeat) for repeat, name in plans.interleaved(list(cases), p.REPEATS)]


def _plan(p: Linger, rate: float, ms: float, repeat: int) -> Plan:
    load = plans.paced_load(p, rate)
    bare = Plan(0, LATENCY, label(ms), OPTIMISED.name, load, p.BATCH_SIZE, repeat, group=f"{rate:g}")
    return replace(bare, linger=ms / 1000, percentiles=p.asked)


class LingerLab(Lab[Linger]):
    """Paced loads only: nothing lingers where there is always something to read."""

    notebook = "linger"

    @classmethod
    def configurations(cls, parameters: Linger) -> dict[str, dict[str, str]]:
        """See Session: the same for every linger."""
        return dict.fromkeys(parameters.names, catalog.axes(OPTIMISED.name))

    def expected_seconds(self) -> dict[str, float]:
        """See Lab."""
        return self.expected_of(rounds(self.parameters))

    def planned_trials(self) -> int:
        """See Session."""
        return len(rounds(self.parameters))

    def rounds(self) -> list[Outcome]:
        """Carry out all rounds."""
        return self.carry_out(rounds(self.parameters))

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Session."""
        return plain(of_linger(Linger(**run.data.parameters), outcomes))
