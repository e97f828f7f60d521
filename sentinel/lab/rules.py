"""How a parameter's value is read, and what is allowed, in words: the kinds of parameters that there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentinel.settings import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable

AUTO = "auto"
"""The value of a parameter that leaves the choice to the lab."""


@dataclass(frozen=True)
class Rule:
    """How a parameter's value is read, and what is allowed, in words."""

    read: Callable[[Any], Any]
    allowed: str


def whole(low: int, high: int) -> Rule:
    """A whole number."""

    def read(value: Any) -> int:
        read = float(str(value))  # papermill makes a float of 1e4
        if not (low <= read <= high and read.is_integer()):
            raise ValueError
        return int(read)

    return Rule(read, f"a whole number from {low:,} to {high:,}")


def number(low: float, high: float) -> Rule:
    """A number."""

    def read(value: Any) -> float:
        read = float(str(value).replace("_", ""))
        if isinstance(value, bool) or not low <= read <= high:
            raise ValueError
        return read

    return Rule(read, f"a number from {low:,g} to {high:,.0f}")


def choice(*choices: str) -> Rule:
    """One of some texts."""

    def read(value: Any) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Rule(read, f"one of {', '.join(choices)}")


def duration(low: float, high: float, examples: str) -> Rule:
    """A duration in seconds, also with a unit."""

    def read(value: Any) -> float:
        if isinstance(value, bool) or not low <= (seconds := parse_duration(value)) <= high:
            raise ValueError
        return seconds

    return Rule(read, f"seconds from {low:g} to {high:,.0f}, as {examples}")


def share(low: float, high: float) -> Rule:
    """A share, also in percent."""

    def read(value: Any) -> float:
        text = str(value).strip()
        read = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        if isinstance(value, bool) or not low <= read <= high:
            raise ValueError
        return read

    return Rule(read, f'a share from {low:g} to {high:g}, as 0.05 or "5%"')


MOST_PERCENTILES = 8


def _percentiles(value: Any) -> str:
    shares = sorted(float(word) for word in str(value).split(","))
    if len({*shares}) != len(shares) or len(shares) > MOST_PERCENTILES or not all(0 < p < 100 for p in shares):
        raise ValueError
    return ",".join(f"{p:.10g}" for p in shares)


PERCENTILES = Rule(
    _percentiles,
    f"different percentiles above 0 and below 100, joined by commas, at most {MOST_PERCENTILES}, as 50,99,99.99",
)


def or_auto(rule: Rule) -> Rule:
    """What a rule allows, or `auto`."""
    return Rule(lambda value: AUTO if value == AUTO else rule.read(value), f"{rule.allowed}, or {AUTO}")


def _truth(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


YES_OR_NO = Rule(_truth, "True or False")
