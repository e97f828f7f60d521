"""The shift figure in words: the sentence below each panel, and the alt text. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.presentation.phrase import Phrase, Strong, joined, phrase
from sentinel.lab.statistics.rounds.decision import MARGIN
from sentinel.lab.statistics.rounds.ranks import ERROR, least_unpaired
from sentinel.lab.statistics.rounds.shift import EQUAL, HIGHER, LOWER, OPEN, rounds_needed, stretches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.statistics.rounds.ranks import Floats
    from sentinel.lab.statistics.rounds.shift import Shift, Stretch

TITLES = {"stored": "Stored", "e2e": "End to end"}
"""Kinds of latency that the figure shows, and how they are said."""
_NOUNS = {True: "round", False: "trial"}
"""What the thin lines are: of rounds that are pairs, and of trials in sessions of their own."""
_PAIRS = " in every pair of trials"
NAMED = (0.5, 0.9, 0.99, 0.999, 0.9999)
"""Percentiles on the axis, and in the alt text."""


def percentile(share: float) -> str:
    """A percentile's name, its distance to 100 % to two digits: `p50`, `p97.6`, `p99.9`.

    Args:
        share: Of messages below, less than 1.
    """
    digits = max(0, -math.floor(math.log10(1 - share) + 1e-9) - 1)
    return f"p{f'{100 * share:.{digits}f}'.rstrip('0').rstrip('.') if digits else f'{100 * share:.0f}'}"


def sentences(panels: Mapping[str, Shift], new: str, old: str) -> list[Phrase]:
    """What the rounds say along the percentiles, a sentence a kind; then, where they are few, how many it takes.

    Args:
        panels: new ÷ old by kind of latency, each of at least one round and percentile.
        new: A configuration's label.
        old: The other's.
    """
    told = [_sentence(kind, values, new, old) for kind, values in panels.items()]
    few = [values for values in panels.values() if not values.settled]
    return [*told, _few(max(few, key=lambda values: values.n))] if few else told


def _sentence(kind: str, values: Shift, new: str, old: str) -> Phrase:
    if not values.coverage:
        span, ratio = f"{percentile(values.shares[0])} to {percentile(values.shares[-1])}", _range(_ends(values.ratio))
        single = "a single round shows" if values.paired else "trials too few for any band show"
        return Phrase([f"{TITLES[kind]}: {single} {ratio} from {span}."])
    parts = stretches(values)
    decided = [_decided(part, new, old, values) for part in parts if part.word != OPEN]
    told = joined("; ", decided + _open(parts, "the rounds do not agree" if values.paired else "it is not known"))
    return phrase("{kind}: {told}.", kind=TITLES[kind], told=told)


def _decided(part: Stretch, new: str, old: str, values: Shift) -> Phrase:
    how = {
        LOWER: "from {span} {new} is {word} than {old}{rounds} ({ratio})",
        HIGHER: "from {span} {new} is {word} than {old}{rounds} ({ratio})",
        EQUAL: "from {span} {new} and {old} are {word} within {margin} %{rounds}",
    }
    return phrase(
        how[part.word],
        span=f"{percentile(part.first)} to {percentile(part.last)}",
        word=Strong(part.word),
        new=new,
        old=old,
        margin=f"{100 * MARGIN:.0f}",
        rounds="" if values.settled else f" in each of {values.n} rounds" if values.paired else _PAIRS,
        ratio=_range(part.ratios),
    )


def _open(parts: Sequence[Stretch], what: str) -> list[Phrase]:
    """Where nothing is decided, in one clause; none where all is."""
    left = [part for part in parts if part.word == OPEN]
    if not left:
        return []
    ratio = _range((min(part.ratios[0] for part in left), max(part.ratios[1] for part in left)))
    return [Phrase([f"{_where(parts, left)} {what} (medians {ratio})"])]


def _where(parts: Sequence[Stretch], left: Sequence[Stretch]) -> str:
    """Which of all stretches are left."""
    if len(parts) == 1:
        return f"from {percentile(parts[0].first)} to {percentile(parts[0].last)}"
    if len(left) == 1 and left[0] is parts[-1]:
        return f"beyond {percentile(parts[-2].last)}"
    if len(left) == 1 and left[0] is parts[0]:
        return f"below {percentile(parts[1].first)}"
    return "elsewhere"


def _few(values: Shift) -> Phrase:
    sure = f"{100 * (1 - ERROR):.0f} %"
    if not values.paired:
        return Phrase([f"Trials so few cannot make a band of {sure}: that takes {least_unpaired((1, 1))} of either."])
    rounds = formatting.counted(values.n, "round")
    return Phrase([f"{rounds} cannot make a band of {sure}: that takes {rounds_needed()} that both sustain."])


def _ends(ratios: Floats) -> tuple[float, float]:
    return float(ratios.min()), float(ratios.max())


def _range(ratios: tuple[float, float]) -> str:
    low, high = map(formatting.times, ratios)
    return low if low == high else f"{low} to {high}"


def caption(panels: Mapping[str, Shift], new: str, old: str) -> str:
    """How the figure is read, and what its ends and its band mean.

    Args:
        panels: new ÷ old by kind of latency.
        new: A configuration's label.
        old: The other's.
    """
    paired = all(values.paired for values in panels.values())
    how = "A round measures both" if paired else "Each was measured in a session of its own: no rounds are pairs"
    return (
        f"Latency of {new} ÷ that of {old} at every percentile, the axis spread towards the tail: below 1 {new} is"
        f" faster. {how}; only trials that sustained the load count. {_end(panels)}"
        f"{_band(list(panels.values()))}"
    )


def _end(panels: Mapping[str, Shift]) -> str:
    """Where the curves end, and why."""
    ends = {kind: (percentile(values.shares[-1]), values.messages) for kind, values in panels.items()}
    why = "{} ends at {}, the last that the {:,} messages of the trial with the fewest carry."
    if len(set(ends.values())) == 1:
        return why.format("The axis", *next(iter(ends.values())))
    return " ".join(why.format(TITLES[kind], *end) for kind, end in ends.items())


def _band(panels: Sequence[Shift]) -> str:
    """A sentence, behind a blank, on what the band holds; empty without one."""
    settled = {(values.n, values.paired): values.coverage for values in panels if values.settled}
    if not settled:
        return ""
    sure = " and ".join(
        f"{100 * coverage:.1f} % of experiments (n = {n} {_NOUNS[paired]}s)"
        for (n, paired), coverage in settled.items()
    )
    return (
        f" The band holds the true median at any one percentile in {sure}; it is pointwise: along the whole curve"
        " it misses somewhere more often."
    )


def alt(panels: Mapping[str, Shift], new: str, old: str) -> str:
    """The ratio at the percentiles that stand on the axis, with its band.

    Args:
        panels: new ÷ old by kind of latency.
        new: A configuration's label.
        old: The other's.
    """
    (noun, *_) = [_NOUNS[values.paired] for values in panels.values()]
    told = [f"Ratio of latency, {new} to {old}, over percentile, on log axes; thin: each {noun}, thick: their median."]
    for kind, values in panels.items():
        marks = [n for n, share in enumerate(values.shares) if share in NAMED]
        ratios = "; ".join(f"{percentile(values.shares[n])} {_at(values, n)}" for n in marks)
        told.append(f"{TITLES[kind]} (n = {formatting.counted(values.n, noun)}): {ratios}.")
    return " ".join([*told, *map(str, sentences(panels, new, old))])


def _at(values: Shift, n: int) -> str:
    """The ratio at one percentile, with its band where there is one."""
    if not values.settled:
        return formatting.times(values.ratio[n])
    return (
        f"{formatting.times(values.ratio[n])} [{formatting.times(values.low[n])}, {formatting.times(values.high[n])}]"
    )
