"""A run's record made ready to be drawn or tabled: which trials, in which order, under which names.

Raw in (run.json and the trials' folders), plain data out; no figure and no HTML is made here. Only valid trials go into
figures; a trial without a histogram is passed over, and whoever draws says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, HEADLINE, LATENCY, MEMORY, WARM_UP
from sentinel.lab.statistics import tails
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Memory, Outcome

KINDS = {
    "internal": "Internal: read → in the batch",
    "e2e": "End to end: intended send → in the batch",
    "stored": "Stored: intended send → the store's answer",
    "send_delay": "Send delay: intended → actual send",
}
"""Kinds of latency, from where to where."""


@dataclass(frozen=True)
class Curve:
    """The latencies of one kind in the trials of one column, a histogram (ns) a trial."""

    key: str
    """Whose look it has: a configuration's name, or `HEADLINE`."""
    label: str
    repeats: list[Recorder]

    @property
    def whole(self) -> Recorder:
        """The histograms of all repeats merged into one, ns."""
        merged = Recorder()
        for repeat in self.repeats:
            merged.merge(repeat)
        return merged


def outcomes(run: Run) -> list[Outcome]:
    """Every trial of the run, in the order in which they were carried out."""
    return run.data.trials


def names(run: Run) -> list[str]:
    """The configurations compared, in order."""
    return list(run.data.configurations)


def rates(run: Run) -> dict[str, float]:
    """The rates really offered, in messages per second.

    Args:
        run: A benchmark, or a run with its parameters `RATE` and `HEADLINE_RATE`.

    Returns:
        Two rates by key: `latency`, common to all configurations, and `HEADLINE`.
    """
    p = run.data.parameters
    return {"latency": p["RATE"], HEADLINE: p["HEADLINE_RATE"], **run.data.rates}


def percentiles(run: Run) -> list[str]:
    """Names of the percentiles of latency that are shown, rising: those of PERCENTILES, in older runs the usual ones.

    Args:
        run: A run of any experiment.
    """
    return tails.names(run.data.parameters.get("PERCENTILES", tails.USUAL))


def label(run: Run, key: str) -> str:
    """The text at the head of a column.

    Args:
        run: Whose column.
        key: One of `keys`.

    Returns:
        The configuration's name; of the headline the last configuration's with its rate.
    """
    return f"{names(run)[-1]} at {formatting.plain(rates(run)[HEADLINE])} msg/s" if key == HEADLINE else key


def keys(run: Run) -> list[str]:
    """Columns of the tables: the configurations, then the headline."""
    return [*names(run), HEADLINE]


def of_column(trials: list[Outcome], key: str, kind: str = LATENCY) -> list[Outcome]:
    """A column's trials of one kind, valid or not.

    Args:
        trials: Trials of a run.
        key: One of `keys`, or the label of an A/A leg.
        kind: `LATENCY`, `CAPACITY`, `MEMORY` or `PROFILE`.
    """
    return [
        o
        for o in trials
        if o.plan.kind == kind
        and (o.plan.group == HEADLINE if key == HEADLINE else o.plan.label == key and o.plan.group != HEADLINE)
    ]


def histograms(run: Run, outcome: Outcome) -> dict[str, Recorder]:
    """A trial's latencies after the warm-up, read once.

    Args:
        run: Whose trial it is.
        outcome: A trial that has ended.

    Returns:
        By kind, in ns: see `series.histograms`.
    """
    number = outcome.plan.number
    if number not in run.histograms:
        since = outcome.started + int(WARM_UP * 1e9)
        run.histograms[number] = series.histograms(run.trial_folder(number), since)
    return run.histograms[number]


def by_round(run: Run, key: str, kind: str) -> dict[int, Recorder]:
    """One kind of latency of a column's valid trials that sustained their load, by round.

    Args:
        run: Whose column.
        key: One of `keys`, or the label of an A/A leg.
        kind: One of `KINDS`.

    Returns:
        Histograms in ns; rounds without a message of that kind are left out.
    """
    trials = [o for o in of_column(outcomes(run), key) if o.valid and o.sustained]
    read = {o.plan.repeat: histograms(run, o)[kind] for o in trials}
    return {number: recorder for number, recorder in read.items() if len(recorder)}


def latencies(run: Run) -> dict[str, list[Curve]]:
    """Histograms after the warm-up, of the valid latency trials.

    Args:
        run: A run with a headline.

    Returns:
        One curve a column, in the order of `keys`, by kind (see `KINDS`); kinds and columns without a message are left
        out.
    """
    panels: dict[str, list[Curve]] = {kind: [] for kind in KINDS}
    for key in keys(run):
        trials = [histograms(run, o) for o in of_column(outcomes(run), key) if o.valid]
        for kind, curves in panels.items():
            if repeats := [trial[kind] for trial in trials if len(trial[kind])]:
                curves.append(Curve(key, label(run, key), repeats))
    return {kind: curves for kind, curves in panels.items() if curves}


def capacities(run: Run) -> dict[str, list[float]]:
    """The capacity of every valid capacity trial.

    Args:
        run: A benchmark.

    Returns:
        Messages per second by label, one value a trial; the A/A leg last. Labels without a valid trial are left out.
    """
    trials = outcomes(run)
    labels = [*names(run), *(name + CONTROL for name in names(run)[-1:])]
    values = {name: [o.throughput for o in of_column(trials, name, CAPACITY) if o.valid] for name in labels}
    return {name: rates for name, rates in values.items() if rates}


def memories(run: Run) -> dict[str, Memory]:
    """memray's summary of the configurations' valid memory trials, by configuration; those without one are left out."""
    trials = outcomes(run)
    return {name: o.memory for name in names(run) for o in of_column(trials, name, MEMORY) if o.valid and o.memory}
