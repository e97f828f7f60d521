"""An ablation's answer in sentences, made of its data; what decides in each is set off. Pure.

The rule for what matters most: the largest shares of what is gained on the way up, on a log scale, whose ratio lies
beyond the noise floor; taking each choice off `optimised` confirms the order or says that it is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.ablation.contributions import OPEN, UNCLEAR, UNPAID, UNPROVEN
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics.compare import BAND, CONFIDENCE, Word
from sentinel.lab.statistics.reliability import accounted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.experiments.ablation.contributions import ByMeasure, Contribution
    from sentinel.lab.experiments.ablation.record import Answer
    from sentinel.lab.statistics.compare import Ratio, Verdict
    from sentinel.lab.statistics.metrics import Measure

MOST = 2
"""Choices that the answer names as those that matter most."""
HOW = {
    Word.CANNOT_TELL: "{title}: {word} whether {new} differs from {old}{why}, {ratio} ({beyond}).",
    Word.UNSTABLE: "{title}: {word}, so that it is not known whether {new} differs from {old}, {ratio} ({beyond}).",
    Word.UNRESOLVED: "{title}: {word} whether {new} differs from {old}, {ratio} ({beyond}).",
    Word.NO_DIFFERENCE: "{title}: {word} between {new} and {old}{margin}, {ratio} ({beyond}).",
}
"""What is said of the whole way where it is neither better nor worse, by word."""


def phrases(answer: Answer, by_measure: ByMeasure, ends: tuple[str, str]) -> list[Phrase]:
    """Validity, what matters most, and a sentence or more for every measure.

    Args:
        answer: What is said besides.
        by_measure: Every choice's contributions, by measure.
        ends: The last configuration and the first.
    """
    about = [
        _about(measure, steps, answer.verdicts[measure.name], ends)
        for measure, steps in by_measure.items()
        if measure.name in answer.verdicts
    ]
    key = f"Below, on is a step ÷ the step before it, off is {ends[0]} ÷ {ends[0]} without the choice."
    return [accounted(answer.validity), joined(" ", [_named(by_measure), _unpaid(by_measure), key]), *about]


# -- what matters most, and what does not pay ------------------------------------------------------------------------


def leaders(steps: Sequence[Contribution]) -> list[Contribution]:
    """The choices that matter most to one measure, the largest share first; `MOST` at most, all significant."""
    return [contribution for contribution in _ranked(steps) if contribution.on_is == Word.BETTER][:MOST]


def _ranked(steps: Sequence[Contribution]) -> list[Contribution]:
    return sorted((step for step in steps if step.share is not None), key=lambda step: -(step.share or 0.0))


def _named(by_measure: ByMeasure) -> Phrase:
    measure, steps = next(iter(by_measure.items()))
    named = [contribution.choice.label for contribution in leaders(steps)]
    to = measure.inline
    if not named:
        return phrase("Which choices matter most to {to}: {unknown}.", to=to, unknown=_unknown(steps))
    if len(named) < MOST:
        return Phrase([f"The choice that matters most to {to} is {named[0]}; no other was shown to matter."])
    return Phrase([f"The two choices that matter most to {to} are {formatting.joined(named)}."])


def _unpaid(by_measure: ByMeasure) -> str:
    """Every choice that was shown not to pay, with what it does not pay in."""
    where: dict[str, list[str]] = {}
    for measure, steps in by_measure.items():
        for contribution in steps:
            if contribution.says == UNPAID:
                where.setdefault(contribution.choice.label, []).append(measure.inline)
    if not where:
        return "No choice was shown not to pay."
    return (
        f"Shown not to pay: {'; '.join(f'{label} in {formatting.joined(titles)}' for label, titles in where.items())}."
    )


# -- one measure -----------------------------------------------------------------------------------------------------


def _about(measure: Measure, steps: Sequence[Contribution], whole: Verdict, ends: tuple[str, str]) -> Phrase:
    parts = [_whole(measure, whole, ends), _most(measure, steps, whole.ratio), _others(steps, whole.ratio)]
    return joined(" ", parts)


def _whole(measure: Measure, values: Verdict, ends: tuple[str, str]) -> Phrase:
    return phrase(
        HOW.get(values.word, "{title}: {new} is {word} than {old}, {ratio} ({beyond})."),
        title=measure.title,
        word=Strong(values.word),
        new=ends[0],
        old=ends[1],
        why=", for run-to-run variation hides it" if values.hidden else "",
        margin=f" beyond ± {100 * BAND:.0f} %" if values.ratio.of_rounds else "",
        ratio=_said(values.ratio, values.ratio),
        beyond=formatting.because(values) if measure.repeated else _of_single(values),
    )


def _of_single(values: Verdict) -> Phrase:
    """What a verdict on one memray trial each rests on."""
    return phrase("n = 1: no interval; {beyond}", beyond=formatting.beyond(values.band, control=values.control))


def _unknown(steps: Sequence[Contribution]) -> Strong:
    """That nothing can be said: the word that most steps have, of those that say nothing."""
    words = [word for step in steps for word in (step.on_is, step.off_is) if word in UNCLEAR]
    older = any(step.on.value is not None and not step.on.of_rounds for step in steps)
    otherwise = Word.CANNOT_TELL if older else Word.UNRESOLVED
    return Strong(max(words, key=words.count, default=otherwise))


def _most(measure: Measure, steps: Sequence[Contribution], total: Ratio) -> Phrase:
    ranked, first = _ranked(steps), leaders(steps)
    if not ranked:
        why = _nothing_gained(steps)
        return phrase("Which choices matter most: {unknown}, {why}.", unknown=_unknown(steps), why=why)
    if not first:
        leading = [phrase("{one} ({on})", one=step.choice.label, on=_said(step.on, total)) for step in ranked[:MOST]]
        return phrase(
            "Which choices matter most: {unknown}, {why}; by the medians alone {ahead} lead.",
            unknown=_unknown(steps),
            why=_why_not(steps),
            ahead=_listed(leading),
        )
    return phrase(
        "On a log scale the largest parts are {parts}.{close}{checked}",
        parts=_listed([_share(contribution, total) for contribution in first]),
        close=_close(measure, steps),
        checked=_checked(measure, steps),
    )


def _share(contribution: Contribution, total: Ratio) -> Phrase:
    share, both = round(100 * (contribution.share or 0)), _both(contribution, total)
    return phrase("{one} with {share} % ({both})", one=contribution.choice.label, share=share, both=both)


def _listed(parts: Sequence[Phrase]) -> Phrase:
    """`a`, `a and b`, `a, b and c`."""
    return joined(" and ", [joined(", ", parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def _nothing_gained(steps: Sequence[Contribution]) -> Phrase:
    missing = [step.choice.label for step in steps if step.on.value is None]
    if missing:
        return Phrase([f"no valid trials on both sides of {formatting.joined(missing)}"])
    return phrase("nothing is gained beyond the noise floor ({floor})", floor=_floor(steps))


def _floor(steps: Sequence[Contribution]) -> Strong:
    return Strong(formatting.floor(max(step.band for step in steps)))


def _why_not(steps: Sequence[Contribution]) -> Phrase:
    """Why no step was found to be better."""
    if not any(contribution.on.known for contribution in steps):
        return Phrase(["since single trials have no interval"])
    if all(contribution.on.short for contribution in steps):
        least, needed = (of(getattr(step.on, name) for step in steps) for of, name in ((min, "n"), (max, "needed")))
        few = formatting.counted(least, "round")
        return Phrase([f"since {few} are too few: {100 * CONFIDENCE:.0f} % intervals take {needed}"])
    return phrase("no step was shown to lie beyond the noise floor ({floor})", floor=_floor(steps))


def _close(measure: Measure, steps: Sequence[Contribution]) -> Phrase:
    """Whether the last that is named could as well be the next one, by their intervals."""
    named, better = leaders(steps), [step for step in _ranked(steps) if step.on_is == Word.BETTER]
    if len(better) <= MOST or not measure.repeated:
        return Phrase()
    last, following = named[-1], better[MOST]
    if max(_gains(measure, following)) < min(_gains(measure, last)):
        return Phrase()
    unknown = Strong(Word.UNRESOLVED if last.on.of_rounds else Word.CANNOT_TELL)
    template = " Their intervals overlap: {unknown} whether {last} or {following} brings more."
    return phrase(template, unknown=unknown, last=last.choice.label, following=following.choice.label)


def _gains(measure: Measure, contribution: Contribution) -> tuple[float, float]:
    return measure.gain(contribution.on.low), measure.gain(contribution.on.high)


def _checked(measure: Measure, steps: Sequence[Contribution]) -> str:
    """What taking the choices off again says about the order."""
    if not all(contribution.off.value is not None for contribution in steps):
        return ""
    costly = sorted(steps, key=lambda contribution: -measure.gain(contribution.off.value))[:MOST]
    named = {contribution.choice.axis for contribution in leaders(steps)}
    if named == {contribution.choice.axis for contribution in costly}:
        return " Taken off again, the same two cost most."
    labels = formatting.joined([contribution.choice.label for contribution in costly])
    other = ": what a choice brings depends on the others" if len(named) == MOST else ""
    return f" Taken off again, {labels} cost most{other}."


def _others(steps: Sequence[Contribution], total: Ratio) -> Phrase:
    """Which choices do not pay, pay only in some company, or are open."""
    sentences: dict[Phrase, list[Contribution]] = {}
    for how, group in UNPROVEN.items():
        sentences[Phrase([how])] = [step for step in steps if (step.says, *step.better) == group]
    for how, better in OPEN.items():
        for word in UNCLEAR:
            members = [step for step in steps if step.says == word and step.better == better]
            sentences[phrase(how, word=Strong(word))] = members
    told = [
        phrase("{how}: {named}.", how=how, named=_listed([_with_ratios(step, total) for step in members]))
        for how, members in sentences.items()
        if members
    ]
    return joined(" ", [*told, *_too_few(steps)]) if told else Phrase(["Every choice pays."])


def _too_few(steps: Sequence[Contribution]) -> list[str]:
    """What it takes where rounds are too few for anything to follow from some ratios."""
    needed = [ratio.needed for step in steps for ratio in (step.on, step.off) if ratio.known and ratio.short]
    takes = f"Some ratios have too few rounds for a {100 * CONFIDENCE:.0f} % interval, which takes "
    return [f"{takes}{max(needed)}."] if needed else []


def _with_ratios(step: Contribution, total: Ratio) -> Phrase:
    return phrase("{label} ({both})", label=step.choice.label, both=_both(step, total))


def _both(contribution: Contribution, total: Ratio) -> Phrase:
    """Its ratios; of the choice that is switched on last both are the same."""
    last = contribution.choice.without == contribution.choice.before
    template = "{on} on and off, as the last step" if last else "{on} on, {off} off"
    return phrase(template, on=_said(contribution.on, total), off=_said(contribution.off, total))


def _said(ratio: Ratio, total: Ratio) -> Phrase:
    """A ratio with its interval, and with its n where that differs from the whole's."""
    n = f", n = {ratio.n}," if ratio.known and ratio.n != total.n else ""
    return phrase(
        "{factor}{interval}{n}", factor=Strong(formatting.times(ratio.value)), interval=formatting.interval(ratio), n=n
    )
