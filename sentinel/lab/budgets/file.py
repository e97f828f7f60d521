"""Budgets as a file: TOML, a table `budgets` each, as docs/ci.md has them.

Each fault is one line that names the file, the budget and what is allowed.
"""

from __future__ import annotations

import difflib
import math
import re
import tomllib
from typing import TYPE_CHECKING, Any

from sentinel.errors import SettingsError
from sentinel.lab.budgets.bound import TIMES, Bound
from sentinel.lab.statistics.measures import KINDS
from sentinel.lab.statistics.metrics import MEASURES, measure
from sentinel.lab.statistics.tails import KEPT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BUDGETS = "budgets"
KEYS = ("measure", "configuration", "against", "at_least", "at_most", "rounds")
NUMBER = re.compile(r"(\d[\d_]*(?:\.\d+)?)\s*(\S.*)?")
"""A number and its unit."""
ROUNDS = re.compile(r"(\d+) of (\d+)")
SPELLINGS = {"x": TIMES, "us": "µs", "\N{GREEK SMALL LETTER MU}s": "µs"}
"""Units as they may be typed."""


def load(path: Path) -> list[Bound]:
    """Read and check a file of budgets.

    Args:
        path: TOML, with an array of tables `budgets`.

    Raises:
        SettingsError: the file cannot be read, or something in it is unknown or not allowed; the message says where.
    """
    return bounds(tables(path), path)


def tables(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Args:
        path: The file.

    Raises:
        SettingsError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"no budgets can be read from {path}: {error.strerror}") from error
    except ValueError as error:  # tomllib's, and of a text that is no UTF-8
        raise SettingsError(f"{path} is no TOML: {error}") from error


def bounds(held: Mapping[str, Any], path: Path, *besides: str) -> list[Bound]:
    """The budgets of a file.

    Args:
        held: What it holds.
        path: The file, for messages.
        besides: Other keys that it may have.

    Raises:
        SettingsError: something in it is unknown or not allowed, or there is no budget; the message says where.
    """
    allowed = (*besides, BUDGETS)
    if unknown := [key for key in held if key not in allowed]:
        raise SettingsError(f"{path}: {unknown[0]} is no key of it: expected {' and '.join(allowed)}")
    entries = held.get(BUDGETS)
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"{path} has no budgets, so nothing could break: expected [[{BUDGETS}]]")
    return [_bound(entry, f"{path}: budget {number}") for number, entry in enumerate(entries, 1)]


def _bound(entry: Any, where: str) -> Bound:
    if not isinstance(entry, dict):
        raise SettingsError(f"{where} is {entry!r}: expected a table, [[{BUDGETS}]]")
    where += f" ({entry.get('measure', '?')} of {entry.get('configuration', '?')})"
    if unknown := [key for key in entry if key not in KEYS]:
        near = difflib.get_close_matches(unknown[0], KEYS, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise SettingsError(f"{where}: {unknown[0]} is no key{hint}: expected {', '.join(KEYS)}")
    if wrong := [key for key, value in entry.items() if not isinstance(value, str)]:
        example = ', such as "9 ms" or "75×"' if wrong[0].startswith("at_") else ""
        raise SettingsError(f"{where}: {wrong[0]} = {entry[wrong[0]]!r}: expected a text{example}")
    if lacking := [key for key in KEYS[:2] if not entry.get(key)]:
        raise SettingsError(f"{where} has no {lacking[0]}")
    given = [key for key in ("at_least", "at_most") if key in entry]
    if len(given) != 1:
        raise SettingsError(f"{where}: expected one of at_least and at_most, found {' and '.join(given) or 'neither'}")
    return _read(entry, given[0], where)


def _read(entry: Mapping[str, str], limit: str, where: str) -> Bound:
    name, against = entry["measure"], entry.get("against", "")
    known = measure(name)
    if known is None:
        raise SettingsError(f"{where}: {name!r} is no measure: expected {_measures(name)}")
    if "rounds" in entry and not known.repeated:
        raise SettingsError(f"{where}: {name} is measured once: rounds cannot be asked for")
    rounds = _rounds(entry["rounds"], where) if "rounds" in entry else None
    value = _limit(entry[limit], TIMES if against else known.unit, f"{where}: {limit}")
    most = {"at_least": value, "at_most": None} if limit == "at_least" else {"at_least": None, "at_most": value}
    return Bound(name, entry["configuration"], against, **most, rounds=rounds)


def _measures(name: str) -> str:
    listed = [*MEASURES, *(f"{kind}_{percentile}" for kind in KINDS for percentile in KEPT)]
    near = difflib.get_close_matches(name, listed, 1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{', '.join(MEASURES)}, or a latency: {', '.join(KINDS)} with _{', _'.join(KEPT)}{hint}"


def _limit(text: str, unit: str, where: str) -> float:
    match = NUMBER.fullmatch(text.strip())
    given = (match[2] or "").strip() if match else ""
    if not match or not math.isfinite(value := float(match[1])):
        raise SettingsError(f'{where} = {text!r}: expected a number of 0 or more with its unit, such as "9 {unit}"')
    if (known := SPELLINGS.get(given, given)) != unit:
        hint = " (of a ratio: say `against` what)" if known == TIMES else ""
        raise SettingsError(f"{where} = {text!r}: expected its unit to be {unit}, found {given or 'none'}{hint}")
    return value


def _rounds(text: str, where: str) -> tuple[int, int]:
    match = ROUNDS.fullmatch(text.strip())
    least, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= least <= of:
        raise SettingsError(f'{where}: rounds = {text!r}: expected "n of m" with n from 1 to m, such as "5 of 6"')
    return least, of
