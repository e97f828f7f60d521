"""The highest rate at which a configuration meets the SLO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.sweep.trials import SweepLab

    return SweepLab


def _table(run: Run) -> str:
    from sentinel.lab.experiments.sweep.results import terminal_table

    return terminal_table(run)


def _missed(run: Run) -> str:
    from sentinel.lab.experiments.sweep.results import missed

    return missed(run)


EXPERIMENT = Experiment("sweep", Sweep, _study, table=_table, missed=_missed)
