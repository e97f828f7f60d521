"""How numbers, ratios and noise floors are said: the same in tables, figures, sentences and the terminal.

Pure text: three significant digits or thousands separators. What is not there is a dash, never a zero or a NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.statistics.compare import ENOUGH, nominal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.statistics.compare import Ratio, Spread

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
    without = "" if value.known else f" (n = {value.n}: no interval)"
    return phrase("{factor}{rest}", factor=Strong(times(value.value)), rest=interval(value) or without)


def interval(value: Ratio) -> str:
    """Its two ends, to be set behind the factor: ` [204, 231]`; empty where there is none."""
    return f" [{_short(value.interval[0])}, {_short(value.interval[1])}]" if value.interval else ""


def _short(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.2g}" if value < 0.1 else f"{value:,.{digits}f}"


def floor(band: float) -> str:
    """The factor that a difference must exceed either way: `1.10×`."""
    return times(1 + band)


def beyond(band: float, *, control: bool) -> Phrase:
    """What a difference must exceed; `control`: whether an A/A control showed it."""
    template = "A/A noise floor {floor}" if control else "up to {floor} counts as no difference"
    return phrase(template, floor=Strong(floor(band)))


def intervals(n: int) -> str:
    """What the intervals of comparisons of `n` trials a side are."""
    if (confidence := nominal(n)) is None:
        return "no intervals, single trials having none"
    if n >= ENOUGH:
        return f"{100 * confidence:.0f} % bootstrap intervals"
    sure = f"about {100 * confidence:.0f} % confidence"
    return f"bootstrap intervals (from best to worst, {n} trials being few: {sure})"


def spread(values: Spread | None) -> str:
    """The trials behind a median: `1.20 to 1.50, n = 3`; empty for single ones."""
    return f"{figure(values.low)} to {figure(values.high)}, n = {values.n}" if values and values.n > 1 else ""
