"""The sections of a report about linger, each a function of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from IPython.display import HTML

from sentinel.lab import formatting
from sentinel.lab.experiments.linger import plots
from sentinel.lab.experiments.linger.record import Record
from sentinel.lab.offered import shape
from sentinel.lab.presentation.figures import figure_html, nothing
from sentinel.lab.presentation.tables import table
from sentinel.lab.replay import words
from sentinel.lab.report import heading, terminal
from sentinel.lab.report.captions import left_out
from sentinel.lab.run.trial_record import LATENCY

if TYPE_CHECKING:
    from sentinel.lab.experiments.linger.record import Point
    from sentinel.lab.run.run import Run

HEADS = (
    "Load, msg/s", "Linger, ms", "CPU, µs/message", "CPU, % of a core", "CPU ÷ shortest", "stored p50, ms",
    "stored p99, ms",
)  # fmt: skip


def header(run: Run) -> HTML:
    """How far it can be trusted, and what was measured."""
    p = run.data.parameters
    trials = formatting.counted(len(run.data.trials), "trial")
    load = (
        f"{p['RATES'].replace(',', ', ')} msg/s{shape(run.data)} from {words.senders(run.data)} over"
        f" {p['TRANSPORT']}, {formatting.plain(p['DURATION'])} s after the warm-up,"
        f" {formatting.counted(p['REPEATS'], 'round')}"
    )
    return HTML(heading.heading(run, load, f"optimised with different lingers in {trials}, each in fresh processes."))


def trade(run: Run) -> HTML:
    """The figure: CPU against stored p99, a curve a load, a point a linger."""
    answer = run.sections(Record).answer
    if answer is None or not answer.points:
        return nothing("No valid trial: there is nothing to draw.")
    ringed = "The ring is the knee. " if answer.knee else ""
    caption = (
        f"CPU a message, as a share of that with the shortest linger, over stored p99; a point a linger. {ringed}Bars:"
        f" exact intervals over the rounds, {plots.coverage(answer.points)}.{left_out(run, LATENCY)}"
    )
    return HTML(figure_html(plots.trade(answer), caption))


def results(run: Run) -> HTML:
    """Every linger under every load."""
    answer = run.sections(Record).answer
    if answer is None or not answer.points:
        return nothing("No valid trial: there are no results.")
    return HTML(table(HEADS, [row(point) for point in answer.points]))


def row(point: Point) -> list[str]:
    """A line of the table.

    Args:
        point: One linger under one load.
    """
    of_itself = point.cpu.interval == (1.0, 1.0)
    return [
        formatting.plain(point.rate),
        f"{point.linger:g}",
        formatting.figure(point.cpu_us),
        formatting.figure(point.cpu_us * point.rate / 1e4),
        formatting.NOTHING if of_itself else formatting.ranged(point.cpu),
        formatting.figure(point.p50),
        f"{formatting.figure(point.p99.value)}{formatting.interval(point.p99)}",
    ]


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    answer = run.sections(Record).answer
    if answer is None or not answer.points:
        return f"run {run.id}: no results"
    return terminal.with_notes(run, terminal.key_table(HEADS, [row(point) for point in answer.points]), [])
