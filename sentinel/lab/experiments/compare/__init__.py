"""Two runs that are there, held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.compare.parameters import Compare
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.compare.study import CompareStudy

    return CompareStudy


def _prepare(parameters: Compare) -> None:
    from sentinel.lab.experiments.compare.sides.pair import read

    read(parameters)


def _table(run: Run) -> str:
    from sentinel.lab.experiments.compare.report import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.compare.answer import phrases
    from sentinel.lab.experiments.compare.record import Record

    return phrases(run.sections(Record))


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.compare.record import Record

    return Record


EXPERIMENT = Experiment("compare", Compare, _study, table=_table, answer=_answer, prepare=_prepare, sections=_sections)
