"""The highest rate at which a configuration meets the SLO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.sweep.parameters import Sweep
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.index.figures import KeyFigure
    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome
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


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.sweep.answer import phrases
    from sentinel.lab.experiments.sweep.record import Record

    record = run.sections(Record)
    return phrases(record.answer, record.knees, record.ratios["held"]) if record.answer and record.knees else None


def _figures(run: Run) -> list[KeyFigure]:
    from sentinel.lab.experiments.sweep.results import figures

    return figures(run)


def _questions(run: Run) -> list[Question]:
    from sentinel.lab.experiments.sweep.answer import questions
    from sentinel.lab.experiments.sweep.record import Record
    from sentinel.lab.report.answers import raw

    record = run.sections(Record)
    return questions(record.answer.slo, record.knees, raw.record(run)) if record.answer and record.knees else []


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.sweep.record import Record

    return Record


def _held_to(run: Run) -> list[Outcome]:
    from sentinel.lab.experiments.sweep.results import confirmed

    return confirmed(run)


def _rates(run: Run) -> dict[str, float]:
    from sentinel.lab.experiments.sweep.results import rates

    return rates(run)


EXPERIMENT = Experiment(
    "sweep",
    Sweep,
    _study,
    table=_table,
    answer=_answer,
    questions=_questions,
    missed=_missed,
    sections=_sections,
    held_to=_held_to,
    figures=_figures,
    derived={"held": _rates},
)
