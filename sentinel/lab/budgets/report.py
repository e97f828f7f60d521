"""How budgets are judged, below the table of what was asked. Pure: run.json in, HTML out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.budgets.answer import RULE, intervals
from sentinel.lab.presentation.tables import folded, paragraphs, tag

if TYPE_CHECKING:
    from markupsafe import Markup

    from sentinel.lab.budgets.record import BudgetAnswer


def judging(answer: BudgetAnswer) -> Markup:
    """The rule, and what the intervals are; folded away.

    Args:
        answer: What the record holds of budgets.
    """
    return folded("How budgets are judged", tag("div", paragraphs([RULE, *intervals(answer)]), class_="notes"))
