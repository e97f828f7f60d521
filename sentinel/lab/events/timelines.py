"""Trials over time, with what happened meanwhile: what figures over time are drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.events import trial_events
from sentinel.lab.run import queries, series
from sentinel.lab.run.trial_record import HEADLINE
from sentinel.lab.statistics import tails

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sentinel.lab.events.event import Event
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome


@dataclass(frozen=True)
class Timeline:
    """One trial over time."""

    key: str
    label: str
    note: str
    """Which trial of how many."""
    counts: pd.DataFrame
    """Index seconds since the first send; sent and written per second, backlog in messages."""
    resources: pd.DataFrame
    """seconds, process, cpu (percent of one core), rss (MB)."""
    load_ends: float
    """Seconds."""
    events: list[Event] = field(default_factory=list)
    """What happened meanwhile, from the first send on."""


def of_run(run: Run) -> list[Timeline]:
    """One trial a column over time: the trial whose stored tail (see `tails.highest`) is the median of its repeats'.

    Args:
        run: A run with a headline.

    Returns:
        Timelines in the order of `keys`; columns without a valid trial or without a series are left out.
    """
    collected = []
    for key in queries.keys(run):
        trials = [o for o in queries.of_column(queries.outcomes(run), key) if o.valid]
        if trials:
            line = _timeline(run, key, _middle(trials), len(trials))
            if len(line.counts) > 1:
                collected.append(line)
    return collected


def _middle(trials: Sequence[Outcome]) -> Outcome:
    tail = tails.highest(trials, "stored")
    return sorted(trials, key=lambda o: o.latencies.get("stored", {}).get(tail, 0.0))[(len(trials) - 1) // 2]


def _timeline(run: Run, key: str, outcome: Outcome, of: int) -> Timeline:
    folder, load = run.trial_folder(outcome.plan.number), outcome.plan.load
    progress = series.progress(folder, outcome.started)
    seconds = progress.index.to_series()
    counts = progress[["backlog"]].copy()
    for name in ("sent", "written"):
        counts[name] = (progress[name].diff() / seconds.diff()).where(seconds.shift() >= 0)
    title = key if key != HEADLINE else queries.names(run)[-1]
    note = f"{formatting.plain(load.rate)} msg/s\ntrial {outcome.plan.number}, one of n = {of}"
    resources = series.resources(folder, outcome.started)
    resources = resources[resources["seconds"] >= 0]
    events = [event for event in trial_events.of_trial(folder, outcome.started) if event.at >= 0]
    return Timeline(key, title, note, counts, resources, load.duration, events)
