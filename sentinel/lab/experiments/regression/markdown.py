"""A regression test as a Markdown table for a pull request. Pure: run.json in, text out."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.experiments.regression.answer import DIGITS, further, title
from sentinel.lab.experiments.regression.parameters import Regression
from sentinel.lab.experiments.regression.record import BASE, HEAD, Record
from sentinel.lab.experiments.regression.summary import MEASURES
from sentinel.lab.presentation.tables import Cell, figured
from sentinel.lab.report.answers import raw
from sentinel.lab.statistics.measures import column

if TYPE_CHECKING:
    from sentinel.lab.experiments.regression.record import Judgement, Side
    from sentinel.lab.run.run import Run

HEADS = ("measure", "base", "head", "head ÷ base", "verdict")


def rows(run: Run) -> list[list[Cell]]:
    """The table's cells, a row a measure that was compared."""
    record = run.sections(Record)
    judgements = record.answer.judgements if record.answer else {}
    return [
        [
            Cell(f"{m.title}, {m.unit}"),
            *(_median(run, record, label, m.name) for label in (BASE, HEAD)),
            Cell(formatting.ranged(ratio := judgements[m.name].ratio), ratio.value, raw.record(run)),
            Cell(word(judgements[m.name])),
        ]
        for m in MEASURES
        if m.name in judgements
    ]


def _median(run: Run, record: Record, label: str, measure: str) -> Cell:
    trials = column(label, run.data.trials)
    return figured(record.summary.get(label, {}).get(measure), raw.median(run, trials, measure))


def texts(run: Run) -> list[list[str]]:
    """What stands in the cells."""
    return [[cell.text for cell in row] for row in rows(run)]


def word(judgement: Judgement) -> str:
    """A measure's verdict in words."""
    short = judgement.word == "worse" and not judgement.regressed
    return f"{judgement.word}{', within the margin' if short else ''}{further(judgement)}"


def markdown(run: Run) -> str:
    """Both commits, the verdict, every measure with ratio, interval and word, and the command that repeats it.

    Args:
        run: A regression test.
    """
    record, head = run.sections(Record), ["| " + " | ".join(HEADS) + " |", "| --- | ---: | ---: | ---: | --- |"]
    table = [f"| {' | '.join(cells)} |" for cells in texts(run)]
    verdict = str(record.verdict[0]) if record.verdict else "There is no verdict: no trial was summed up."
    sides = [f"- {label}: {_described(side)}" for label, side in record.sides.items()]
    stack = run.data.stack
    where = f"On the {stack.kind} stack ({stack.bus}, {stack.store}). " if stack else ""
    small = f"<sub>{where}{how(record)} Again: `{command(run)}`</sub>"
    return "\n".join([f"**{verdict}**", "", *head, *table, "", *sides, "", small, ""])


def _described(side: Side) -> str:
    changed = f", {formatting.counted(len(side.changed), 'file')} not as committed" if side.changed else ""
    return f"{title(side)}, “{side.subject}”{changed}"


def how(record: Record) -> str:
    """What the intervals are."""
    if not record.answer:
        return ""
    sure = formatting.plain(round(100 * (1 - record.answer.error), 2))
    words = f"Medians; ratios over rounds. An interval decides from {sure} % on, so that all measures together call"
    few = [j for j in record.answer.judgements.values() if (j.ratio.confidence or 1) < 1 - record.answer.error - 1e-9]
    most = max((judgement.further or 0 for judgement in few), default=0)
    lacking = f"; for that the rounds are too few, {most} more would do" if few else ""
    return f"{words} equal versions worse in at most 5 of 100 runs{lacking}."


def repeating(run: Run) -> dict[str, Any]:
    """The parameters that repeat the run: commits in place of names that move on."""
    sides, given = run.sections(Record).sides, dict(run.data.parameters)
    for name, label in (("BASE", BASE), ("HEAD", HEAD)):
        side = sides.get(label)
        if side and not side.changed:
            given[name] = side.commit[:DIGITS]
    return given


def command(run: Run) -> str:
    """The command that repeats the run: both versions, and what is not as usual."""
    given, usual = repeating(run), asdict(Regression())
    ordered = {
        name: given[name]
        for name in usual
        if name in given and (name in {"BASE", "HEAD"} or given[name] != usual[name])
    }
    return f"make regression {shlex.join(f'{name}={_word(value)}' for name, value in ordered.items())}"


def _word(value: object) -> str:
    """A value as it is typed: whole numbers without a point."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
