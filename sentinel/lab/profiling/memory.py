"""memray's captures made into numbers and pages.

Allocated bytes are `total_bytes_allocated` of `memray stats --json`: every request counts with its full size, freed
or not, Python's own allocators included (Go's alloc_space). Pages are made with `--no-web`: they open offline.
"""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

from sentinel.environment import child_environment
from sentinel.errors import TrialError
from sentinel.lab.profiling.stacks import MOVED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.run.trial_record import Memory

TOP = 400
"""Locations kept per capture: enough that what is left out is small change."""

PAGES = {"flamegraph": "flame graph", "table": "table"}


LIMIT = 600.0
"""Seconds that memray may take over one capture."""


def _memray(supervisor: Supervisor, capture: Path, *words: str | Path) -> None:
    """Run memray as a child of the process supervisor, so that it ends with the lab.

    Raises:
        TrialError: memray failed, or took too long.
        StackError: the lab is ending, and memray with it.
    """
    log = capture.with_name(f"{capture.stem}-{words[0]}.log")
    command = [sys.executable, "-m", "memray", *map(str, words)]
    # It writes its pages, and draws its progress, in the encoding of the locale.
    child = supervisor.start(f"memray {words[0]}", command, log=log, env=child_environment(PYTHONUTF8=1))
    if child.wait(LIMIT):
        raise TrialError(f"{' '.join(command[2:])} failed: {child.tail().strip()[-500:]}")
    log.unlink()


def summary(capture: Path, supervisor: Supervisor) -> Memory:
    """Totals and top allocators per message of one capture, with the number of messages it saw.

    Args:
        capture: A memray capture; the number of messages is in a .json beside it.
        supervisor: Starts memray.

    Raises:
        TrialError: the capture or its number of messages is missing, empty or unreadable.
    """
    try:
        messages = int(json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))["messages"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrialError(
            f"no message count beside {capture}: the profiled consumer did not end as it should"
        ) from error
    stats_file = capture.with_name(f"{capture.stem}-stats.json")
    _memray(supervisor, capture, "stats", "--json", "-n", str(TOP), "-f", "-o", stats_file, capture)
    stats = json.loads(stats_file.read_text(encoding="utf-8"))
    if not messages or not stats["total_num_allocations"]:
        raise TrialError(f"{capture} saw {messages} messages and {stats['total_num_allocations']} allocations")
    return {
        "messages": messages,
        "bytes_per_message": stats["total_bytes_allocated"] / messages,
        "allocations_per_message": stats["total_num_allocations"] / messages,
        "peak_bytes": stats["metadata"]["peak_memory"],
        "locations": _per_message(stats["top_allocations_by_size"], "location", "size", messages),
        "modules": _per_message(stats["top_modules_by_allocation_size"], "module", "total_bytes", messages),
    }


def _per_message(rows: list[Mapping[str, Any]], name: str, size: str, messages: int) -> dict[str, float]:
    merged: dict[str, float] = {}
    for row in rows:
        key = short_location(str(row[name]))
        merged[key] = merged.get(key, 0.0) + row[size] / messages
    return {key: round(value, 2) for key, value in merged.items()}


def short_location(location: str) -> str:
    """A location without the part of its path that differs from machine to machine.

    Args:
        location: Function, file and line, as memray prints them.
    """
    return re.sub(r"[^:]*/(?:site-packages|lib/python3\.\d+|(?=sentinel/))/?", "", location)


def keep(trial: Path, folder: Path, name: str) -> Path:
    """Move a trial's capture, and its message count, to where profiles are kept.

    Args:
        trial: The trial's folder.
        folder: The run's folder of profiles, made if it is not there.
        name: The files' names without their extensions.

    Returns:
        The capture's new path.

    Raises:
        TrialError: there is no capture, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (counted := trial / "memray.json").exists():
            counted.rename(folder / f"{name}.json")
        return (trial / "memray.bin").rename(folder / f"{name}.bin")
    except OSError as error:
        raise TrialError(f"the capture of {trial} cannot be moved to {folder}: {error}") from error


def page(kind: str, capture: Path, supervisor: Supervisor) -> Path:
    """Make one of memray's pages, which opens offline, beside a capture.

    Args:
        kind: One of `PAGES`.
        capture: The capture.
        supervisor: Starts memray.

    Returns:
        The path of the page.

    Raises:
        TrialError: memray could not make it.
    """
    path = capture.with_name(f"{capture.stem}-{kind}.html")
    _memray(supervisor, capture, kind, "--no-web", "-f", "-o", path, capture)
    return path


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> list[tuple[str, float, float]]:
    """How the bytes per message of every place changed.

    Args:
        before: Bytes per message by place.
        after: The same of another capture; a place that is missing on either side has 0.

    Returns:
        Rows of place, bytes per message before and after; the largest change first.
    """
    places = {place: (before.get(place, 0.0), after.get(place, 0.0)) for place in {*before, *after}}
    rows = [(place, old, new) for place, (old, new) in places.items()]
    return sorted(rows, key=lambda row: (-abs(row[2] - row[1]), row[0]))


def by_function(locations: Mapping[str, float]) -> dict[str, float]:
    """Bytes per message by function and file, without their lines, which move from one version to the next.

    Args:
        locations: Bytes per message by function, file and line.

    Returns:
        Bytes per message by `function:file`; a module that lies elsewhere now is named as it is now.
    """
    merged: dict[str, float] = {}
    for location, size in locations.items():
        place, _, line = location.rpartition(":")
        function, _, file = (place if line.isdecimal() else location).partition(":")
        name = ":".join(part for part in (function, MOVED.get(file, file)) if part)
        merged[name] = merged.get(name, 0.0) + size
    return merged
