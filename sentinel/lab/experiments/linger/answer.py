"""The answer of a run about linger in sentences, made of its data. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from sentinel.lab.experiments.linger.record import Answer, Knee, Point


def phrases(answer: Answer) -> list[Phrase]:
    """All sentences, the verdict first.

    Args:
        answer: The data.
    """
    return [_verdict(answer), *_trades(answer), accounted(answer.validity)]


def shown(answer: Answer) -> float:
    """The linger that the sentences are about, ms: the knee; without one, the consumer's own."""
    return answer.knee.linger if answer.knee else answer.default


def _verdict(answer: Answer) -> Phrase:
    default = f"{answer.default:g} ms"
    if answer.knee is None:
        return phrase(
            "{no}: it takes three lingers, of which every one has a valid trial under every load, the longest saves CPU"
            " and costs latency. The consumer lingers {default} by itself.",
            no=Strong("No knee was found"),
            default=default,
        )
    at = f"{answer.knee.linger:g} ms"
    itself = "as the consumer does by itself" if at == default else f"where the consumer lingers {default} by itself"
    return phrase(
        "{knee}, {itself}: from there on waiting costs more latency than it saves CPU. {sure}",
        knee=Strong(f"The knee is at {at}"),
        itself=itself,
        sure=_sure(answer.knee),
    )


def _sure(knee: Knee) -> str:
    """How much the knee hangs on single rounds."""
    if knee.rounds < 2:
        return "That is of a single round."
    return f"With one of the {knee.rounds} rounds left out, it is there in {knee.agreed} cases of {knee.rounds}."


def _trades(answer: Answer) -> list[Phrase]:
    """What it buys and costs under each load."""
    firsts: dict[float, Point] = {}
    sentences = []
    for point in answer.points:
        first = firsts.setdefault(point.rate, point)
        if point.linger == shown(answer) and point is not first:
            sentences.append(_trade(point, first))
    return sentences


def _trade(point: Point, first: Point) -> Phrase:
    return phrase(
        "At {rate} msg/s a message costs {ratio} the CPU of {first} ms; stored p99 is {p99} ms instead of {before}.",
        rate=formatting.plain(point.rate),
        ratio=formatting.ratio(point.cpu),
        first=f"{first.linger:g}",
        p99=Strong(formatting.figure(point.p99.value)),
        before=formatting.figure(first.p99.value),
    )
