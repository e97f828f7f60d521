"""The key results as rows of short texts: one source for the report's table, the terminal and `sentinel runs`.

Pure: run.json in, text out. Medians over the valid trials of a column; what was not measured is a dash.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.formatting import NOTHING
from sentinel.lab.limits import bounds
from sentinel.lab.machine import jitter
from sentinel.lab.presentation import repeats
from sentinel.lab.report import contenders
from sentinel.lab.report.answers import raw
from sentinel.lab.report.answers.row import Row
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE
from sentinel.lab.statistics import published, tails
from sentinel.lab.statistics.measures import column

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.run.run import Run

MARK = "†"
"""Beside figures of a load that was not sustained."""
QUEUED = ("throughput", "internal", "e2e", "stored")
"""Measures of a load: where it was not sustained, those of a growing queue."""
LATENCIES = {"internal": "Internal", "e2e": "E2E", "stored": "Stored"}
"""Kinds of latency that every trial under a paced load has, and their heads."""


def measured(
    run: Run, name: str, unit: str, measure: str, *, headline: str = "", published: str = NOTHING, short: str = ""
) -> Row:
    """A row of medians out of run.json's summary; `headline` is the measure's name at the headline rate, if any."""
    data, marked, keys = run.data, unsustained(run), queries.keys(run)
    called = {key: headline if key == HEADLINE else measure for key in keys}
    queued = measure.split("_", maxsplit=1)[0] in QUEUED
    values = [data.summary.get(key, {}).get(called[key]) for key in keys]
    cells = [
        formatting.figure(value) + (MARK if queued and marked.get(key) else "") if value is not None else NOTHING
        for key, value in zip(keys, values, strict=True)
    ]
    spreads = [formatting.spread(data.spread.get(key, {}).get(called[key])) for key in keys]
    raws = [raw.median(run, column(key, data.trials), called[key]) for key in keys]
    return Row(
        name, unit, published, cells, data.ratios.get(measure), tuple(spreads), short, tuple(values), tuple(raws)
    )


def rows(run: Run) -> list[Row]:
    """The table in the original's shape."""
    rates = queries.rates(run)
    offered = [rates[HEADLINE if key == HEADLINE else "latency"] for key in queries.keys(run)]
    latencies = [
        row
        for kind, title in (*LATENCIES.items(), *([("visible", "Visible")] if contenders.visible(run) else []))
        for p in (*queries.percentiles(run), "max")
        for row in _latency(run, kind, p, title, _bar(f"{kind}_{p}"))
    ]
    return [
        _recorded(run, "Offered load", "msg/s", offered, formatting.plain, published=str(published.RATE)),
        measured(
            run,
            "Throughput sustained",
            "msg/s",
            "throughput",
            headline="throughput",
            published=str(published.RATE),
            short="Throughput, msg/s",
        ),
        measured(run, "Capacity", "msg/s", "capacity"),
        Row("Capacity, share of the limit", "%", NOTHING, _shares(run), short="Share of the limit, %"),
        *latencies,
        _recorded(run, "Lost", "messages", _lost(run), formatting.count),
        measured(run, "CPU per message", "µs", "capacity_cpu_us", headline="cpu_us", short="CPU, µs/message"),
        measured(run, "Allocated per message", "bytes", "bytes_per_message", short="Allocated, B/message"),
        _recorded(run, "Reduction", "%", _reductions(run), formatting.figure, published=str(published.REDUCTION)),
    ]


def _recorded(
    run: Run,
    name: str,
    unit: str,
    values: Sequence[float | None],
    shown: Callable[[float], str],
    *,
    published: str = NOTHING,
) -> Row:
    """A row of numbers that come from several trials, or from none: the run's record has them."""
    cells = [NOTHING if value is None else shown(value) for value in values]
    return Row(name, unit, published, cells, values=tuple(values), raws=(raw.record(run),) * len(cells))


def _bar(measure: str) -> str:
    return str(published.LATENCIES.get(measure, NOTHING))


def _latency(run: Run, kind: str, percentile: str, title: str, bar: str) -> list[Row]:
    """A percentile's row, with dashes where a trial's messages do not carry it; none where no column's do."""
    name, carried = f"{kind}_{percentile}", _carried(run, kind, percentile)
    row = measured(run, f"{title} {percentile}", "ms", name, headline=name, published=bar)
    if all(carried.values()):
        return [row]
    if not any(carried.values()) and bar == NOTHING:
        return []
    kept = [cell if carried[key] else NOTHING for key, cell in zip(queries.keys(run), row.cells, strict=True)]
    spreads = tuple(text if carried[key] else "" for key, text in zip(queries.keys(run), row.spreads, strict=True))
    both = all(carried.get(key, False) for key in run.data.compared)
    return [replace(row, cells=kept, spreads=spreads, factor=row.factor if both else None)]


def _carried(run: Run, kind: str, percentile: str) -> dict[str, bool]:
    """By column, whether the messages of each of its trials carry a percentile; columns without trials do."""
    outcomes = queries.outcomes(run)
    trials = {key: [o for o in queries.of_column(outcomes, key) if o.valid] for key in queries.keys(run)}
    return {key: not some or tails.carried(percentile, tails.fewest(some, kind)) for key, some in trials.items()}


def _lost(run: Run) -> list[float | None]:
    trials = queries.outcomes(run)
    columns = [[o.lost for o in queries.of_column(trials, key) if o.valid] for key in queries.keys(run)]
    return [sum(lost) if lost else None for lost in columns]


def _shares(run: Run) -> list[str]:
    """Capacities in percent of that."""
    limit = bounds.bound_of(run, "stream", paced=False)
    capacities = [run.data.summary.get(key, {}).get("capacity") for key in queries.keys(run)]
    return [bounds.share(capacity, limit) for capacity in capacities]


def _reductions(run: Run) -> list[float | None]:
    allocated = [run.data.summary.get(key, {}).get("bytes_per_message") for key in queries.keys(run)]
    first = allocated[0]
    return [100 * (1 - value / first) if number and value and first else None for number, value in enumerate(allocated)]


def unsustained(run: Run) -> dict[str, tuple[int, int]]:
    """Columns whose offered load was not sustained in (so many, of so many) valid trials."""
    outcomes = queries.outcomes(run)
    trials = {key: [o for o in queries.of_column(outcomes, key) if o.valid] for key in queries.keys(run)}
    return {key: (bad, len(own)) for key, own in trials.items() if (bad := sum(not o.sustained for o in own))}


def footnotes(run: Run) -> list[str]:
    """What a reader must know to read the table right: what its marks mean, and how the figures came about."""
    own = run.data.machine.jitter
    return [*marks(run), *notes(run), *([jitter.words(own)] if own else [])]


def marks(run: Run) -> list[str]:
    """What the marks in the table mean."""
    queued = [
        f"{MARK} {queries.label(run, key)}: load not sustained in {bad} of {formatting.counted(n, 'trial')}; latencies"
        " there"
        " are those of a growing queue, and not compared."
        for key, (bad, n) in unsustained(run).items()
    ]
    return queued + contenders.marks(run)


def notes(run: Run) -> list[str]:
    """How the figures in the table came about."""
    several = len(queries.names(run)) > 1
    among = "" if all(o.valid for o in queries.outcomes(run)) else "the valid ones of "
    values = [
        f"Medians of {among}n = {repeats.repeated(run, 'trial')}, allocation of one; {NOTHING} was not measured.",
        f"Published: {published.SOURCE}, on a machine of its own.",
        _streams(run),
        _few(run),
        "CPU is the consumer's, while it drains a full stream; at the headline rate, while it keeps up with that load.",
    ]
    values += contenders.notes(run)
    if (limit := bounds.bound_of(run, "stream", paced=False)) is not None:
        values.append(share_note("capacity", limit, _shares(run)))
    if several:
        new, old = run.data.compared
        sure = formatting.estimates(run.data.ratios.values())
        values.append(f"Ratio: {new} ÷ {old}{sure}. Reduction: allocated bytes against {old}.")
    return [note for note in values if note]


def _few(run: Run) -> str:
    """From how many messages on a tail is shown, where some column has too few."""
    tail = {p: n for p in queries.percentiles(run) if (n := tails.needed(p)) > 1}
    if all(carried for p in tail for carried in _carried(run, "e2e", p).values()):
        return ""
    needed = formatting.joined([f"{p} from {formatting.count(n)} messages a trial on" for p, n in tail.items()])
    return f"Tails are shown where a trial's messages carry them: {needed}; of fewer, the maximum is all that is known."


def share_note(what: str, limit: Limit, shares: Iterable[str]) -> str:
    """What a table's shares of the limit are shares of, and whether it is one at all."""
    note = f"Share of the limit: {what} against the {limit.words}, {formatting.figure(limit.highest)} a second at most."
    if bounds.AT_REFERENCE not in shares:
        return note
    return f"{note} It was passed, so that it is a reference and no upper bound."


def _streams(run: Run) -> str:
    """How long the streams were that the configurations drained."""
    lengths = {o.plan.load.count for o in queries.outcomes(run) if o.plan.kind == CAPACITY}
    if len(lengths) < 2:
        return ""
    return (
        f"Capacity: streams of {formatting.count(min(lengths))} to {formatting.count(max(lengths))} messages, so that"
        " each takes about as long."
    )


def key_figures(run: Run) -> dict[str, str]:
    """A few short texts that tell runs apart; dashes where a run has no such figure."""
    values = run.data
    new, old = values.compared
    last, headline = values.summary.get(new, {}), values.summary.get(HEADLINE, {})
    capacity = values.ratios.get("capacity") if new != old else None
    lost = sum(trial.lost for trial in run.data.trials if trial.valid)
    return {
        "date": run.data.created[:16].replace("T", " ") or NOTHING,
        "stack": run.data.stack.kind if run.data.stack else NOTHING,
        "last": new or NOTHING,
        "capacity/s": formatting.figure(last.get("capacity")),
        "ratio": formatting.times(capacity.value) if capacity else NOTHING,
        "e2e p99 ms": formatting.figure(headline.get("e2e_p99") if _carried(run, "e2e", "p99").get(HEADLINE) else None),
        "lost": formatting.count(lost) if run.data.trials else NOTHING,
        "B/message": formatting.figure(last.get("bytes_per_message")),
    }
