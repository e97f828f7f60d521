"""How the key figures of comparable runs moved over time and commits, and where they changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.history.parameters import History
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.history.study import HistoryStudy

    return HistoryStudy


def _prepare(parameters: History) -> None:
    from sentinel.lab.experiments.history.choice import chosen
    from sentinel.lab.run.run import project_root

    chosen(parameters, project_root())


def _table(run: Run) -> str:
    from sentinel.lab.experiments.history.report import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.history.answer import phrases
    from sentinel.lab.experiments.history.record import Record

    return phrases(run.sections(Record)) or None


def _figures(_: Run) -> list[Any]:
    """It measures nothing of its own."""
    return []


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.history.record import Record

    return Record


EXPERIMENT = Experiment(
    "history",
    History,
    _study,
    table=_table,
    answer=_answer,
    prepare=_prepare,
    figures=_figures,
    sections=_sections,
)
