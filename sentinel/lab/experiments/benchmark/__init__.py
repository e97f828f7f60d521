"""Configurations against each other: what they can take, how long a message takes, what it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.benchmark.trials import BenchmarkLab

    return BenchmarkLab


def _table(run: Run) -> str:
    from sentinel.lab.report.terminal import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.benchmark.answer import phrases
    from sentinel.lab.experiments.benchmark.record import Record

    answer = run.sections(Record).answer
    return phrases(answer) if answer else None


def _questions(run: Run) -> list[Question]:
    from sentinel.lab.experiments.benchmark.questions import questions

    return questions(run)


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.benchmark.record import Record

    return Record


EXPERIMENT = Experiment(
    "benchmark", Benchmark, _study, table=_table, answer=_answer, questions=_questions, sections=_sections
)
