"""How long a read should linger: what waiting saves under a light load, and what it costs in latency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.linger.parameters import Linger
from sentinel.lab.registry import Experiment

if TYPE_CHECKING:
    import msgspec

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study


def _study() -> type[Study[Any]]:
    from sentinel.lab.experiments.linger.trials import LingerLab

    return LingerLab


def _table(run: Run) -> str:
    from sentinel.lab.experiments.linger.report import terminal_table

    return terminal_table(run)


def _answer(run: Run) -> list[Phrase] | None:
    from sentinel.lab.experiments.linger.answer import phrases
    from sentinel.lab.experiments.linger.record import Record

    answer = run.sections(Record).answer
    return phrases(answer) if answer else None


def _sections() -> type[msgspec.Struct]:
    from sentinel.lab.experiments.linger.record import Record

    return Record


EXPERIMENT = Experiment("linger", Linger, _study, table=_table, answer=_answer, sections=_sections)
