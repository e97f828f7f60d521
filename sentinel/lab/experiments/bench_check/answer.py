"""A gate's answer in sentences and as a terminal's table, made of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.bench_check.record import BROKEN, HOLDS, INVALID, MARGINAL, MISSING
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.presentation.question import Question
from sentinel.lab.run.trial_record import CAPACITY
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.rounds import sides
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.bench_check.record import Answer, InvalidTrial, Row
    from sentinel.lab.run.trial_record import Outcome

MARKS = {HOLDS: "✓", MARGINAL: "≈", BROKEN: "✗", MISSING: "✗", INVALID: "✗"}
WIDTH = 110
"""Columns of a table that goes to no terminal: its rows are not broken."""
RULE = (
    "A bound is broken if the whole interval of the ratio over rounds lies beyond it; if the interval holds the bound,"
    " it is marginal and passes. Of rounds too few for 95 % the widest interval that there is decides; of a single one,"
    " and of a count, the value itself."
)


def phrases(answer: Answer) -> list[Phrase]:
    """The answer in sentences.

    Args:
        answer: What became of the bounds.

    Returns:
        A phrase for every bound that fails and every invalid trial; the one phrase `PASS.`, with what is marginal,
        where there is neither.
    """
    sentences = [_failed(row) for row in answer.rows if not row.passes] + [
        _cannot_count(item) for item in answer.invalid
    ]
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
    """What was seen: a factor with its interval, or a count."""
    seen = row.seen
    if row.bound.against or seen.value is None:
        return phrase(
            "{factor}{interval}", factor=Strong(formatting.times(seen.value)), interval=formatting.interval(seen)
        )
    return Phrase([formatting.figure(seen.value)])


def _how(row: Row) -> str:
    """Which interval it is, and how many rounds keep the bound by themselves; of older runs the number of trials."""
    if not row.bound.against or not row.seen.of_rounds:
        return f"n = {row.seen.n}"
    return f"{formatting.note(row.seen)}, {row.kept} of them within the bound"


def _rounds(row: Row) -> str:
    """`5 of 6 rounds`; a dash of a count."""
    if not row.bound.against or not row.seen.n:
        return NOTHING
    return f"{row.kept} of {formatting.counted(row.seen.n, 'round')}"


def questions(answer: Answer, raw: str) -> list[Question]:
    """Whether every bound holds; not known of one that was not measured.

    Args:
        answer: What became of the bounds.
        raw: Address of the file that has them.
    """
    return [
        Question(
            asked=row.head,
            bound=str(row.bound),
            measured=str(_seen(row)),
            met=None if row.verdict == MISSING else row.passes,
            raw=raw,
            by="bench-check",
            value=row.seen.value,
        )
        for row in answer.rows
    ]


def table(answer: Answer, outcomes: Sequence[Outcome], reliability_warnings: Sequence[str] = ()) -> str:
    """Bound, what was seen and verdict of every row, the rule, and the answer, as plain text.

    Args:
        answer: What became of the bounds.
        outcomes: The trials, for the run-to-run variation.
        reliability_warnings: What speaks against trusting the trials; it is said where something broke.

    Returns:
        Lines as wide as a terminal.
    """
    texts = [[row.head, str(row.bound), str(_seen(row)), _rounds(row), _marked(row.verdict)] for row in answer.rows]
    texts += [[item.head, "adds up", NOTHING, NOTHING, _marked(INVALID)] for item in answer.invalid]
    heads = ["", "bound", "seen", "within it", "verdict"]
    lines = text_table.table(heads, texts, left=range(len(heads)), width=text_table.columns(WIDTH))
    warned = [f"Warning: {warning}" for warning in reliability_warnings if not answer.passes]
    notes = [RULE, *_intervals(answer), *_noise(outcomes), *map(str, phrases(answer)), *warned]
    return "\n".join([*lines, "", *map(text_table.note, notes)])


def _marked(verdict: str) -> str:
    return f"{MARKS[verdict]} {verdict}"


def _intervals(answer: Answer) -> list[str]:
    """What the intervals are, each with the bounds that it is of."""
    known: dict[str, list[str]] = {}
    for row in answer.rows:
        if row.seen.interval is not None:
            known.setdefault(formatting.note(row.seen), []).append(row.head)
    return [f"{kind[:1].upper()}{kind[1:]}: {'; '.join(heads)}." for kind, heads in known.items()]


def _noise(outcomes: Sequence[Outcome]) -> list[str]:
    """How far two legs of one configuration lie apart (A/A), and how far by chance."""
    lines = []
    for name in dict.fromkeys(o.plan.configuration for o in outcomes if o.plan.kind == CAPACITY):
        legs = sides.side(name, outcomes).get(CAPACITY)
        if legs is None or legs.shape[1] < 2 or not (estimate := compare.estimated(legs[:, 1:], legs[:, :1])).rounds:
            continue
        again = f"capacity of {name}, measured again ÷ measured first, is"
        beyond = formatting.times(floor(legs, estimate.method))
        lines.append(
            f"Run-to-run variation (A/A): {again} {formatting.ratio(compare.ratio_of(estimate))}"
            f" ({estimate.note}; noise floor {beyond})."
        )
    return lines
