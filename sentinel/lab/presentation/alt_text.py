"""What each figure shows, in words with numbers, for those who do not see it. Pure; one function per figure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.lab.events.event import told
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.events.timelines import Timeline
    from sentinel.lab.limits.bounds import Throughput
    from sentinel.lab.limits.limit import Limit
    from sentinel.lab.profiling.stacks import Breakdown
    from sentinel.lab.run.queries import Curve

NAMES = {"internal": "internal", "e2e": "end to end", "stored": "stored", "send_delay": "send delay"}


def spectrum(panels: Mapping[str, Sequence[Curve]], percentiles: Sequence[str] = ("p50", "p99")) -> str:
    """The percentiles of every curve, in ms; the maximum in place of those that a trial's messages do not carry.

    Args:
        panels: Curves by kind of latency; see `queries.latencies`.
        percentiles: Names, rising.
    """
    sentences = [f"Percentile spectra of latency in milliseconds, {formatting.counted(len(panels), 'panel')}."]
    for kind, curves in panels.items():
        parts = []
        for curve in curves:
            whole, fewest = curve.whole, min(map(len, curve.repeats))
            shares = {name: tails.share(name) for name in percentiles if tails.carried(name, fewest)}
            if len(shares) < len(percentiles):
                shares["maximum"] = 1.0
            told = (f"{name} {formatting.figure(whole.quantile(q) / 1e6)}" for name, q in shares.items())
            n = formatting.counted(len(curve.repeats), "trial")
            parts.append(f"{curve.label} {', '.join(told)} (n = {n})")
        sentences.append(f"{NAMES.get(kind, kind).capitalize()}: {'; '.join(parts)}.")
    return " ".join(sentences)


def over_time(timelines: Sequence[Timeline]) -> str:
    """Highest backlog, mean CPU and peak memory of the consumer in every trial, and how often something held it up.

    Args:
        timelines: Trials over time; see `events/timelines.py`.
    """
    sentences = ["Throughput, backlog, CPU and memory over time, one trial in each row."]
    for line in timelines:
        consumer = line.resources[line.resources["process"] == "consumer"]
        parts = [f"backlog up to {formatting.count(line.counts['backlog'].max())} messages"]
        if len(consumer):
            parts.append(f"consumer at {formatting.figure(float(consumer['cpu'].mean()))} % of one core on average")
            parts.append(f"and up to {formatting.figure(float(consumer['rss'].max()))} MB of memory")
        events = f"; marked: {told(line.events)}" if line.events else ""
        sentences.append(f"{line.label}, {' '.join(line.note.split())}: {', '.join(parts)}{events}.")
    return " ".join(sentences)


def capacity(rates: Mapping[str, Sequence[float]]) -> str:
    """Median, range and n of every row.

    Args:
        rates: Messages per second of each trial by label; see `queries.capacities`.
    """
    parts = [
        f"{name} {formatting.figure(statistics.median(values))} ({formatting.figure(min(values))} to"
        f" {formatting.figure(max(values))}, n = {formatting.counted(len(values), 'trial')})"
        for name, values in rates.items()
    ]
    return f"Capacity in messages per second on a log axis, one dot per trial, medians: {'; '.join(parts)}."


def memory(summaries: Mapping[str, Mapping[str, Any]]) -> str:
    """Bytes and allocations of every bar.

    Args:
        summaries: memray's summaries by configuration; see `trial_record.Memory`.
    """
    parts = [
        f"{name} {formatting.figure(summary['bytes_per_message'])} bytes in"
        f" {formatting.figure(summary['allocations_per_message'])} allocations"
        for name, summary in summaries.items()
    ]
    return f"Allocated per message, on log axes: {'; '.join(parts)}."


def memory_difference(rows: Sequence[tuple[str, float, float]], pair: tuple[str, str]) -> str:
    """The three largest changes.

    Args:
        rows: Place, and bytes per message before and after; largest change first.
        pair: The configurations before and after.
    """
    parts = [f"{place} from {formatting.figure(old)} to {formatting.figure(new)}" for place, old, new in rows[:3]]
    largest = f" Largest: {'; '.join(parts)}." if parts else ""
    return f"The {len(rows)} places where bytes per message changed most from {pair[0]} to {pair[1]}.{largest}"


def limits(measured: Sequence[Limit], reached: Sequence[Throughput]) -> str:
    """Median, range and n of every limit, and the share that every throughput is of its own.

    Args:
        measured: The machine's limits.
        reached: What configurations reached, msg/s.
    """
    bars = [
        f"{limit.name} {formatting.figure(limit.median)} {limit.unit} ({formatting.figure(min(limit.values))} to"
        f" {formatting.figure(max(limit.values))}, n = {len(limit.values)})"
        for limit in measured
    ]
    marks = [
        f"{throughput.label} {'at least ' if throughput.at_least else ''}{formatting.figure(throughput.value)} msg/s,"
        f" {throughput.against}"
        for throughput in reached
    ]
    against = f" Held against them: {'; '.join(marks)}." if marks else ""
    return f"What Redis alone and the store alone can do, on a log axis, medians: {'; '.join(bars)}.{against}"


def stages(breakdowns: Mapping[str, Breakdown]) -> str:
    """The share of every stage, and the microseconds per message of all.

    Args:
        breakdowns: Shares by stage, by configuration.
    """
    sentences = ["Share of CPU samples by stage of the consumer, in percent, a panel a configuration."]
    for name, breakdown in breakdowns.items():
        parts = ", ".join(f"{stage} {100 * share:.1f}" for stage, share in breakdown.shares.items())
        whole = (
            f"{formatting.figure(breakdown.cpu_us)} µs per message"
            if breakdown.cpu_us is not None
            else "CPU per message unknown"
        )
        sentences.append(f"{name}, {whole}, n = {formatting.count(breakdown.samples)} samples: {parts}.")
    return " ".join(sentences)
