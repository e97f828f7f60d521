"""This host and the pipeline, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.live.parameters import Live
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.live.trials import LiveLab

    return LiveLab


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.live.record import Record
    from sentinel.lab.experiments.live.summary import phrases

    answer = run.sections(Record).answer
    return phrases(answer) if answer else None


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.live.record import Record

    return Record


EXPERIMENT = Experiment("live", Live, _study, answer=_answer, sections=_sections)
