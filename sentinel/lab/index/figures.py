"""A run's key figures as data, each with its interval, and the words of its verdicts. Pure: run.json in."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import msgspec

from sentinel.errors import RunRecordError
from sentinel.lab import formatting
from sentinel.lab.run.trial_record import CONTROL, HEADLINE, PILOT, UNTAPPED
from sentinel.lab.statistics import regressions
from sentinel.lab.statistics.history.medians import interval
from sentinel.lab.statistics.measures import column, comparable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.run_data import RunData

DRAINED = ("capacity", "capacity_cpu_us", "bytes_per_message")
"""Measures of full streams: no load is offered."""
OFFERED = ("cpu_us", "e2e_p99", "stored_p50", "stored_p99")
"""Measures under a load."""
TITLES = {"cpu_us": "CPU per message under the load"}
"""Where a figure's title is not the measure's own."""


class KeyFigure(msgspec.Struct, frozen=True):
    """One measure of one configuration in one run."""

    column: str
    """The configuration's label; of the headline with its rate."""
    measure: str
    """As run.json calls it, such as `capacity`."""
    title: str
    """In words."""
    unit: str
    """Of value and interval."""
    higher: bool
    """Whether more is better."""
    value: float
    """Median over the valid trials; latencies only of trials that sustained their load."""
    low: float | None
    """Lower end of its interval; None where there is none."""
    high: float | None
    """Upper end, likewise."""
    coverage: float | None
    """Share of experiments in which such an interval holds the median, at least."""
    n: int
    """Trials."""

    @property
    def name(self) -> str:
        """`optimised: capacity`."""
        return f"{self.column}: {self.title}"


def of_record(data: RunData) -> list[KeyFigure]:
    """The key figures of a run of any experiment whose trials have labels.

    A load that the run chose by itself, since the slowest did not sustain what was asked for, is one that no other run
    has: what was measured under it is left out.

    Args:
        data: The run's record.

    Returns:
        Figures by column, in the order of the trials; the headline last.
    """
    asked = data.parameters.get("RATE")
    lowered = data.rates.get("latency", asked) != asked
    figures = []
    for name in _labels(data):
        measures = DRAINED if lowered and name != HEADLINE else DRAINED + OFFERED
        title = f"{_last(data)} at {_rate(data)} msg/s" if name == HEADLINE else name
        values = comparable(column(name, data.trials))
        figures += [_figure(title, measure, values[measure]) for measure in measures if values.get(measure)]
    return figures


def _labels(data: RunData) -> list[str]:
    """The columns of the run, without the second legs that show what chance does."""
    plans = [outcome.plan for outcome in data.trials]
    labels = dict.fromkeys(HEADLINE if plan.group == HEADLINE else plan.label for plan in plans)
    return sorted((name for name in labels if not name.endswith((CONTROL, UNTAPPED, PILOT))), key=HEADLINE.__eq__)


def _last(data: RunData) -> str:
    return next((o.plan.configuration for o in data.trials if o.plan.group == HEADLINE), "")


def _rate(data: RunData) -> str:
    return formatting.plain(next(o.plan.load.rate for o in data.trials if o.plan.group == HEADLINE))


def _figure(label: str, measure: str, values: Sequence[float]) -> KeyFigure:
    known, ends = regressions.key(measure), interval(values)
    low, high, coverage = ends or (None, None, None)
    title, middle = TITLES.get(measure, known.title), statistics.median(values)
    return KeyFigure(label, measure, title, known.unit, known.higher, middle, low, high, coverage, len(values))


# -- verdicts --------------------------------------------------------------------------------------------------------


class Judged(msgspec.Struct):
    """A measure's verdict, of which only the word is read."""

    word: str = ""


class Answer(msgspec.Struct):
    """What the answers of experiments have in common."""

    word: str = ""
    """Of the whole run."""
    verdict: Judged | None = None
    """Of its one measure."""
    verdicts: dict[str, Judged] = {}
    """By measure."""
    judgements: dict[str, Judged] = {}
    """Likewise."""


class Answered(msgspec.Struct):
    """A record that may hold an answer as data."""

    answer: Answer | None = None


WHOLE = "whole run"
"""Of what the word of a whole run is the word."""


def words(run: Run) -> dict[str, str]:
    """The words of a run's verdicts by measure, and that of the run as a whole under `WHOLE`.

    Args:
        run: A run of any experiment; one whose answer has another form has no words.
    """
    try:
        answer = run.sections(Answered).answer or Answer()
    except RunRecordError:
        return {}
    own = {WHOLE: answer.word or (answer.verdict.word if answer.verdict else "")}
    judged = answer.verdicts | answer.judgements
    return {name: word for name, word in (own | {n: j.word for n, j in judged.items()}).items() if word}


def counted(given: Mapping[str, str]) -> dict[str, list[str]]:
    """Measures by word, the commonest word first.

    Args:
        given: As `words` returns them.
    """
    measures: dict[str, list[str]] = {}
    for measure, word in given.items():
        measures.setdefault(word, []).append(measure)
    return dict(sorted(measures.items(), key=lambda pair: -len(pair[1])))
