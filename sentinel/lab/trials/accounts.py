"""The accounts of a trial: what the programs' ledgers, the bus and the store say of its messages, side by side."""

from __future__ import annotations

import time
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sentinel import bus, store
from sentinel.errors import SentinelError
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import WARM_UP
from sentinel.lab.statistics import tails
from sentinel.lab.statistics.hgrm import distribution
from sentinel.lab.statistics.sustained import Pace, faults
from sentinel.load import schedule
from sentinel.model.histogram import BITS, SIZE, middles
from sentinel.model.ledger import ConsumerLedger, SenderLedger
from sentinel.settings import BURSTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.model.histogram import Recorder
    from sentinel.settings import BusSettings, StoreSettings

COUNTED_WITHIN = 180.0
"""Seconds that a store may take to count: InfluxDB 1.x goes through all series, and each source has one."""
SETTLE = 5.0
"""Seconds that the store is given until its own count agrees: some show points a little after their 2xx."""


def account(outcome: Outcome, folder: Path, on_bus: BusSettings, in_store: StoreSettings, tag: str) -> None:
    """Fill the outcome of a trial that has ended: its ledgers, whether it is valid, and what it measured.

    Args:
        outcome: Whose plan was carried out; what speaks against the trial is added to its `problems`.
        folder: What the trial's programs left.
        on_bus: The trial's own stream or channel.
        in_store: Where its points are.
        tag: The `run` tag of its points.
    """
    reports = [series.ledger(sender) for sender in series.senders(folder)]
    consumer = series.ledger(folder / series.CONSUMER)
    if not consumer or not reports or not all(reports):
        outcome.problems.append("a ledger is missing")
        return
    sent = sent_by(reports)
    got = ConsumerLedger(**consumer["ledger"])
    outcome.sender, outcome.consumer = asdict(sent), asdict(got)
    outcome.started = min(r["started"] for r in reports)
    offered = sent.sent + sent.failed
    outcome.message_bytes = round(sent.bytes / offered, 1) if offered else None
    outcome.problems += sent.problems() + got.problems()
    try:
        outcome.unread = bus.unread(on_bus)
        outcome.stored = stored(in_store, tag, got.kept)
    except SentinelError as error:
        outcome.problems.append(str(error))
    _compare(outcome, sent, got)
    _measure(outcome, folder, consumer, got)
    if outcome.plan.paced:
        measure_latencies(outcome, folder)
        judge_pace(outcome, folder, sent.unsent)


def sent_by(reports: Sequence[Mapping[str, Any]]) -> SenderLedger:
    """The ledgers of all that sent, added up.

    Args:
        reports: The `ledger.json` of each.
    """
    return SenderLedger(**{f.name: sum(r["ledger"][f.name] for r in reports) for f in fields(SenderLedger)})


def stored(settings: StoreSettings, tag: str, expected: int) -> int:
    """The store's own count; asked again for a moment where it is lower than expected.

    Args:
        settings: The store.
        tag: The `run` tag of the points.
        expected: Points.

    Raises:
        StoreError: no answer.
    """
    settings = replace(settings, timeout=max(settings.timeout, COUNTED_WITHIN))
    server = store.identify(settings)
    end = time.monotonic() + SETTLE
    while (count := store.count(settings, server, tag)) < expected and time.monotonic() < end:
        time.sleep(0.2)
    return count


def _compare(outcome: Outcome, sent: SenderLedger, got: ConsumerLedger) -> None:
    """What does not add up between sender, consumer, bus and store."""
    outcome.lost = max(0, sent.sent - (got.received - got.duplicated) - outcome.unread)
    if outcome.stored is not None and outcome.stored != got.kept:
        outcome.problems.append(f"the store holds {outcome.stored:,} points, but acknowledged {got.kept:,}")
    if not outcome.plan.paced and (outcome.unread or outcome.lost):
        outcome.problems.append(f"{outcome.unread:,} messages were left unread, {outcome.lost:,} were lost")
    if not got.written:
        outcome.problems.append("no message was stored, so nothing was measured")
    outcome.valid = not outcome.problems


def _measure(outcome: Outcome, folder: Path, consumer: dict[str, Any], got: ConsumerLedger) -> None:
    """Throughput and cost."""
    paced = outcome.plan.paced
    start = outcome.started if paced else consumer["first_read"]
    begin, before = (consumer["first_stored"], consumer["first_batch"]) if paced else (start, 0)
    seconds = (consumer["last_stored"] - begin) / 1e9
    outcome.throughput = (got.written - before) / seconds if seconds > 0 else 0.0
    outcome.cpu_us = 1e6 * consumer["cpu_seconds"] / got.received if got.received else None
    frame = series.resources(folder, start)
    rss = frame[frame["process"] == "consumer"]["rss"]
    outcome.peak_rss_mb = round(float(rss.max()), 1) if len(rss) else None


def measure_latencies(outcome: Outcome, folder: Path) -> None:
    """Fill the latencies of a trial under a paced load, the warm-up left out; histograms go into its folder."""
    for kind, recorder in series.histograms(folder, outcome.started + int(WARM_UP * 1e9)).items():
        outcome.latencies[kind] = series.percentiles(recorder, tails.names(outcome.plan.percentiles))
        write_hgrm(recorder, folder / f"{kind}.hgrm")


def write_hgrm(recorder: Recorder, path: Path) -> None:
    """The histogram as HdrHistogram's percentile distribution, for any HdrHistogram plotter.

    Zero and negative durations stand in it as zeros.

    Args:
        recorder: Durations in ns; in the file they are ms.
        path: The file, which is replaced.
    """
    full = np.flatnonzero(recorder.counts)
    values, counts = middles()[full] / 1e6, recorder.counts[full]
    if below := recorder.zero + recorder.negative:
        values, counts = np.r_[0.0, values], np.r_[below, counts]
    path.write_text(distribution(values, counts, octaves=SIZE >> BITS, steps=1 << BITS), encoding="utf-8")


def judge_pace(outcome: Outcome, folder: Path, unsent: int) -> None:
    """Say whether the consumer kept pace with the load.

    Args:
        outcome: Of a paced trial; told whether it was sustained, and why not.
        folder: The trial's.
        unsent: Messages that could not be sent.
    """
    load = outcome.plan.load
    span = folder, outcome.started, WARM_UP, load.duration
    outcome.growth = series.backlog_growth(*span)
    in_bursts = load.loop == BURSTS
    flushed = _within(*span) if in_bursts else series.flushed(*span)
    offered = schedule.due(load, WARM_UP, load.duration) / (load.duration - WARM_UP) if in_bursts else None
    if flushed is not None:
        # From one flush to another the count is fair to all, however long a batch waits.
        outcome.throughput = flushed[0] / flushed[1]
    outcome.unsustained = faults(load, Pace(unsent, outcome.growth, flushed, series.drift(*span), offered))
    outcome.sustained = not outcome.unsustained


def _within(trial: Path, start: int, since: float, until: float) -> tuple[int, float]:
    """Messages stored between two moments, by the counts noted last before each, and the seconds in between.

    For a load in bursts: of its flushes most lie within one of them. At its moments nothing is on the way.
    """
    notes = [(line["at"], line["written"]) for line in series.flow(trial)]
    first, last = (max((n for at, n in notes if at <= start + end * 1e9), default=0) for end in (since, until))
    return last - first, until - since
