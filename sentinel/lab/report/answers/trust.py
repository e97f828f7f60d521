"""How far a run can be trusted: its warnings, what equal trials differed by, how steady the machine was. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.machine import jitter
from sentinel.lab.presentation.tables import folded, items, tag, together
from sentinel.lab.run.trial_record import CAPACITY

if TYPE_CHECKING:
    from markupsafe import Markup

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.run_data import RunData

TITLE = "How far can it be trusted?"
SHOWN = 2
"""Warnings that are not folded away."""
WEIGHT = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\binvalid\b",
        r"\bnot sustain|\bbacklog\b",
        r"\bvar(?:y|ies)\b",
        r"\bbusy\b|\boverlap|another run|other guests",
        r"\blate(?:ness)?\b|load.generator delay",
    )
]
"""What makes a warning weighty, the weightiest first: results that are missing, that mean something else, that may not
come again, and what disturbed them. All others follow, as they came."""
NAMES = {
    "capacity": "capacity",
    "capacity_cpu_us": "CPU per message while draining",
    "cpu_us": "CPU per message under load",
    "capacity_peak_rss_mb": "memory while draining",
    "peak_rss_mb": "memory under load",
    "bytes_per_message": "allocated bytes",
}
"""Measures within a sentence; others are called as run.json calls them, with blanks."""


def trust(run: Run) -> Markup:
    """Warnings, then the noise floor and the state of the machine as far as the record has them."""
    facts = {"Noise floor": _noise(run.data), "State of the machine": _machine(run.data)}
    known = [together([tag("dt", name), tag("dd", fact)]) for name, fact in facts.items() if fact]
    below = [tag("dl", together(known, "\n"), class_="facts")] if known else []
    return together([tag("div", tag("h2", TITLE), class_="prose"), _warnings(run.data.warnings), *below], "\n")


def _noise(d: RunData) -> str:
    """What equal trials differed by; empty of a run that compares nothing by capacity."""
    if d.noise.bands:
        floors = [f"{NAMES.get(m, m.replace('_', ' '))} {formatting.floor(band)}" for m, band in d.noise.bands.items()]
        return f"{', '.join(floors)}: what the same configuration measured twice (A/A) differs by"
    if d.noise.again:
        return f"{formatting.floor(d.noise.band)}: what the same configuration measured twice (A/A) differs by"
    drained = any(trial.plan.kind == CAPACITY for trial in d.trials)
    new, old = d.compared
    return "not known: no configuration has a valid second leg (A/A)" if drained and new != old else ""


def _machine(d: RunData) -> str:
    """How steady it was by itself, and what others took of it meanwhile."""
    stolen = max((trial.steal for trial in d.trials), default=0.0)
    taken = f" Other guests took at most {formatting.figure(stolen)} % of its time in a trial." if d.trials else ""
    return f"{jitter.words(d.machine.jitter)}{taken}" if d.machine.jitter else taken.strip()


def _warnings(warnings: list[str]) -> Markup:
    if not warnings:
        return tag("p", "No warning: nothing speaks against these measurements.", class_="calm")
    ranked = sorted(warnings, key=_weight)
    shown, more = ranked[:SHOWN], ranked[SHOWN:]
    which = ", the weightiest first" if len(warnings) > 1 else ""
    title = tag("p", f"{formatting.counted(len(warnings), 'warning')}{which}", class_="title")
    rest = [folded(f"{formatting.counted(len(more), 'more warning')}", items(more))] if more else []
    return tag("aside", together([title, items(shown), *rest]), class_="warnings")


def _weight(warning: str) -> int:
    return next((rank for rank, pattern in enumerate(WEIGHT) if pattern.search(warning)), len(WEIGHT))
