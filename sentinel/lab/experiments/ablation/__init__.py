"""What each choice behind `optimised` brings: switched on one by one, and off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.ablation.parameters import Ablation
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.ablation.trials import AblationLab

    return AblationLab


def _table(run: Run) -> str:
    from sentinel.lab.experiments.ablation.results import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.ablation.answer import phrases
    from sentinel.lab.experiments.ablation.contributions import MEASURES
    from sentinel.lab.experiments.ablation.record import Record

    record = run.sections(Record)
    values = {measure: record.steps.get(measure.name, []) for measure in MEASURES}
    return phrases(record.answer, values, record.compared) if record.answer else None


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.ablation.record import Record

    return Record


EXPERIMENT = Experiment("ablation", Ablation, _study, table=_table, answer=_answer, sections=_sections)
