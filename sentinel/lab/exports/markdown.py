"""A run as Markdown, for a pull request or a CI's summary: verdict, budgets, key table. Pure: run.json in, text out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting, registry
from sentinel.lab.budgets import asked
from sentinel.lab.presentation.phrase import Strong
from sentinel.lab.statistics.metrics import MEASURES, measure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.run.run import Run


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`."""
    return {f"{runs[0].id}.md": "\n".join(map(of, runs))}


def of(run: Run) -> str:
    """Verdict, budgets, the key results and where they are from.

    Args:
        run: A run of any experiment; where it has a table of its own for a pull request, that is taken.
    """
    known = registry.find(run.data.notebook)
    if known and known.markdown:
        results = [known.markdown(run)]
    else:
        answer = [f"- {_sentence(phrase)}" for phrase in registry.answer(run)]
        results = [*answer, "", *_key_table(run), "", *_about(run), ""]
    budgets = ["", *table(["", *asked.HEADS], asked.cells(run.data.budgets), left=3)] if run.data.budgets else []
    return "\n".join([f"### {run.data.notebook}: {run.id}", *budgets, "", *results])


def _sentence(phrase: Phrase) -> str:
    """What decides in it is bold."""
    return "".join(f"**{escaped(part)}**" if isinstance(part, Strong) else escaped(part) for part in phrase)


def _key_table(run: Run) -> list[str]:
    """A row a measure, a column a configuration, and the ratio of the two that are compared."""
    data = run.data
    columns = [name for name, values in data.summary.items() if values]
    names = sorted({name for column in columns for name in data.summary[column] if _shown(name)}, key=_place)
    new, old = data.compared
    several = new != old
    rows = [
        [_head(name), *(_value(run, column, name) for column in columns), *([_ratio(run, name)] if several else [])]
        for name in names
    ]
    return table(["measure", *columns, *([f"{new} ÷ {old}"] if several else [])], rows) if rows else ["No results."]


def _shown(name: str) -> bool:
    """Whether it is a key result: neither the load generator's own nor a single message's."""
    kind, _, percentile = name.rpartition("_")
    return measure(name) is not None and kind != "send_delay" and percentile != "max"


def _place(name: str) -> tuple[int, str, float]:
    """Capacity and costs first, then latencies by kind, percentiles rising."""
    if name in MEASURES:
        return list(MEASURES).index(name), "", 0.0
    kind, _, percentile = name.rpartition("_")
    return len(MEASURES), kind, float(percentile.removeprefix("p"))


def _head(name: str) -> str:
    known = measure(name)
    if known is None or known.unit in known.title:
        return known.title if known else name
    return f"{known.title}, {known.unit}"


def _value(run: Run, column: str, name: str) -> str:
    return formatting.figure(run.data.summary[column].get(name))


def _ratio(run: Run, name: str) -> str:
    return formatting.ranged(run.data.ratios.get(name))


def _about(run: Run) -> Iterator[str]:
    """Stack, machine and commit, and how many warnings there are."""
    data = run.data
    git = data.machine.git or {}
    stack = data.stack.label.rstrip(".") if data.stack else ""
    parts = [stack, data.machine.cpu_model or "", f"commit {git.get('commit', 'unknown')[:12]}"]
    if data.warnings:
        parts.append(formatting.counted(len(data.warnings), "warning"))
    yield f"<sub>Medians; ratios over rounds. {escaped('; '.join(part for part in parts if part))}.</sub>"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> list[str]:
    """A table's lines.

    Args:
        heads: A text a column.
        rows: As many cells as heads each.
        left: How many columns are aligned left; the others are aligned right.
    """
    lines = [[escaped(cell) for cell in row] for row in (heads, *rows)]
    rule = ["---"] * left + ["---:"] * (len(heads) - left)
    return [f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:])]


def escaped(text: str) -> str:
    """Text that Markdown takes for nothing else, in one line.

    Args:
        text: As it is to be read.
    """
    return "".join(f"\\{sign}" if sign in r"\`*_|<>[]" else " " if sign.isspace() else sign for sign in text)
