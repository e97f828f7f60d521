"""What a regression test is asked: that no measure of head is worse than base's by more than MARGIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.regression.answer import TITLES
from sentinel.lab.experiments.regression.record import Record
from sentinel.lab.experiments.regression.summary import DECIDING
from sentinel.lab.presentation.question import Question
from sentinel.lab.report.answers import raw

if TYPE_CHECKING:
    from sentinel.lab.experiments.regression.record import Judgement
    from sentinel.lab.run.run import Run


def questions(run: Run) -> list[Question]:
    """A question for each measure: of one that decides, a slowdown must be excluded; of another, not be evident.

    Args:
        run: A regression test.
    """
    answer = run.sections(Record).answer
    if answer is None:
        return []
    margin = formatting.plain(round(100 * answer.margin, 2))
    return [_asked(run, judgement, margin) for judgement in answer.judgements.values()]


def _asked(run: Run, judgement: Judgement, margin: str) -> Question:
    decides = judgement.measure in DECIDING
    return Question(
        asked=f"Head ÷ base: {TITLES[judgement.measure]}",
        bound=f"worse by {margin} %: {'excluded' if decides else 'not evident'}",
        measured=formatting.ranged(judgement.ratio),
        met=_met(judgement, decides=decides),
        raw=raw.record(run),
        by="MARGIN",
        value=judgement.ratio.value,
    )


def _met(judgement: Judgement, *, decides: bool) -> bool | None:
    if judgement.regressed:
        return False
    return True if judgement.excluded or not decides else None
