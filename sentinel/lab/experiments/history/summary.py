"""What comparable runs say over time: where each key figure changed, by how much, and beside what. Pure."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.experiments.history.answer import phrases
from sentinel.lab.experiments.history.record import Answer, Change, Record, Series
from sentinel.lab.statistics.compare import BAND, Word
from sentinel.lab.statistics.history.edivisive import LEVEL, change_points
from sentinel.lab.statistics.rounds.ranks import differences

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.history.record import Followed
    from sentinel.lab.statistics.rounds.ranks import Floats

LEAST_RUNS = 10
"""Runs from which change points are looked for: of fewer, chance shows as clear a one too often."""


def of_history(notebook: str, record: Record) -> Record:
    """The record with change points, answer and verdict.

    Args:
        notebook: Whose runs it is about.
        record: Runs and series, as they were read.
    """
    for series in record.series:
        series.changes = changes(series, record.followed)
    tested = [series for series in record.series if len(series.points) >= LEAST_RUNS]
    changed = sum(bool(series.changes) for series in tested)
    record.answer = Answer(notebook, len(record.followed), LEAST_RUNS, len(record.series), len(tested), changed, LEVEL)
    record.verdict = [str(phrase) for phrase in phrases(record)]
    return record


def changes(series: Series, runs: Sequence[Followed]) -> list[Change]:
    """Where a series changed, by the logarithms of its values.

    Args:
        series: Its points, all above zero.
        runs: Those that the points are of.

    Returns:
        Change points in the order of time; none of too few runs, or where a value is zero.
    """
    values = np.array([point.value for point in series.points])
    if len(values) < LEAST_RUNS or not (values > 0).all():
        return []
    logs = np.log(values)
    places = change_points(logs)
    bounds = [0, *(place.at for place in places), len(values)]
    collected = []
    for n, place in enumerate(places):
        ratio = _ratio(logs[place.at : bounds[n + 2]], logs[bounds[n] : place.at])
        last, first = (runs[series.points[at].run] for at in (place.at - 1, place.at))
        word = _word(ratio, higher=series.higher)
        collected.append(Change(place.at, place.p, ratio, word, beside(last, first)))
    return collected


def _ratio(after: Floats, before: Floats) -> float:
    """The Hodges-Lehmann estimate, of logarithms."""
    return float(np.exp(np.median(differences(after, before))))


def _word(ratio: float, *, higher: bool) -> str:
    if 1 / (1 + BAND) <= ratio <= 1 + BAND:
        return Word.NO_DIFFERENCE
    return Word.BETTER if (ratio > 1) == higher else Word.WORSE


def beside(last: Followed, first: Followed) -> list[str]:
    """What else changed between two runs, beside the commit, as clauses.

    Args:
        last: The earlier one.
        first: The later one.
    """
    names = {**last.versions, **first.versions}
    clauses = [
        f"{name} {last.versions.get(name, 'unknown')} → {first.versions.get(name, 'unknown')}"
        for name in names
        if last.versions.get(name) != first.versions.get(name)
    ]
    changed = [run.id for run in (last, first) if run.dirty]
    return [*clauses, *(f"code of {run} differed from its commit" for run in changed)]


def levels(series: Series) -> list[tuple[int, int, float]]:
    """The stretches between change points: place of the first point, end, and the median of their values.

    Args:
        series: Its points and change points.
    """
    bounds = [0, *(change.at for change in series.changes), len(series.points)]
    values = [point.value for point in series.points]
    return [(first, end, float(np.median(values[first:end]))) for first, end in pairwise(bounds)]
