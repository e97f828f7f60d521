"""What each choice behind `optimised` brings: switched on one by one, and off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.ablation.parameters import Ablation
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.ablation.trials import AblationLab

    return AblationLab


def _table(run: Run) -> str:
    from sentinel.lab.experiments.ablation.results import terminal_table

    return terminal_table(run)


EXPERIMENT = Experiment("ablation", Ablation, _study, table=_table)
