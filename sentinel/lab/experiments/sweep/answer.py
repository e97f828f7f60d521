"""A sweep's answer in sentences, made of its data; what decides in each is set off. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.sweep import knee
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.presentation.question import Question
from sentinel.lab.presentation.tables import PUBLISHED
from sentinel.lab.statistics import published
from sentinel.lab.statistics.compare import Word
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.experiments.sweep.knee import Knee
    from sentinel.lab.experiments.sweep.record import Answer, Cause
    from sentinel.lab.statistics.compare import Ratio, Verdict


def phrases(answer: Answer, knees: Mapping[str, Knee], ratio: Ratio) -> list[Phrase]:
    """Validity, a sentence for every configuration, their factor, and what was published.

    Args:
        answer: What is said besides.
        knees: By configuration, the one in question last.
        ratio: Of the last configuration's knee to the first's.
    """
    names = list(knees)
    sentences = [accounted(answer.validity, "are inconclusive")]
    sentences += [Phrase([_held(answer, name, result)]) for name, result in knees.items()]
    if len(names) > 1:
        compared = _compared(names[-1], knees[names[-1]], names[0], knees[names[0]], ratio)
        sentences.append(joined("", (compared, *_judged(answer.verdict), ".")))
    return [*sentences, _against_original(answer.slo, names[-1], knees[names[-1]])]


def interval(low: float | None, high: float | None) -> str:
    """An interval of rates as text: `[4,000, 5,660]`, with `…` in place of an end that is not known.

    Args:
        low: The lower end, msg/s.
        high: The upper end, msg/s.

    Returns:
        The text; a dash where neither end is known.
    """
    if low is None and high is None:
        return formatting.NOTHING
    return f"[{'…' if low is None else formatting.plain(low)}, {'…' if high is None else formatting.plain(high)}]"


def _held(answer: Answer, name: str, result: Knee) -> str:
    """The highest rate that meets the SLO, with its interval, and what stands against the next."""
    if result.rate is None:
        return _never(answer, name, result)
    least = "at least " if result.at_least else ""
    held, n = result.held
    rate = f"{least}{formatting.plain(result.rate)} msg/s {interval(result.low, result.high)}"
    first = f"{name} meets the SLO up to {rate} in {held} of {formatting.counted(n, 'trial')}"
    if result.next is None:
        return f"{first}; no higher rate was offered."
    return (
        f"{first}. At {formatting.plain(result.next)} msg/s {_missed(result)}: {_because(answer, answer.causes[name])}."
    )


def _never(answer: Answer, name: str, result: Knee) -> str:
    if result.next is None:
        return f"{name}: no rate was offered, so there is no answer."
    at, because = (
        f"{formatting.plain(result.next)} msg/s, the lowest rate offered",
        _because(answer, answer.causes[name]),
    )
    if result.at_least:
        return f"{name}: no answer, for at {at}, {_missed(result)}: {because}."
    if result.missed[0] < result.missed[1]:
        most = f"{name} meets the SLO at no rate in more than half of the trials"
        return f"{most}, interval {interval(result.low, result.high)}: at {at}, {_missed(result)}, {because}."
    return f"{name} does not even meet the SLO at {at}: {_missed(result)}, {because}."


def _missed(result: Knee) -> str:
    """How many trials do not meet the SLO at the next rate: `3 of 3 trials do not`."""
    missed, n = result.missed
    first, many = ("is inconclusive", "are inconclusive") if result.at_least else ("does not", "do not")
    return f"{missed} of {formatting.counted(n, 'trial')} {first if missed == 1 else many}"


def _because(answer: Answer, cause: Cause) -> str:
    """The commonest reason at the next rate, with the figures of the trials that have it."""
    text = {
        knee.LOSS: f"{formatting.counted(cause.lost, 'message')} lost",
        knee.BACKLOG: f"the backlog grows by {formatting.figure(cause.growth)} messages in"
        f" {formatting.plain(answer.duration)} s",
        knee.BEHIND: f"the load was not sustained ({formatting.joined(cause.unsustained)})",
        knee.SLOW: f"stored {cause.tail} {formatting.figure(cause.stored_p99)} ms, over"
        f" {formatting.plain(answer.slo)} ms",
        knee.GENERATOR: f"the load generator was the limit (sent {formatting.figure(cause.sent)} msg/s, send delay"
        f" {cause.tail} {formatting.figure(cause.send_delay_p99)} ms)",
    }
    return text.get(cause.why, "without a valid trial")


def _compared(new: str, after: Knee, old: str, before: Knee, ratio: Ratio) -> Phrase:
    if after.rate is None or before.rate is None:
        without = formatting.joined([name for name, values in ((old, before), (new, after)) if values.rate is None])
        text = f"No factor between {new} and {old}: there is no rate at which {without} is known to meet the SLO"
        if ratio.low is None:
            return Phrase([text])
        least = Strong(f"{formatting.figure(ratio.low)}×")
        return phrase("{said}; by the intervals it is more than {least}", said=text, least=least)
    if after.at_least and before.at_least:
        return phrase("{new} against {old}, where both may sustain more", new=new, old=old)
    bound = "at least " if after.at_least else "at most " if before.at_least else ""
    return phrase(
        "{new} meets the SLO up to {bound}{ratio} the rate of {old}",
        new=new,
        bound=bound,
        ratio=formatting.ratio(ratio),
        old=old,
    )


def _judged(verdict: Verdict | None) -> list[Phrase]:
    """The word, and what it rests on or what would settle it; nothing of an older run."""
    if verdict is None:
        return []
    text = {Word.UNSTABLE: formatting.joined(verdict.disturbances), Word.UNRESOLVED: _unresolved(verdict)}
    why = text.get(verdict.word) or _certain(verdict.ratio)
    return [phrase(": {word} ({why})", word=Strong(verdict.word), why=why)]


def _unresolved(verdict: Verdict) -> str:
    if not verdict.further:
        return "no offered rate divides the two: more REPEATS, or rates nearer to each other, would"
    more = formatting.counted(verdict.further, "repeat")
    return f"{more} more at either highest rate and the next would settle it, if all agree"


def _certain(ratio: Ratio) -> str:
    """What the word rests on: the sign test, and how often such an interval holds."""
    covers = f"; the interval holds in at least {100 * ratio.confidence:.0f} % of sweeps" if ratio.confidence else ""
    return f"p {formatting.figure(ratio.p)}{covers}"


def _against_original(slo: float, name: str, result: Knee) -> Phrase:
    terms = f"(here: nothing lost, stored p99 within {formatting.plain(slo)} ms)"
    bar = f"the {published.RATE} msg/s that SentinelStream published {terms}"
    if _reaches(result) and result.low:
        factor = Strong(formatting.times(result.low / published.HIGHEST_RATE))
        return phrase("{name} reaches {bar}: at least {factor}.", name=name, bar=bar, factor=factor)
    if _reaches(result) is False:
        return Phrase([f"{name} falls short of {bar}."])
    to = "no rate is known up to which" if result.low is None else f"up to {formatting.plain(result.low)} msg/s"
    return phrase(
        "{name}: {word} whether it reaches {bar}; {to} every trial meets the SLO.",
        name=name,
        word=Strong(Word.UNRESOLVED),
        bar=bar,
        to=to,
    )


# -- what was asked --------------------------------------------------------------------------------------------------


def questions(slo: float, knees: Mapping[str, Knee], raw: str) -> list[Question]:
    """Whether each configuration meets the SLO at some rate, and the last at the one that was published.

    Args:
        slo: The most that stored p99 may be, ms.
        knees: By configuration, the one in question last.
        raw: Address of the file that has the rates.
    """
    name = list(knees)[-1]
    bar = Question(
        asked=f"Highest rate at which {name} meets the SLO",
        bound=f"{published.RATE} msg/s",
        measured=_up_to(knees[name]),
        met=_reaches(knees[name]),
        raw=raw,
        by=PUBLISHED,
        value=knees[name].rate,
    )
    return [*(_of_slo(slo, name, result, raw) for name, result in knees.items()), bar]


def _of_slo(slo: float, name: str, result: Knee, raw: str) -> Question:
    bound = f"nothing lost, stored p99 within {formatting.plain(slo)} ms"
    met = True if result.rate is not None else None if result.at_least else False
    asked = f"A rate at which {name} meets the SLO"
    return Question(asked, bound, _up_to(result), met, raw, "P99_STORED_MS", result.rate)


def _up_to(result: Knee) -> str:
    if result.rate is None:
        return "at no rate offered"
    least = "≥ " if result.at_least else ""
    return f"{least}{formatting.plain(result.rate)} msg/s {interval(result.low, result.high)}"


def _reaches(result: Knee) -> bool | None:
    """Whether the published rate lies below the interval, or beyond it; None within it."""
    if result.low is not None and result.low >= published.HIGHEST_RATE:
        return True
    return False if result.high is not None and result.high <= published.HIGHEST_RATE else None
