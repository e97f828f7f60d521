"""A sweep's record made ready to be drawn, tabled or printed: points by configuration, key results as short texts.

Pure: run.json in, data and text out. What is not there is a dash.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep.answer import interval
from sentinel.lab.experiments.sweep.knee import CONFIRM
from sentinel.lab.experiments.sweep.record import Record
from sentinel.lab.experiments.sweep.summary import COST
from sentinel.lab.formatting import NOTHING
from sentinel.lab.index.figures import KeyFigure
from sentinel.lab.limits import bounds
from sentinel.lab.report.answers import raw
from sentinel.lab.report.answers.row import Row
from sentinel.lab.report.results import share_note
from sentinel.lab.report.terminal import key_table, with_notes
from sentinel.lab.run import queries
from sentinel.lab.statistics import published
from sentinel.lab.statistics.measures import measures
from sentinel.runtime import text_table

if TYPE_CHECKING:
    from sentinel.lab.experiments.sweep.knee import Knee, Step
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


TAILS = {"e2e": "E2E", "internal": "Internal", "send_delay": "Send delay"}
"""Kinds of latency of which one percentile is shown."""


def tail(run: Run) -> str:
    """The percentile that is shown where there is room for one: p99, or the highest that is asked for."""
    return "p99" if "p99" in (asked := queries.percentiles(run)) else asked[-1]


@dataclass(frozen=True)
class Point:
    """One valid trial of a sweep, as a figure needs it."""

    rate: float
    """Offered, msg/s."""
    verdict: str
    """`knee.HOLDS`, `FAILS` or `SILENT`."""
    values: dict[str, float]
    """See `measures.measures`."""


def tried(run: Run) -> list[tuple[Step, Outcome]]:
    """Every step of a sweep with its trial.

    Args:
        run: A sweep.

    Returns:
        Pairs in the order of configuration, rate and trial.
    """
    trials = {outcome.plan.number: outcome for outcome in queries.outcomes(run)}
    steps, order = run.sections(Record).steps, queries.names(run)
    steps.sort(key=lambda step: (order.index(step.configuration), step.rate, step.trial))
    return [(step, trials[step.trial]) for step in steps]


def knees(run: Run) -> dict[str, Knee]:
    """What the sweep of each configuration found, by configuration."""
    return run.sections(Record).knees


def confirmed(run: Run) -> list[Outcome]:
    """The confirming trials at the highest rate within the SLO, of all configurations: what budgets are held to.

    Args:
        run: A sweep.
    """
    return [o for name in knees(run) for o in confirming(run, name)]


def confirming(run: Run, name: str) -> list[Outcome]:
    """The trials that confirmed a configuration's highest rate.

    Args:
        run: A sweep.
        name: The configuration.
    """
    rate = knees(run)[name].rate
    return [o for step, o in tried(run) if (step.configuration, step.rate, step.phase) == (name, rate, CONFIRM)]


def rates(run: Run) -> dict[str, float]:
    """The highest rate within the SLO, msg/s, by configuration; those without are left out.

    Args:
        run: A sweep.
    """
    return {name: result.rate for name, result in knees(run).items() if result.rate is not None}


def points(run: Run) -> dict[str, list[Point]]:
    """Every valid trial, by configuration.

    Args:
        run: A sweep.

    Returns:
        Points by configuration, rates rising; configurations without a valid trial are left out.
    """
    collected: dict[str, list[Point]] = {}
    for step, outcome in tried(run):
        values = {name: value for name, (value,) in measures([outcome]).items()}
        if values:
            collected.setdefault(step.configuration, []).append(Point(step.rate, step.verdict, values))
    return collected


# -- key results -----------------------------------------------------------------------------------------------------


def rows(run: Run) -> list[Row]:
    """The rows of the key results: the highest rate at which each configuration meets the SLO, and its latencies there.

    Args:
        run: A sweep with a knee for every configuration.
    """
    measured = list(knees(run).values())
    limit = bounds.bound_of(run, run.data.parameters["TRANSPORT"], paced=True)
    latencies = [
        _measured(run, f"{title} {p}", "ms", f"{kind}_{p}", str(published.LATENCIES.get(f"{kind}_{p}", NOTHING)))
        for title, kind, p in (
            *(("Stored", "stored", p) for p in queries.percentiles(run)),
            *((title, kind, tail(run)) for kind, title in TAILS.items()),
        )
    ]
    return [
        Row(
            "Highest rate within the SLO",
            "msg/s",
            str(published.RATE),
            [_rate(result) for result in measured],
            run.sections(Record).ratios["held"],
            values=tuple(result.rate for result in measured),
            raws=(raw.record(run),) * len(measured),
        ),
        Row("Interval", "msg/s", NOTHING, [interval(result.low, result.high) for result in measured]),
        Row("Interval covers, at least", "%", NOTHING, [_coverage(result) for result in measured]),
        Row("Trials that meet the SLO there", "", NOTHING, [_of(result.held) for result in measured]),
        Row("Share of the limit", "%", NOTHING, [bounds.share(result.rate, limit) for result in measured]),
        Row("Next rate offered", "msg/s", NOTHING, [_next(result) for result in measured]),
        Row("Trials that do not meet it there", "", NOTHING, [_of(result.missed) for result in measured]),
        Row("Limited there by", "", NOTHING, [result.why or NOTHING for result in measured]),
        *latencies,
        _measured(run, "CPU per message", "µs", "cpu_us"),
    ]


def _next(result: Knee) -> str:
    return NOTHING if result.next is None else formatting.plain(result.next)


def _rate(result: Knee) -> str:
    if result.rate is None:
        return NOTHING
    return f"{'≥ ' if result.at_least else ''}{formatting.plain(result.rate)}"


def _coverage(result: Knee) -> str:
    return NOTHING if result.coverage is None else f"{100 * result.coverage:.0f}"


def _of(counts: tuple[int, int]) -> str:
    return f"{counts[0]} of {counts[1]}" if counts[1] else NOTHING


def _measured(run: Run, name: str, unit: str, measure: str, published: str = NOTHING) -> Row:
    """Medians over the confirming trials at the highest rate that meets the SLO."""
    record = run.sections(Record)
    values = tuple(record.summary[key].get(measure) for key in knees(run))
    raws = tuple(raw.median(run, confirming(run, key), measure) for key in knees(run))
    cells = [formatting.figure(value) for value in values]
    return Row(name, unit, published, cells, record.ratios.get(measure), values=values, raws=raws)


def footnotes(run: Run) -> list[str]:
    """The notes below the table of key results, in sentences."""
    slo = formatting.plain(run.data.parameters["P99_STORED_MS"])
    notes = [
        f"SLO: nothing lost, the load sustained, stored p99 within {slo} ms. Highest rate: where more than half of the"
        " trials meet it, by a decreasing fit to all trials, climb and confirmation.",
        "Interval: from the highest rate up to which no trial fails to the lowest from which on none meets the SLO. It"
        " covers the rate that half of all trials would meet in so many sweeps at least, by sign tests at its ends.",
        "Latencies and CPU: medians of the confirming trials at the highest rate within the SLO.",
    ]
    if any(result.at_least and result.rate is not None for result in knees(run).values()):
        notes.append(
            "≥: nothing speaks against the configuration at the next rate; the load generator was the limit,"
            " or no higher rate was offered."
        )
    if (limit := bounds.bound_of(run, run.data.parameters["TRANSPORT"], paced=True)) is not None:
        shares = [bounds.share(result.rate, limit) for result in knees(run).values()]
        notes.append(share_note("the highest rate", limit, shares))
    names = queries.names(run)
    if len(names) > 1:
        pair = f"{names[-1]} ÷ {names[0]}"
        notes.append(f"Ratio of rates: {pair}, with its range from one end of the intervals to the other.")
        if (cost := run.sections(Record).ratios.get(COST)) is not None:
            notes.append(f"Ratio of CPU per message: {pair}, each at its own highest rate ({formatting.note(cost)}).")
    return notes


def figures(run: Run) -> list[KeyFigure]:
    """The highest rate of each configuration that meets the SLO, for what stands over many runs.

    Args:
        run: A sweep; a configuration that meets the SLO at no rate offered has no figure.
    """
    title = "highest rate that meets the SLO"
    return [
        KeyFigure(name, "rate", title, "msg/s", True, knee.rate, knee.low, knee.high, knee.coverage, knee.held[1])
        for name, knee in knees(run).items()
        if knee.rate is not None
    ]


def missed(run: Run) -> str:
    """Which configurations meet the SLO at no rate offered; that loads are not sustained is a sweep's nature.

    Args:
        run: A sweep.

    Returns:
        A clause that names the configurations; empty where each meets the SLO at some rate.
    """
    none = [name for name, result in knees(run).items() if result.rate is None]
    return f"no rate offered meets the SLO: {', '.join(none)}" if none else ""


def terminal_table(run: Run) -> str:
    """The key results as plain text, as wide as a terminal."""
    if not knees(run):
        return f"run {run.id}: no results"
    several = len(queries.names(run)) > 1
    texts = [[row.head, row.published, *row.cells, *([row.bare_ratio] if several else [])] for row in rows(run)]
    heads = ["", "published", *knees(run), *(["ratio"] if several else [])]
    return with_notes(run, key_table(heads, texts, text_table.columns()), footnotes(run))
