"""A regression test's answer in sentences, made of its data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.regression.record import BASE, EXIT_CODES, HEAD, NO_WORSE, WORSE
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sentinel.lab.experiments.regression.record import Answer, Judgement, Side

TITLES = {
    "capacity": "capacity",
    "capacity_cpu_us": "CPU per message while draining",
    "bytes_per_message": "allocated bytes per message",
    "cpu_us": "CPU per message at RATE",
    "stored_p50": "stored p50",
    "stored_p99": "stored p99",
}
"""Measures within a sentence."""
DIGITS = 12
"""Of a commit's name."""


def phrases(answer: Answer, sides: Mapping[str, Side]) -> list[Phrase]:
    """All sentences, the verdict first.

    Args:
        answer: The data.
        sides: Both versions, by label.
    """
    wholly = [_verdict(answer, sides), *_worse(answer), *_open(answer), *_better(answer)]
    same = len(sides) > 1 and sides[BASE].key == sides[HEAD].key
    if same:
        wholly.append(phrase("Both have the same code and pins: what differs between them is the machine's doing."))
    return [*wholly, accounted(answer.validity)]


def title(side: Side) -> str:
    """A version in words: `main (0123456789ab)`, `the working tree above 0123456789ab, changed`."""
    commit = side.commit[:DIGITS]
    if side.ref == ".":
        return f"the working tree ({commit}{' and what is not committed' if side.changed else ''})"
    return f"{side.ref} ({commit})"


def _verdict(answer: Answer, sides: Mapping[str, Side]) -> Phrase:
    head, base = (title(sides[label]) if label in sides else label for label in (HEAD, BASE))
    margin = formatting.plain(round(100 * answer.margin, 2))
    if answer.word == WORSE:
        template = "Head, {head}, is {word} than base, {base}, by more than {margin} %"
    elif answer.word == NO_WORSE:
        template = "Head, {head}, is {word} than base, {base}: a slowdown of {margin} % or more is excluded"
    else:
        template = "{word} whether head, {head}, is worse than base, {base}, by more than {margin} %"
    word = Strong(answer.word if answer.word in {WORSE, NO_WORSE} else _capital(answer.word))
    given = {"head": head, "base": base, "margin": margin, "word": word, "code": EXIT_CODES[answer.word]}
    return phrase(template + " (exit code {code}).", **given)


def _worse(answer: Answer) -> list[Phrase]:
    return _listed("Worse: {items}.", (j for j in answer.judgements.values() if j.regressed))


def _better(answer: Answer) -> list[Phrase]:
    return _listed("Better: {items}.", (j for j in answer.judgements.values() if j.word == "better"))


def _listed(template: str, judgements: Iterable[Judgement]) -> list[Phrase]:
    items = [_measure(judgement) for judgement in judgements]
    return [phrase(template, items=joined("; ", items))] if items else []


def _measure(judgement: Judgement) -> Phrase:
    return phrase("{name}, {ratio}", name=TITLES[judgement.measure], ratio=formatting.ratio(judgement.ratio))


def _open(answer: Answer) -> list[Phrase]:
    """What keeps it from being no worse; nothing where it is worse anyway."""
    if answer.word == WORSE:
        return []
    return [_left(name, answer.judgements.get(name)) for name in answer.open]


def _left(name: str, judgement: Judgement | None) -> Phrase:
    if judgement is None:
        return phrase("{name} was not measured on both sides.", name=_capital(TITLES[name]))
    return phrase(
        "{name} leaves room for it: {ratio}, {word}{further}.",
        name=_capital(TITLES[name]),
        ratio=formatting.ratio(judgement.ratio),
        word=judgement.word,
        further=further(judgement),
    )


def further(judgement: Judgement) -> str:
    """How many rounds more would settle it; empty where it is settled."""
    if judgement.further is None:
        return ""
    return f" (about {formatting.counted(judgement.further, 'round')} more would settle it)"


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
