"""This host and the pipeline, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.live.parameters import Live
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.live.trials import LiveLab

    return LiveLab


def _missed(run: Run) -> str:
    from sentinel.lab.run.outcomes import missed

    return missed(run)


EXPERIMENT = Experiment("live", Live, _study, missed=_missed)
