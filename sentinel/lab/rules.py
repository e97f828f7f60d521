"""How a parameter's value is read, and what is allowed, in words: the kinds of parameters that there are."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentinel.errors import ContenderError, ExtensionError, SettingsError
from sentinel.settings import LEAST_FIELDS, LOOPS, MOST_FIELDS, MOST_SOURCES, MOST_TAGS, parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
OF_MESSAGES: Mapping[str, Rule] = {
    "SOURCES": or_auto(whole(1, MOST_SOURCES)),
    "FIELDS": whole(LEAST_FIELDS, MOST_FIELDS),
    "TAGS": whole(0, MOST_TAGS),
    "LOOP": choice(*LOOPS),
}
"""What is sent: from how many sources, of what size, and when."""


def converted(given: Mapping[str, Any], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """The values, each read by its rule.

    Args:
        given: By name, as a person or papermill gave them.
        rules: How each name is read.

    Raises:
        SettingsError: a name that has no rule, or a value that is not allowed.
    """
    for name in given:
        if name not in rules:
            near = difflib.get_close_matches(name.upper(), rules, 1)
            hint = f" (did you mean {near[0]}?)" if near else ""
            raise SettingsError(f"{name} is not a parameter{hint}: there are {', '.join(rules)}")
    return {name: read(name, value, rules[name]) for name, value in given.items()}


def read(name: str, value: Any, rule: Rule) -> Any:
    """One parameter's value, converted.

    Raises:
        SettingsError: it is not allowed; the message names parameter, value and what is. Of a contender, what is wrong
            with it.
    """
    try:
        return rule.read(value)
    except (ExtensionError, ContenderError):  # says itself what is wrong, and not with the value
        raise
    except (ValueError, KeyError, TypeError, OverflowError, SettingsError):
        raise SettingsError(f"{name}={value!r} is not allowed: expected {rule.allowed}") from None


def from_words(words: Iterable[str], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """`NAME=VALUE` words of a command line, checked and converted.

    Raises:
        SettingsError: a word without `=`, an unknown name, or a value that is not allowed.
    """
    pairs: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise SettingsError(f"{word!r} is not a parameter: expected NAME=VALUE, such as WORKERS=128")
        pairs[name] = value
    return converted(pairs, rules)
