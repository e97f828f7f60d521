"""What became of budgets in sentences and as a terminal's table, made of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.budgets import asked
from sentinel.lab.budgets.record import MARGINAL, MISSING
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.budgets.record import BudgetAnswer, InvalidTrial, Row

WIDTH = 110
"""Columns of a table that goes to no terminal: its rows are not broken."""
RULE = (
    "A bound is broken if the whole interval of the ratio over rounds lies beyond it; if the interval holds the bound,"
    " it is marginal and passes. Of rounds too few for 95 % the widest interval that there is decides; of a single one,"
    " and of a value by itself, the median; where a bound asks for so many rounds, these."
)


def phrases(answer: BudgetAnswer) -> list[Phrase]:
    """The answer in sentences.

    Args:
        answer: What became of the bounds.

    Returns:
        A phrase for every bound that fails and every invalid trial; the one phrase `PASS.`, with what is marginal,
        where there is neither.
    """
    failed = [_failed(row) for row in answer.rows if not row.passes]
    sentences = failed + [_cannot_count(item) for item in answer.invalid]
    near = [row.head for row in answer.rows if row.verdict == MARGINAL]
    marginal = f", {formatting.counted(len(near), 'bound')} marginal: {'; '.join(near)}" if near else ""
    return sentences or [Phrase([f"PASS{marginal}."])]


def _failed(row: Row) -> Phrase:
    if row.verdict == MISSING:
        return Phrase([f"Missing: {row.head} was not measured in any valid trial, where {row.bound} is asked for."])
    given = {"head": row.head, "seen": _seen(row), "how": _how(row), "bound": row.bound}
    return phrase("Broken: {head} is {seen} ({how}), where {bound} is asked for.", **given)


def _cannot_count(item: InvalidTrial) -> Phrase:
    return Phrase([f"Invalid: {item.head}: {'; '.join(item.why)[:600]}."])


def _seen(row: Row) -> Phrase:
    """What was measured, what decides set off."""
    if not row.bound.against:
        return Phrase([Strong(asked.measured(row))])
    factor = Strong(formatting.times(row.seen.value))
    return phrase("{factor}{interval}", factor=factor, interval=formatting.interval(row.seen))


def _how(row: Row) -> str:
    """Which interval it is, and how many rounds keep the bound by themselves; of older runs the number of trials."""
    if not row.bound.against or not row.seen.of_rounds:
        kept = f", {row.kept} of {row.rounds} within the bound" if row.bound.rounds else ""
        return f"n = {row.seen.n}{kept}"
    return f"{formatting.note(row.seen)}, {row.kept} of them within the bound"


def table(answer: BudgetAnswer, notes: Sequence[str] = (), reliability_warnings: Sequence[str] = ()) -> str:
    """Bound, what was measured and verdict of every row, the rule, and the answer, as plain text.

    Args:
        answer: What became of the bounds.
        notes: Paragraphs between the rule and the answer.
        reliability_warnings: What speaks against trusting the trials; it is said where something broke.

    Returns:
        Lines as wide as a terminal.
    """
    texts = [[r.asked, r.bound, r.measured, r.rounds, f"{r.mark} {r.verdict}"] for r in asked.rows(answer)]
    heads = ["", "bound", "measured", "within it", "verdict"]
    lines = text_table.table(heads, texts, left=range(len(heads)), width=text_table.columns(WIDTH))
    warned = [f"Warning: {warning}" for warning in reliability_warnings if not answer.passes]
    told = [RULE, *intervals(answer), *notes, *map(str, phrases(answer)), *warned]
    return "\n".join([*lines, "", *map(text_table.note, told)])


def intervals(answer: BudgetAnswer) -> list[str]:
    """What the intervals are, each with the bounds that it is of.

    Args:
        answer: What became of the bounds.
    """
    known: dict[str, list[str]] = {}
    for row in answer.rows:
        if row.seen.interval is not None:
            known.setdefault(formatting.note(row.seen), []).append(row.head)
    return [f"{kind[:1].upper()}{kind[1:]}: {'; '.join(heads)}." for kind, heads in known.items()]
