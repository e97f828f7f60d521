"""A history's answer in sentences, made of its data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics.compare import BAND, Word

if TYPE_CHECKING:
    from sentinel.lab.experiments.history.record import Answer, Change, Followed, Record, Series

DIGITS = 9
"""Of a commit's name."""
MOST = 6
"""Change points that the answer names."""


def phrases(record: Record) -> list[Phrase]:
    """All sentences, what changed first; empty without an answer.

    Args:
        record: The data.
    """
    answer = record.answer
    if answer is None:
        return []
    return [*_changed(record, answer), _runs(record, answer), *_chance(answer)]


def _changed(record: Record, answer: Answer) -> list[Phrase]:
    if not answer.tested:
        return [_few(answer, max((len(series.points) for series in record.series), default=0))]
    if not answer.changed:
        return [phrase("{none} in {count}.", none=Strong("No change point"), count=_figures(answer.tested))]
    pairs = [(series, change) for series in record.series for change in series.changes]
    pairs.sort(key=lambda pair: (pair[1].word == Word.NO_DIFFERENCE, -abs(pair[1].ratio - 1)))
    named = [_named(series, change, record.followed) for series, change in pairs[:MOST]]
    rest = f"; {len(pairs) - MOST} more below" if len(pairs) > MOST else ""
    head = phrase("{changed} of {count} changed.", changed=Strong(answer.changed), count=_figures(answer.tested))
    return [head, *named, *([Phrase([rest[2:].capitalize() + "."])] if rest else [])]


def _figures(count: int) -> str:
    return formatting.counted(count, "key figure")


def _few(answer: Answer, most: int) -> Phrase:
    """Where no figure has enough runs; `most` is how many the one with the most has."""
    return phrase(
        "{no} were looked for: that takes {needed} comparable runs with the same figure, and there {are} {most}. {more}"
        " more would do.",
        no=Strong("No change points"),
        needed=answer.needed,
        are="is" if most == 1 else "are",
        most=most,
        more=answer.needed - most,
    )


def _named(series: Series, change: Change, runs: list[Followed]) -> Phrase:
    last, first = between(series, change, runs)
    return phrase(
        "{name}: {word}, {ratio} after {place}.",
        name=f"{series.name[:1].upper()}{series.name[1:]}",
        word=Strong(worded(change)),
        ratio=formatting.times(change.ratio),
        place=f"{commit(last)} → {commit(first)}, between {_day(last)} and {_day(first)}",
    )


def between(series: Series, change: Change, runs: list[Followed]) -> tuple[Followed, Followed]:
    """The last run before a change point, and the first after it.

    Args:
        series: Which changed.
        change: One of its change points.
        runs: Those of the history.
    """
    return runs[series.points[change.at - 1].run], runs[series.points[change.at].run]


def worded(change: Change) -> str:
    """What a change is: `better`, `worse`, or one of no practical interest."""
    return f"within {100 * BAND:.0f} %" if change.word == Word.NO_DIFFERENCE else change.word


def commit(run: Followed) -> str:
    """A run's commit as a reader looks it up; a plus says that code differed from it."""
    return f"{run.commit[:DIGITS] or 'no commit'}{'+' if run.dirty else ''}"


def _day(run: Followed) -> str:
    return run.created[:16].replace("T", " ")


def _runs(record: Record, answer: Answer) -> Phrase:
    runs = record.followed
    span = f", from {_day(runs[0])} to {_day(runs[-1])} UTC" if runs else ""
    left = f"; {formatting.counted(len(record.left_out), 'other')} left out" if record.left_out else ""
    return phrase(
        "{runs} of {notebook} on one machine, stack and load{span}{left}.",
        runs=formatting.counted(answer.runs, "run"),
        notebook=answer.notebook,
        span=span,
        left=left,
    )


def _chance(answer: Answer) -> list[Phrase]:
    """How much of that chance would show as well."""
    if not answer.tested:
        return []
    share = formatting.plain(round(100 * answer.level, 1))
    expected = formatting.plain(round(answer.level * answer.tested, 2))
    parts = [
        f"A figure that never changes is called changed in at most {share} of 100 histories: of {answer.tested},"
        f" chance would show {expected} on average."
    ]
    return [joined("", parts)]
