"""What was asked of a run, and what came out, as rows for any table: a page's, Markdown's, a terminal's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.budgets.bound import with_unit
from sentinel.lab.budgets.record import BROKEN, HOLDS, INVALID, MARGINAL, MISSING
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.question import Question

if TYPE_CHECKING:
    from sentinel.lab.budgets.record import BudgetAnswer, Row

MARKS = {HOLDS: "✓", MARGINAL: "≈", BROKEN: "✗", MISSING: "✗", INVALID: "✗"}
HEADS = ("asked", "bound", "measured", "rounds within it")
"""Of the columns behind the mark."""


@dataclass(frozen=True)
class Asked:
    """One thing that was asked of a run."""

    asked: str
    """What, in words."""
    bound: str
    """What it had to be, with its unit."""
    measured: str
    """What it is, likewise; a dash where it was not measured."""
    rounds: str
    """How many rounds lie within the bound; a dash where there are none."""
    verdict: str
    """`holds`, `marginal`, `broken`, `missing` or `invalid`."""
    met: bool

    @property
    def mark(self) -> str:
        """`✓`, `≈` or `✗`."""
        return MARKS[self.verdict]


def rows(answer: BudgetAnswer) -> list[Asked]:
    """A row for every bound, then one for every invalid trial.

    Args:
        answer: What became of the bounds.
    """
    bounded = [Asked(r.head, str(r.bound), measured(r), within(r), r.verdict, r.passes) for r in answer.rows]
    return bounded + [Asked(item.head, "adds up", NOTHING, NOTHING, INVALID, met=False) for item in answer.invalid]


def questions(answer: BudgetAnswer, raw: str, by: str) -> list[Question]:
    """The rows as a page begins with them.

    Args:
        answer: What became of the bounds.
        raw: Address of the file that has them.
        by: Who asks.
    """
    values = [row.seen.value for row in answer.rows] + [None] * len(answer.invalid)
    return [
        Question(row.asked, row.bound, _in_rounds(row), row.met, raw, by, value)
        for row, value in zip(rows(answer), values, strict=True)
    ]


def _in_rounds(row: Asked) -> str:
    if row.verdict == MISSING:
        return "not measured"
    return row.measured if row.rounds == NOTHING else f"{row.measured}, {row.rounds} within it"


def cells(answer: BudgetAnswer) -> list[list[str]]:
    """The rows as texts: mark, then a text for each of `HEADS`.

    Args:
        answer: What became of the bounds.
    """
    return [[row.mark, row.asked, row.bound, row.measured, row.rounds] for row in rows(answer)]


def measured(row: Row) -> str:
    """What was measured: a factor with its interval, or a median with its unit.

    Args:
        row: What became of one bound.
    """
    if row.bound.against or row.seen.value is None:
        return formatting.ranged(row.seen)
    return with_unit(formatting.figure(row.seen.value), row.bound.unit)


def within(row: Row) -> str:
    """`5 of 6 rounds`; a dash of what is measured once.

    Args:
        row: What became of one bound.
    """
    rounds = row.rounds or (row.seen.n if row.bound.against else 0)
    if not rounds or (rounds == 1 and not row.bound.rounds and not row.bound.against):
        return NOTHING
    return f"{row.kept} of {formatting.counted(rounds, 'round')}"
