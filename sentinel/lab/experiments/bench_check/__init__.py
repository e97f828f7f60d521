"""The performance gate: a short pinned comparison, held to committed budgets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.bench_check.legs import Pinned
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.bench_check.trials import GateLab

    return GateLab


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.budgets.answer import phrases
    from sentinel.lab.experiments.bench_check.record import Gated

    answer = run.data.budgets or run.sections(Gated).answer
    return phrases(answer) if answer else None


def _questions(run: Run) -> list[Question]:
    from sentinel.lab.budgets.asked import questions
    from sentinel.lab.experiments.bench_check.record import Gated
    from sentinel.lab.report.answers import raw

    answer = None if run.data.budgets else run.sections(Gated).answer
    return questions(answer, raw.record(run), "bench-check") if answer else []


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.bench_check.record import Gated

    return Gated


EXPERIMENT = Experiment("bench-check", Pinned, _study, answer=_answer, questions=_questions, sections=_sections)
