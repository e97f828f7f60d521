"""An ablation's results as rows of short texts: one source for the report's tables and the terminal.

Pure: run.json in, text out. Medians over the valid trials; what was not measured is a dash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation.contributions import MEASURES, ByMeasure, trials
from sentinel.lab.experiments.ablation.record import Record
from sentinel.lab.formatting import NOTHING
from sentinel.lab.presentation.tables import Cell
from sentinel.lab.report.answers import raw
from sentinel.lab.report.terminal import with_notes
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from sentinel.lab.experiments.ablation.contributions import Contribution
    from sentinel.lab.run.run import Run
    from sentinel.lab.statistics.compare import Ratio
    from sentinel.lab.statistics.metrics import Measure

HEADS = ("before → after", "switched on", "share", "÷ without it", "")


@dataclass(frozen=True)
class Table:
    """One measure: a row a choice, the whole way last."""

    title: str
    """`Capacity, msg/s`."""
    rows: list[list[Cell]]
    """Head, then a cell for each of `HEADS`."""
    note: str
    """How the figures came about."""


def by_measure_of(run: Run) -> ByMeasure:
    """The contributions that a run's record holds.

    Args:
        run: An ablation.

    Returns:
        A contribution for every choice, in the order of the steps, by measure; measures that no trial took are left
        out.

    Raises:
        RunRecordError: the record is damaged; the message names the file and the key.
    """
    record = run.sections(Record)
    measured = {name for medians in record.summary.values() for name in medians}
    return {m: record.steps[m.name] for m in MEASURES if m.name in measured}


def tables(run: Run) -> list[Table]:
    """A table for every measure."""
    return [_table(run, measure, steps) for measure, steps in by_measure_of(run).items()]


def _table(run: Run, measure: Measure, steps: list[Contribution]) -> Table:
    record, filed = run.sections(Record), raw.record(run)
    new, old = record.compared
    total, ends = record.ratios.get(measure.name), [record.summary[name].get(measure.name) for name in (old, new)]
    rows = [
        [
            Cell(c.choice.label),
            Cell(_way([c.medians.get(name) for name in (c.choice.before, c.choice.after)]), raw=filed),
            _factor(c.on, filed),
            Cell(NOTHING if c.share is None else f"{round(100 * c.share)} %", c.share),
            _factor(c.off, filed),
            Cell(c.says),
        ]
        for c in steps
    ]
    whole = [Cell(f"{new} ÷ {old}"), Cell(_way(ends), raw=filed), _factor(total, filed)]
    rest = [Cell(NOTHING), Cell(NOTHING), Cell("")]
    return Table(f"{measure.title}, {measure.unit}", [*rows, [*whole, *rest]], _note(run, measure, steps))


def _way(ends: list[float | None]) -> str:
    return " → ".join(map(formatting.figure, ends))


def _factor(ratio: Ratio | None, filed: str) -> Cell:
    return Cell(formatting.ranged(ratio), ratio.value if ratio else None, filed)


def _note(run: Run, measure: Measure, steps: list[Contribution]) -> str:
    band = formatting.floor(steps[0].band)
    if not measure.repeated:
        return f"one memray trial each (n = 1), so no intervals; up to {band} either way nothing differs."
    return (
        f"medians of {trials(steps)} each, ratios with"
        f" {formatting.intervals(ratio for step in steps for ratio in (step.on, step.off))}; {_floor(run, steps)}."
    )


def _floor(run: Run, steps: list[Contribution]) -> str:
    """The noise floor of a measure's ratios, and where it comes from."""
    record, band = run.sections(Record), max(step.band for step in steps)
    if not band:
        return f"no noise floor is known, for {record.compared[0]} has no valid second leg"
    why = f"A/A, from a second leg of {record.compared[0]}" if record.noise.again else "assumed: there is no second leg"
    return f"noise floor {formatting.floor(band)} either way ({why})"


NOTES = (
    "Switched on: the step ÷ the step before it, in the order of the rows. Share: of the whole way on a log scale,"
    " where factors add up. ÷ without it: optimised ÷ optimised without the choice.",
    "Pays: both ratios are better, their intervals excluding 1 and the ratios beyond the noise floor; does not pay:"
    " neither is; depends: one is; unresolved: one or both say neither this nor no difference, and more rounds would;"
    " unstable: no number of rounds within reach would, so far do equal trials differ.",
)


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal: without the ways of the single choices."""
    shown = tables(run)
    if not shown:
        return f"run {run.id}: no results"
    lines: list[str] = []
    for contribution in shown:
        heads, kept = ["", *HEADS[1:]], [[cell.text for cell in (row[0], *row[2:])] for row in contribution.rows]
        lines += [*([""] if lines else []), f"{contribution.title}: {contribution.rows[-1][1].text}"]
        lines += text_table.table(heads, kept, width=text_table.columns())
    return with_notes(run, lines, [*(f"{contribution.title}: {contribution.note}" for contribution in shown), *NOTES])
