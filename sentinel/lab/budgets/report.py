"""What became of budgets, at the top of a page. Pure: run.json in, HTML out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from sentinel.lab import formatting
from sentinel.lab.budgets import asked
from sentinel.lab.budgets.answer import RULE, intervals
from sentinel.lab.presentation.tables import folded, paragraphs, table, tag, together

if TYPE_CHECKING:
    from sentinel.lab.budgets.record import BudgetAnswer


def section(answer: BudgetAnswer | None) -> Markup:
    """Whether all budgets are met, a row for each, and how a row is judged.

    Args:
        answer: What the record holds of them; None where the run was held to none.

    Returns:
        HTML; empty where there were none.
    """
    if answer is None:
        return Markup()
    rows = [[f"{row.mark} {row.asked}", row.bound, row.measured, row.rounds, row.verdict] for row in asked.rows(answer)]
    heads = [*asked.HEADS, "verdict"]
    told = folded("How budgets are judged", tag("div", paragraphs([RULE, *intervals(answer)]), class_="notes"))
    lead = tag("p", tag("strong", _lead(answer)))
    return together([lead, table(heads, rows, words=[4], class_="dense wraps"), told])


def _lead(answer: BudgetAnswer) -> str:
    met = sum(row.passes for row in answer.rows)
    of = formatting.counted(len(answer.rows), "budget")
    invalid = f"; {formatting.counted(len(answer.invalid), 'invalid trial')}" if answer.invalid else ""
    return f"{'✓' if answer.passes else '✗'} {met} of {of} met{invalid}"
