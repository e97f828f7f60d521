"""The table of what was asked of a run: published figures, service levels and bounds, each met or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from sentinel.lab import registry
from sentinel.lab.budgets.report import judging
from sentinel.lab.presentation.tables import Cell, table, tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run

HEADS = ("What was asked", "Met", "Measured", "Bound", "Asked by")
MARKS = {True: ("✓ met", "good"), False: ("✗ missed", "bad"), None: ("? not known", "calm")}
"""What stands beside a question, and its look."""


def asked(run: Run) -> Markup:
    """The table, with the rule of budgets below it; empty where nothing was asked of the run."""
    table_of_all, budgets = rows(registry.questions(run)), run.data.budgets
    return together([table_of_all, judging(budgets)], "\n") if budgets else table_of_all


def rows(every: Sequence[Question]) -> Markup:
    """Questions as a table.

    Args:
        every: In the order of its rows; without any, nothing is made.
    """
    if not every:
        return Markup()
    return table(HEADS, [_row(question) for question in every], words=(1, 4), class_="asked")


def _row(question: Question) -> list[object]:
    mark, look = MARKS[question.met]
    measured = Cell(question.measured, question.value, question.raw)
    return [question.asked, tag("span", mark, class_=look), measured, question.bound, question.by]
