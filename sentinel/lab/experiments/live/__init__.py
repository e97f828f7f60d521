"""This host and the pipeline, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.live.parameters import Live
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.live.trials import LiveLab

    return LiveLab


EXPERIMENT = Experiment("live", Live, _study)
