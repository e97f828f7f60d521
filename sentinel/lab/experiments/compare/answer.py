"""A comparison's answer in sentences, made of its data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.compare.likeness import DIGITS
from sentinel.lab.experiments.compare.record import A, B
from sentinel.lab.experiments.compare.summary import OWN
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics import regressions
from sentinel.lab.statistics.compare import Word
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.lab.experiments.compare.record import Record, Row, Side
    from sentinel.lab.statistics.metrics import Measure

SESSIONS = (
    "Two runs are two sessions: what the machine did otherwise between them (its clock, its neighbours, what else ran)"
    " is in no interval here, and can make a difference or hide one."
)
"""What no interval of two runs holds."""


def phrases(record: Record) -> list[Phrase]:
    """All sentences, the verdict first.

    Args:
        record: The data.
    """
    if not record.columns:
        return [Phrase(["Nothing was compared."])]
    if record.forbidding:
        return [_unjudged(record), *_unaccounted(record)]
    wholly = [_verdict(record), *_listed(record, Word.WORSE), *_listed(record, Word.BETTER), *_open(record)]
    return [*wholly, Phrase([SESSIONS]), *_unaccounted(record)]


def title(side: Side) -> str:
    """A run in words: its id, and the commit of the lab that measured it."""
    commit = f", lab {side.commit[:DIGITS]}{' and what is not committed' if side.dirty else ''}" if side.commit else ""
    return f"{side.id}{commit}"


def measure_of(row: Row) -> Measure:
    """The measure of a row: what it is called, and in which unit."""
    return OWN.get(row.measure) or regressions.key(row.measure)


def _sides(record: Record) -> dict[str, str]:
    return {"a": title(record.sides[A]), "b": title(record.sides[B])}


def _unjudged(record: Record) -> Phrase:
    names = formatting.joined([difference.name for difference in record.forbidding])
    return phrase(
        "{none}: B ({b}) and A ({a}) differ in {names}, so figures of the one say nothing about the other. They are"
        " shown side by side, as FORCE=True asked.",
        none=Strong("No verdict"),
        names=names,
        **_sides(record),
    )


def _verdict(record: Record) -> Phrase:
    words = [verdict.word for _, _, verdict in record.verdicts]
    if not words:
        template = "{none}: no measure of B ({b}) can be judged against A ({a})."
        return phrase(template, none=Strong("No verdict"), **_sides(record))
    counts = {word: words.count(word) for word in (Word.WORSE, Word.BETTER, Word.NO_DIFFERENCE)}
    return phrase(
        "B ({b}) against A ({a}): {worse} in {n_worse}, {better} in {n_better}, {same} in {n_same}, {open} in {n_open}"
        " of {measures}.",
        worse=Strong("worse"),
        better=Strong("better"),
        same=Strong("no difference"),
        open=Strong("unknown"),
        n_worse=counts[Word.WORSE],
        n_better=counts[Word.BETTER],
        n_same=counts[Word.NO_DIFFERENCE],
        n_open=len(words) - sum(counts.values()),
        measures=formatting.counted(len(words), "measure"),
        **_sides(record),
    )


def _listed(record: Record, word: Word) -> list[Phrase]:
    """What has that word, a clause a configuration."""
    rows: dict[str, list[Phrase]] = {}
    for label, row, verdict in record.verdicts:
        if verdict.word == word:
            told = phrase("{name} {ratio}", name=measure_of(row).inline, ratio=formatting.ratio(row.ratio))
            rows.setdefault(label, []).append(told)
    items = [phrase("{label}: {rows}", label=label, rows=joined(", ", some)) for label, some in rows.items()]
    heads = {Word.WORSE: "Worse: {items}.", Word.BETTER: "Better: {items}."}
    return [phrase(heads[word], items=joined("; ", items))] if items else []


def _open(record: Record) -> list[Phrase]:
    """How many rounds more would settle half of what is unknown."""
    further = [verdict.further for _, _, verdict in record.verdicts if verdict.word == Word.UNRESOLVED]
    known = sorted(n for n in further if n is not None)
    if not known:
        return []
    middle = formatting.counted(known[(len(known) - 1) // 2], "round")
    return [Phrase([f"About {middle} more in each run would settle half of what is unknown."])]


def _unaccounted(record: Record) -> Iterable[Phrase]:
    """Runs with invalid trials, and those that ended early."""
    for name, side in record.sides.items():
        if side.validity.invalid:
            yield phrase("{name}: {told}", name=name, told=accounted(side.validity))
        if side.state != "finished":
            yield Phrase([f"{name} is {side.state}: only the trials that it finished count."])
