"""An experiment that is no part of the lab: how steady is one configuration's capacity?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.lab.registry import Experiment
from tape.parameters import Tape

if TYPE_CHECKING:
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from tape.trials import TapeLab

    return TapeLab


EXPERIMENT = Experiment("tape", Tape, _study, notebook=Path(__file__).with_name("tape.ipynb"))
