"""A run's key results for a terminal: the report's rows as plain text, as wide as there is room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting, registry
from sentinel.lab.machine import jitter
from sentinel.lab.report import contenders
from sentinel.lab.report.results import footnotes, rows
from sentinel.lab.run import queries
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.run.run import Run


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    if not run.data.summary:
        return f"run {run.id}: no results"
    several = len(queries.names(run)) > 1
    shown = rows(run)
    texts = [[row.short or row.head, row.published, *row.cells, *([row.ratio] if several else [])] for row in shown]
    labels = [contenders.label(run, key) for key in queries.keys(run)]
    heads = ["", "published", *labels, *(["ratio"] if several else [])]
    width, bare = text_table.columns(), [[*text[:-1], row.bare_ratio] for text, row in zip(texts, shown, strict=True)]
    lines = key_table(heads, texts)
    if several and max(map(len, lines)) > width:
        lines = key_table(heads, bare, width)
    return with_notes(run, lines, footnotes(run))


def key_table(heads: Sequence[str], texts: Iterable[Sequence[str]], width: int | None = None) -> list[str]:
    """Key results as lines of plain text, configurations' long names in narrow columns.

    Args:
        heads: Of the columns.
        texts: A row each, as many texts as there are heads.
        width: Columns of the terminal; None asks it.
    """
    return text_table.table([_narrow(head) for head in heads], texts, width=width)


def _narrow(head: str) -> str:
    return text_table.head(head.replace(",", ", ") if "=" in head else head.replace(" msg/s", "/s"), 9)


def with_notes(run: Run, lines: Iterable[str], notes: Iterable[str]) -> str:
    """What a terminal is shown of a run: its stack, the lines of its tables, notes, and the verdict.

    Args:
        run: The run.
        lines: Its tables.
        notes: What stands below them, a paragraph each.
    """
    told = map(text_table.note, [*notes, *map(str, registry.answer(run))])
    return "\n".join([text_table.note(stack_label(run)), "", *lines, "", *told])


def stack_label(run: Run) -> str:
    """Bus and store in words; empty for a study, which has none."""
    return run.data.stack.label if run.data.stack else ""


def limits_table(limits: Iterable[Limit], label: str, own: Mapping[str, float]) -> str:
    """What the parts of a stack can do alone, as plain text under the stack's label.

    Args:
        limits: A row each.
        label: The stack's.
        own: Jitter of the machine by itself, as `jitter.measure` returns it.
    """
    listed = list(limits)
    heads = ["", "median", "min", "max", "n", "unit"]
    texts = [
        [
            limit.name,
            *map(formatting.figure, (limit.median, min(limit.values), max(limit.values))),
            str(len(limit.values)),
        ]
        for limit in listed
    ]
    lines = text_table.table(heads, [[*text, limit.unit] for text, limit in zip(texts, listed, strict=True)])
    notes = [text_table.note(f"{limit.name}: {limit.words}.", indent="  ") for limit in listed]
    return "\n".join([text_table.note(label), "", *lines, "", *notes, text_table.note(jitter.words(own))])
