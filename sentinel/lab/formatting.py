"""How numbers are said: three significant digits or thousands separators, the same in tables, figures and sentences.

Pure text. What is not there is a dash, never a zero or a NaN.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sentinel.lab.statistics.compare import Ratio

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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


def times(factor: float) -> str:
    """A factor without an interval: `12.3×`."""
    return str(Ratio(factor, math.nan, math.nan, 0)).split(" ")[0]


def ratio(stored: Mapping[str, Any] | None) -> str:
    """A ratio as run.json holds it, with its interval: `218× [204, 231]`."""
    if not stored or stored["value"] is None:
        return NOTHING
    low, high = (math.nan if stored[name] is None else stored[name] for name in ("low", "high"))
    return str(Ratio(stored["value"], low, high, stored["n"]))
