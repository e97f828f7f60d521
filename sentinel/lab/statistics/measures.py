"""What trials measured, by name: one value a trial, in the columns of a table. Pure; only valid trials count."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, MEMORY, PROFILE
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.compare import Spread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome

Columns = dict[str, dict[str, list[float]]]
"""Column of the table → measure → one value a trial."""
KINDS = ("internal", "e2e", "stored", "send_delay")
"""Of latency."""
COUNTS = ("n", "zero", "negative")
"""What a trial's latencies of one kind have beside percentiles."""


def measures(outcomes: Iterable[Outcome]) -> dict[str, list[float]]:
    """Every measure's values over the valid trials of one group.

    Args:
        outcomes: Trials of one configuration; invalid ones are left out.

    Returns:
        One value a trial, in order, by the measure's name; a trial without the measure adds none, nor does one whose
        messages do not carry a percentile.
    """
    values: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, value in _of_trial(outcome).items():
            values.setdefault(name, []).append(value)
    return values


def _of_trial(outcome: Outcome) -> dict[str, float]:
    if not outcome.valid or outcome.plan.kind == PROFILE:
        return {}
    collected: dict[str, float | None] = {"cpu_us": outcome.cpu_us, "peak_rss_mb": outcome.peak_rss_mb}
    if outcome.plan.kind == MEMORY:
        allocated = outcome.memory.get("bytes_per_message"), outcome.memory.get("allocations_per_message")
        collected = dict(zip(("bytes_per_message", "allocations_per_message"), allocated, strict=True))
    elif outcome.plan.kind == CAPACITY:
        collected = {f"capacity_{name}": value for name, value in collected.items()} | {"capacity": outcome.throughput}
    else:
        collected |= {"throughput": outcome.throughput, "lost": outcome.lost}
        for kind, known in outcome.latencies.items():
            names = (name for name in known if name not in COUNTS)
            collected |= {f"{kind}_{name}": tails.reading(outcome, kind, name) for name in names}
    return {name: value for name, value in collected.items() if value is not None}


def medians(values: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of every measure that has values.

    Args:
        values: One value a trial by measure.

    Returns:
        Medians by measure, in its unit.
    """
    return {name: statistics.median(v) for name, v in values.items() if v}


def spreads(values: Mapping[str, Sequence[float]]) -> dict[str, Spread]:
    """Smallest and largest value, and their number, of every measure that has values.

    Args:
        values: One value a trial by measure.

    Returns:
        Spreads by measure, in its unit.
    """
    return {name: Spread(min(v), max(v), len(v)) for name, v in values.items() if v}


def comparable(outcomes: Iterable[Outcome]) -> dict[str, list[float]]:
    """The values of one group's measures that can be compared: latencies only of trials that sustained their load.

    Args:
        outcomes: Trials of one configuration; invalid ones are left out.

    Returns:
        One value a trial by measure. Where fewer than two of several trials sustained their load, no latency is left.
    """
    valid = [o for o in outcomes if o.valid]
    values, loaded = measures(valid), [o for o in valid if o.plan.kind == LATENCY]
    kept = [o for o in loaded if o.sustained]
    if len(kept) == len(loaded):
        return values
    left = measures(kept) if len(kept) > 1 else {}
    return {name: v for name, v in values.items() if not _is_latency(name)} | {
        name: v for name, v in left.items() if _is_latency(name)
    }


def _is_latency(measure: str) -> bool:
    return measure.rpartition("_")[0] in KINDS


def column(name: str, outcomes: Iterable[Outcome]) -> list[Outcome]:
    """The trials of one column of the table.

    Args:
        name: A configuration's label, or `HEADLINE`.
        outcomes: Trials of a run, valid or not.
    """
    if name == HEADLINE:
        return [o for o in outcomes if o.plan.group == HEADLINE]
    return [o for o in outcomes if o.plan.label == name and o.plan.group != HEADLINE]


def columns(names: Sequence[str], outcomes: Sequence[Outcome]) -> Columns:
    """Values by column of the table: every configuration's, and the headline's.

    Args:
        names: The configurations, in order.
        outcomes: All trials of a run; invalid ones are left out.

    Returns:
        One value a trial by column and measure; a column without a valid trial is empty.
    """
    return {name: measures(column(name, outcomes)) for name in (*names, HEADLINE)}
