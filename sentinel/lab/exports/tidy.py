"""Runs as a tidy table: a row a trial and measure. Pure but for its rows' runs: run.json in, rows out."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, NamedTuple

from msgspec import structs

from sentinel.errors import RunError
from sentinel.lab.run.trial_record import CONTROL, PILOT, UNTAPPED
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.metrics import measure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

FIRST = "first"
LEGS = {CONTROL: "again", UNTAPPED: "no tap", PILOT: "pilot"}
"""What is said of a leg, by the end of its label."""


class Row(NamedTuple):
    """One value that one trial measured."""

    run: str
    """The run's id."""
    notebook: str
    """The experiment."""
    commit: str
    """Of the lab's checkout; empty where it is not known."""
    configuration: str
    """What was measured; of a regression test `base` or `head`."""
    kind: str
    """`capacity`, `latency`, `memory` or `live`."""
    group: str
    """Trials of one group are compared with each other."""
    rate: float | None
    """What was offered, msg/s; None of a trial that drains a full stream."""
    round: int
    """From 0."""
    leg: str
    """`first`, or `again` (A/A control), `no tap`, `pilot`."""
    trial: int
    """Its number in the run."""
    measure: str
    """As run.json's summary calls it."""
    value: float
    """In `unit`."""
    unit: str
    """Such as `msg/s`."""
    valid: bool
    """Whether the trial counts."""


def rows(runs: Sequence[Run]) -> list[Row]:
    """Every value of every trial, valid or not.

    Args:
        runs: One or more.

    Raises:
        RunError: a run has no such value.
    """
    collected: list[Row] = []
    for run in runs:
        own = [row for outcome in run.data.trials for row in _of_trial(run, outcome)]
        if not own:
            raise RunError(f"run {run.id} has nothing to export: no trial of it measured anything")
        collected += own
    return collected


def _of_trial(run: Run, outcome: Outcome) -> Iterator[Row]:
    plan, git = outcome.plan, run.data.machine.git or {}
    configuration, leg = split(plan.label)
    for name, (value,) in measures([structs.replace(outcome, valid=True)]).items():
        known = measure(name)
        yield Row(
            run=run.id,
            notebook=run.data.notebook,
            commit=git.get("commit", ""),
            configuration=configuration,
            kind=plan.kind,
            group=plan.group,
            rate=plan.load.rate if plan.paced else None,
            round=plan.repeat,
            leg=leg,
            trial=plan.number,
            measure=name,
            value=value,
            unit=known.unit if known else "",
            valid=outcome.valid,
        )


def split(label: str) -> tuple[str, str]:
    """A label's configuration and leg.

    Args:
        label: Of a trial's plan, such as `optimised (again)`.

    Returns:
        Such as `optimised` and `again`.
    """
    for end, leg in LEGS.items():
        if label.endswith(end):
            return label.removesuffix(end), leg
    return label, FIRST


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Row._fields)
    writer.writerows(rows(runs))
    return {f"{runs[0].id}.csv": text.getvalue()}
