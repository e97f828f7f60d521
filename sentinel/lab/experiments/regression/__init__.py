"""Whether one version of the consumer is slower than another: a branch against main."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.regression.parameters import Regression
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.regression.trials import RegressionLab

    return RegressionLab


def _prepare(parameters: Regression) -> None:
    from sentinel.lab.experiments.regression.trials import prepared

    prepared(parameters)


def _table(run: Run) -> str:
    from sentinel.lab.experiments.regression.report import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.regression.answer import phrases
    from sentinel.lab.experiments.regression.record import Record

    record = run.sections(Record)
    return phrases(record.answer, record.sides) if record.answer else None


def _exit_code(run: Run) -> int:
    from sentinel.lab.experiments.regression.record import EXIT_CODES, UNKNOWN, Record

    answer = run.sections(Record).answer
    return EXIT_CODES[answer.word if answer else UNKNOWN]


def _markdown(run: Run) -> str:
    from sentinel.lab.experiments.regression.markdown import markdown

    return markdown(run)


def _questions(run: Run) -> list[Question]:
    from sentinel.lab.experiments.regression.questions import questions

    return questions(run)


def _repeating(run: Run) -> dict[str, Any]:
    from sentinel.lab.experiments.regression.markdown import repeating

    return repeating(run)


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.regression.record import Record

    return Record


EXPERIMENT = Experiment(
    "regression",
    Regression,
    _study,
    table=_table,
    answer=_answer,
    questions=_questions,
    repeating=_repeating,
    prepare=_prepare,
    exit_code=_exit_code,
    markdown=_markdown,
    sections=_sections,
)
