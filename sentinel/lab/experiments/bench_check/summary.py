"""What became of the gate's bounds, as data, in rows and in sentences.

A bound is broken only where the whole interval lies beyond it, so that noise alone breaks nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sentinel.lab import formatting
from sentinel.lab.experiments.bench_check.gate import Bound
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.run.trial_record import CAPACITY, CONTROL
from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import Ratio
from sentinel.lab.statistics.rounds.sides import side
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.ranks import Floats

HOLDS, MARGINAL, BROKEN, MISSING, INVALID = "holds", "marginal", "broken", "missing", "invalid"
MARKS = {HOLDS: "✓", MARGINAL: "≈", BROKEN: "✗", MISSING: "✗", INVALID: "✗"}
RULE = (
    "A bound is broken if the whole interval lies beyond it; if the interval holds the bound, it is marginal"
    " and passes. Of a single trial the value itself decides."
)


class Row(msgspec.Struct, frozen=True):
    """What became of one bound."""

    bound: Bound
    """What was asked for."""
    seen: Ratio
    """What was measured: a quotient, or a count with its interval."""
    verdict: str
    """`HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`."""

    @property
    def passes(self) -> bool:
        """Whether it lets the gate be green."""
        return self.verdict in {HOLDS, MARGINAL}

    @property
    def head(self) -> str:
        """The bound in words."""
        return self.bound.head


class InvalidTrial(msgspec.Struct, frozen=True):
    """A trial that cannot count: it lets no gate be green."""

    number: int
    """Its number in the run."""
    kind: str
    """`capacity`, `memory` or `profile`."""
    label: str
    """The label of its configuration."""
    why: list[str]
    """What does not add up, in sentences."""

    @property
    def head(self) -> str:
        """The trial in words."""
        return f"Trial {self.number}, {self.kind} of {self.label}"


class Answer(msgspec.Struct, frozen=True):
    """What a gate answers: what became of every bound, and the trials that are invalid."""

    rows: list[Row]
    """What became of every bound."""
    invalid: list[InvalidTrial]
    """The trials that are invalid."""

    @property
    def passes(self) -> bool:
        """Whether the gate is green."""
        return not self.invalid and all(row.passes for row in self.rows)


class Gated(msgspec.Struct):
    """The sections that only a gate's record has."""

    gate: list[Bound] = []
    """What had to come out."""
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""


def judged(bounds: Sequence[Bound], outcomes: Sequence[Outcome]) -> Answer:
    """Hold every bound against the trials.

    Args:
        bounds: What had to come out.
        outcomes: All trials of the run, valid or not.

    Returns:
        A row for every bound, in order, and the invalid trials.
    """
    invalid = [InvalidTrial(o.plan.number, o.plan.kind, o.plan.label, o.problems) for o in outcomes if not o.valid]
    seen = [(bound, _seen(bound, outcomes)) for bound in bounds]
    return Answer([Row(bound, lines, verdict(bound, lines)) for bound, lines in seen], invalid)


def _seen(bound: Bound, outcomes: Sequence[Outcome]) -> Ratio:
    values = side(bound.of, outcomes).get(bound.measure)
    others = side(bound.against, outcomes).get(bound.measure) if bound.against else _ones(values)
    return _ratio(values, others)


def _ones(values: Floats | None) -> Floats | None:
    return None if values is None else values[:, :1] * 0 + 1


def _ratio(values: Floats | None, others: Floats | None) -> Ratio:
    if values is None or others is None:
        return compare.UNKNOWN
    return compare.ratio_of(compare.estimated(values, others))


def verdict(bound: Bound, seen: Ratio) -> str:
    """The verdict on one bound, by where the interval lies, or the value where there is no interval.

    Args:
        bound: What had to come out.
        seen: What was measured: a quotient, or a count.

    Returns:
        `HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`.
    """
    if seen.value is None:
        return MISSING
    low, high = seen.interval or (seen.value, seen.value)
    if bound.at_least is not None:
        return HOLDS if low >= bound.at_least else BROKEN if high < bound.at_least else MARGINAL
    assert bound.at_most is not None
    return HOLDS if high <= bound.at_most else BROKEN if low > bound.at_most else MARGINAL


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
    seen = {"head": row.head, "seen": _said(row), "n": row.seen.n, "bound": row.bound}
    return phrase("Broken: {head} is {seen}, n = {n}, where {bound} is asked for.", **seen)


def _cannot_count(item: InvalidTrial) -> Phrase:
    return Phrase([f"Invalid: {item.head}: {'; '.join(item.why)[:600]}."])


def _said(row: Row) -> Phrase:
    """What was seen: a factor with its interval, or a count with its own."""
    seen = row.seen
    if row.bound.against or seen.value is None:
        return phrase(
            "{factor}{interval}", factor=Strong(formatting.times(seen.value)), interval=formatting.interval(seen)
        )
    return Phrase(
        [
            formatting.figure(seen.value),
            *([f" [{', '.join(map(formatting.figure, seen.interval))}]"] if seen.interval else []),
        ]
    )


def table(answer: Answer, outcomes: Sequence[Outcome], reliability_warnings: Sequence[str] = ()) -> str:
    """Bound, what was seen and verdict of every row, the rule, and the answer, as plain text.

    Args:
        answer: What became of the bounds.
        outcomes: The trials, for the run-to-run variation.
        reliability_warnings: What speaks against trusting the trials; it is said where something broke.

    Returns:
        Lines as wide as a terminal.
    """
    texts = [[row.head, str(row.bound), str(_said(row)), str(row.seen.n), _marked(row.verdict)] for row in answer.rows]
    texts += [[item.head, "adds up", NOTHING, "1", _marked(INVALID)] for item in answer.invalid]
    heads = ["", "bound", "seen", "n", "verdict"]
    lines = text_table.table(heads, texts, left=range(len(heads)), width=text_table.columns())
    warned = [f"Warning: {warning}" for warning in reliability_warnings if not answer.passes]
    notes = [RULE, *_noise(outcomes), *map(str, phrases(answer)), *warned]
    return "\n".join([*lines, "", *map(text_table.note, notes)])


def _marked(verdict: str) -> str:
    return f"{MARKS[verdict]} {verdict}"


def _noise(outcomes: Sequence[Outcome]) -> list[str]:
    """How far two legs of one configuration lie apart (A/A)."""
    twice = [o.plan.configuration for o in outcomes if o.plan.kind == CAPACITY and o.plan.label.endswith(CONTROL)]
    lines = []
    for name in dict.fromkeys(twice):
        legs = side(name, outcomes)[CAPACITY]
        ratio = _ratio(legs[:, 1:], legs[:, :1])
        if ratio.value is not None:
            again = f"capacity of {name}, measured again ÷ measured first, is {formatting.ratio(ratio)}"
            lines.append(f"Run-to-run variation (A/A): {again}.")
    return lines
