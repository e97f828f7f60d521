"""What a trial left in its folder, as data: intervals, histograms, resources. Raw in, numbers out."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sentinel.lab.statistics import tails
from sentinel.lab.statistics.backlog import backlog, sent_at
from sentinel.model.histogram import Recorder
from sentinel.runtime.record import INTERVALS, LEDGER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

CONSUMER, LOAD, AGENT, RESOURCES = "consumer", "load", "agent", "resources.csv"
TAP = "tap"
"""Folder of what a tap between consumer and store saw, where a trial had one."""
VISIBLE = "visible"
"""Folder, and kind of latency, of what a reader beside a trial saw."""
SAMPLE_EVERY = 0.25
"""Seconds between readings of the processes' CPU and memory."""
QUANTILES = {name: tails.share(name) for name in tails.KEPT}
FEW = 10
"""Messages below which a median says little."""


def intervals(folder: Path) -> list[dict[str, Any]]:
    """The lines of one record's `intervals.jsonl`.

    Args:
        folder: The folder of one program's record in a trial's folder.

    Returns:
        Lines in order, counts and histograms by key; empty where the file is missing.
    """
    path = folder / INTERVALS
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def flow(trial: Path) -> list[dict[str, Any]]:
    """What was stored over time: as the tap saw it, where the trial had one, else as the consumer recorded it."""
    return intervals(trial / TAP) or intervals(trial / CONSUMER)


def ledger(folder: Path) -> dict[str, Any]:
    """A record's `ledger.json`.

    Args:
        folder: The folder of one program's record in a trial's folder.

    Returns:
        Values by key; empty where the program did not come to write it.
    """
    path = folder / LEDGER
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def load_folders(folder: Path) -> list[Path]:
    """Folders of the load generator's processes, sorted by name.

    Args:
        folder: A trial's folder.
    """
    return sorted((folder / LOAD).glob("[0-9]*"))


def senders(folder: Path) -> list[Path]:
    """Folders of all programs that sent messages: the load generator's processes, and the agent where there was one.

    Args:
        folder: A trial's folder.
    """
    return [*load_folders(folder), *(path for path in [folder / AGENT] if path.exists())]


def histogram(lines: Iterable[dict[str, Any]], kind: str, since: int = 0) -> Recorder:
    """One kind of latency, merged over several intervals.

    Args:
        lines: Lines of a record.
        kind: The key of the histogram in each.
        since: Intervals that end later than this count, ns since the epoch.

    Returns:
        Durations in ns; empty where no line has that key.
    """
    merged = Recorder()
    for line in lines:
        if line["at"] > since and kind in line:
            merged.merge(Recorder.from_dict(line[kind]))
    return merged


def histograms(trial: Path, since: int) -> dict[str, Recorder]:
    """A trial's latencies, merged over its intervals.

    Args:
        trial: The trial's folder.
        since: Intervals that end later than this count, ns since the epoch.

    Returns:
        By kind: internal, e2e, stored, send_delay, and visible where a reader read points back, in ns.
    """
    lines = intervals(trial / CONSUMER)
    delays = [line for folder in load_folders(trial) for line in intervals(folder)]
    recorders = {kind: histogram(lines, kind, since) for kind in ("internal", "e2e")}
    recorders["stored"] = histogram(flow(trial), "stored", since)
    if seen := intervals(trial / VISIBLE):
        recorders[VISIBLE] = histogram(seen, VISIBLE, since)
    return recorders | {"send_delay": histogram(delays, "delay", since)}


def percentiles(recorder: Recorder, more: Iterable[str] = ()) -> dict[str, float]:
    """The percentiles of one kind of latency.

    Args:
        recorder: Durations in ns.
        more: Names of percentiles besides the usual ones, such as `p99.99`.

    Returns:
        Milliseconds at `QUANTILES`, at those and `max` (left out where there is no message), and the counts of messages
        `n`, `zero` and `negative`.
    """
    shares = {**QUANTILES, **{name: tails.share(name) for name in more}, "max": 1.0}
    values = {name: recorder.quantile(q) / 1e6 for name, q in shares.items()}
    known = {name: round(value, 6) for name, value in values.items() if np.isfinite(value)}
    return known | {"n": len(recorder), "zero": recorder.zero, "negative": recorder.negative}


def progress(trial: Path, start: int) -> pd.DataFrame:
    """Counts over time, at the moments of the consumer's record, or of the tap's where there was one.

    Args:
        trial: The trial's folder.
        start: When its load began, ns since the epoch.

    Returns:
        Columns sent, received, written, backlog (messages), index seconds since `start`; no rows where a record is
        missing.
    """
    consumer, noted = flow(trial), {folder: intervals(folder) for folder in senders(trial)}
    if not (consumer and noted and all(noted.values())):
        return pd.DataFrame(columns=["sent", "received", "written", "backlog"])
    at = np.array([line["at"] for line in consumer], dtype=np.int64)
    sent = sum((_sent(folder, lines, start, at) for folder, lines in noted.items()), np.zeros(len(at)))
    counts = {name: [line[name] for line in consumer] for name in ("received", "written")}
    index = pd.Index((at - start) / 1e9, name="seconds")
    return pd.DataFrame({"sent": sent, **counts, "backlog": backlog(sent, consumer)}, index=index)


def _sent(folder: Path, lines: list[dict[str, Any]], start: int, at: NDArray[np.int64]) -> NDArray[np.float64]:
    """One sender's count at given moments (ns), from none at `start` on."""
    notes = [(start, 0), *((line["at"], line["sent"]) for line in lines)]
    return sent_at(at, notes, steps=folder.name == AGENT)


def backlog_growth(trial: Path, start: int, since: float, until: float) -> float:
    """Messages by which the backlog grew between two moments.

    From the mean of the first second to that of the last: a writer that flushes once a second makes a sawtooth of it.

    Args:
        trial: The trial's folder.
        start: When its load began, ns since the epoch.
        since: The first moment, in seconds from `start`.
        until: The second.
    """
    waiting = progress(trial, start)["backlog"]
    first = waiting[(waiting.index >= since) & (waiting.index < since + 1)]
    last = waiting[(waiting.index > until - 1) & (waiting.index <= until)]
    return float(last.mean() - first.mean()) if len(first) and len(last) else 0.0


def flushed(trial: Path, start: int, since: float, until: float) -> tuple[int, float] | None:
    """Messages stored from one flush to another, and the seconds from the one answer of the store to the other.

    The first is the last flush that was noted first after `since`, the second the last one answered by `until`.

    Args:
        trial: The trial's folder.
        start: When its load began, ns since the epoch.
        since: The first moment, in seconds from `start`.
        until: The second.

    Returns:
        Messages and seconds; None where there are no two flushes, or in records of an older consumer.
    """
    lines = [line for line in flow(trial) if line["at"] > start + since * 1e9]
    flushes = [(line["written"], line["last_stored"]) for line in lines if line.get("last_stored")]
    in_time = [flush for flush in flushes if flushes[0][1] < flush[1] <= start + until * 1e9]
    if not in_time:
        return None
    return in_time[-1][0] - flushes[0][0], (in_time[-1][1] - flushes[0][1]) / 1e9


def drift(trial: Path, start: int, since: float, until: float) -> dict[str, tuple[float, float]]:
    """The median latency at the beginning and at the end of a stretch of time.

    Args:
        trial: The trial's folder.
        start: When its load began, ns since the epoch.
        since: The first moment, in seconds from `start`.
        until: The second.

    Returns:
        p50 (ms) in the first and in the last third, by kind: e2e and stored. The last third ends with the last message;
        NaN for fewer than `FEW` messages.
    """
    lines, third = flow(trial), (until - since) / 3
    measured = [(line, (line["at"] - start) / 1e9) for line in lines if line["at"] > start + since * 1e9]
    first = [line for line, at in measured if at <= since + third] or [line for line, _ in measured[:1]]
    last = [line for line, at in measured if at > until - third]
    return {kind: (_middle(first, kind), _middle(last, kind)) for kind in ("e2e", "stored")}


def _middle(lines: list[dict[str, Any]], kind: str) -> float:
    recorder = histogram(lines, kind)
    return recorder.quantile(0.5) / 1e6 if len(recorder) >= FEW else math.nan


def resources(trial: Path, start: int) -> pd.DataFrame:
    """CPU and memory of a trial's processes over time.

    Args:
        trial: The trial's folder.
        start: The moment 0, ns since the epoch.

    Returns:
        Columns seconds (since `start`), process, cpu (percent of one core), rss (MB); a row for each reading.
    """
    path = trial / RESOURCES
    if not path.exists():
        return pd.DataFrame(columns=["seconds", "process", "cpu", "rss"])
    frame = pd.read_csv(path)
    frame["seconds"] = (frame["at"] - start) / 1e9
    frame["rss"] = frame["rss_bytes"] / 1e6
    by_process = frame.groupby("process")
    frame["cpu"] = 100 * by_process["cpu_seconds"].diff() / by_process["seconds"].diff()
    # A process that has just ended is still listed, without memory.
    return frame[frame["rss"] > 0].dropna(subset=["cpu"])[["seconds", "process", "cpu", "rss"]]
