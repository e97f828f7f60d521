"""How numbers, ratios and noise floors are said: the same in tables, figures, sentences and the terminal.

Pure text: three significant digits or thousands separators. What is not there is a dash, never a zero or a NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab.presentation import phrase as phrases
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.statistics.compare import CONFIDENCE, RANGE, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.statistics.compare import Ratio, Spread, Verdict

NOTHING = "–"


def figure(value: float | None) -> str:
    """A measured number to three significant digits, never in exponents: `116,000`, `20.3`, `0.00417`."""
    if value is None or not math.isfinite(value):
        return NOTHING
    rounded = float(f"{value:.3g}")
    if not rounded:
        return "0"
    return f"{rounded:,.{max(0, 2 - math.floor(math.log10(abs(rounded))))}f}"


def count(value: float | None) -> str:
    """A counted number, exact."""
    return NOTHING if value is None else f"{value:,.0f}"


def plain(value: float) -> str:
    """A number as it was given, with thousands separators and no needless zeros: for rates, ticks and parameters."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:g}"


def counted(number: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def broken(name: str) -> str:
    """A configuration's name over several lines where it is a list of switches."""
    return name.replace(",", ",\n")


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


# -- ratios ----------------------------------------------------------------------------------------------------------


def times(factor: float | None) -> str:
    """A factor without an interval: `12.3×`."""
    return NOTHING if factor is None or not math.isfinite(factor) else f"{_short(factor)}×"


def ranged(ratio: Ratio | None) -> str:
    """A ratio with its interval, where it has one: `218× [204, 231]`, `2.00×`."""
    return NOTHING if ratio is None else f"{times(ratio.value)}{interval(ratio)}"


def ratio(value: Ratio) -> Phrase:
    """A ratio with its interval, or that there is none, the factor set off: `2.00× (n = 1: no interval)`."""
    if value.value is None:
        return Phrase([NOTHING])
    return bare(value) if value.known else phrase("{ratio} (n = {n}: no interval)", ratio=bare(value), n=value.n)


def bare(value: Ratio) -> Phrase:
    """A ratio with its interval, where it has one, the factor set off: `2.00× [1.80, 2.20]`, `2.00×`."""
    return phrase("{factor}{rest}", factor=Strong(times(value.value)), rest=interval(value))


def interval(value: Ratio) -> str:
    """Its two ends, to be set behind the factor: ` [204, 231]`; empty where there is none."""
    return f" [{_short(value.interval[0])}, {_short(value.interval[1])}]" if value.interval else ""


def _short(value: float) -> str:
    digits = 2 if value < 9.995 else 1 if value < 99.95 else 0
    return f"{value:.2g}" if value < 0.0995 else f"{value:,.{digits}f}"


def floor(band: float) -> str:
    """The factor that a difference must exceed either way: `1.10×`."""
    return times(1 + band)


def beyond(band: float, *, control: bool) -> Phrase:
    """What a difference must exceed; `control`: whether an A/A control showed it."""
    if not control and not band:
        return Phrase(["no A/A control"])
    template = "A/A noise floor {floor}" if control else "up to {floor} counts as no difference"
    return phrase(template, floor=Strong(floor(band)))


def because(verdict: Verdict) -> Phrase:
    """What a verdict rests on, in a row: its interval, the noise floor, what disturbs, what would settle it."""
    disturbed = f"what disturbs: {joined(verdict.disturbances) or 'not known'}" if verdict.word == Word.UNSTABLE else ""
    parts = [note(verdict.ratio), beyond(verdict.band, control=verdict.control), disturbed, settling(verdict)]
    return phrases.joined("; ", [part for part in parts if str(part)])


def note(ratio: Ratio) -> str:
    """What a ratio's interval is: `97.8 % interval of 5 unpaired rounds`; of too few rounds, how many 95 % takes."""
    if not ratio.of_rounds:
        return f"n = {ratio.n} each" if ratio.known else f"n = {ratio.n}: no interval"
    rounds = f"{ratio.n} {ratio.method} round{'s' * (ratio.n != 1)}"
    which = f"{100 * (ratio.confidence or 0):.1f} % interval of" if ratio.known else "no interval of"
    return f"{which} {rounds}{f'; {100 * CONFIDENCE:.0f} % takes {ratio.needed}' if ratio.short else ''}"


def settling(verdict: Verdict) -> str:
    """What would settle a verdict: `about 6 rounds more, 3 min, would settle it`; empty where nothing is known."""
    if verdict.further is None or verdict.word == Word.UNSTABLE:
        return ""
    about = "at least" if verdict.ratio.standard_error is None else "about"
    takes = f", {span(verdict.seconds)}," if verdict.seconds is not None else ""
    return f"{about} {counted(verdict.further, 'round')} more{takes} would settle it"


def span(seconds: float) -> str:
    """A length of time, rounded up: `45 s`, `3 min`, `1.5 h`."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def estimates(ratios: Iterable[Ratio]) -> str:
    """What ratios are, and their intervals, behind what is divided by what; empty where none has an interval."""
    known = [ratio for ratio in ratios if ratio.known]
    if not known:
        return ""
    which = ", the Hodges–Lehmann estimate, not the quotient of the medians" * all(ratio.of_rounds for ratio in known)
    return f"{which}, with {intervals(known)}"


def intervals(ratios: Iterable[Ratio]) -> str:
    """What the intervals of these ratios are."""
    known = [ratio for ratio in ratios if ratio.known and ratio.method != RANGE]
    if not known:
        return "no intervals, single trials having none"
    if not all(ratio.of_rounds for ratio in known):
        return _bootstrapped(min(ratio.n for ratio in known))
    least, most = (f"{100 * by(ratio.confidence or 0.0 for ratio in known):.1f}" for by in (min, max))
    coverage = f"{least} %" if least == most else f"{least} to {most} %"
    methods = joined(sorted({ratio.method for ratio in known}))
    return f"exact intervals of {coverage} over {methods} rounds"


def _bootstrapped(n: int) -> str:
    """Of a run that was made before rounds were compared, with `n` trials a side."""
    if n >= 5:
        return f"{100 * CONFIDENCE:.0f} % bootstrap intervals"
    sure = f"about {90 if n > 2 else 67} % confidence"
    return f"bootstrap intervals (from best to worst, {n} trials being few: {sure})"


def spread(values: Spread | None) -> str:
    """The trials behind a median: `1.20 to 1.50, n = 3`; empty for single ones."""
    return f"{figure(values.low)} to {figure(values.high)}, n = {values.n}" if values and values.n > 1 else ""
