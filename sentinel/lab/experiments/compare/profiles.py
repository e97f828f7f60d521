"""What both runs' CPU profiles and memory trials say, as their records hold it: where CPU and bytes go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.experiments.compare.record import A, B, Bytes, Stages
from sentinel.lab.profiling import difference, memory
from sentinel.lab.run.trial_record import MEMORY, PROFILE
from sentinel.lab.statistics.measures import column, measures, medians

if TYPE_CHECKING:
    from sentinel.lab.run.run_data import RunData
    from sentinel.lab.run.trial_record import Outcome

LEAST = 0.01
"""Bytes per message by which a place must have changed, to be told."""
KEPT = 40
"""Functions and places kept, those that changed most."""


def stages(a: RunData, b: RunData) -> dict[str, Stages]:
    """What both runs' CPU profiles say, by configuration.

    Args:
        a: The record of the one.
        b: That of the other.
    """
    made = {}
    for name in _in_both(a, b, PROFILE):
        pair = [_first(run, name, PROFILE) for run in (a, b)]
        if not all(o and o.profile for o in pair):
            continue
        old, new = (o.profile for o in pair if o)
        costs = [medians(measures(column(name, run.trials))).get("capacity_cpu_us") for run in (a, b)]
        changed = [change for change in difference.functions(old, new) if change.by][:KEPT]
        made[name] = Stages(
            samples=(old["samples"], new["samples"]),
            cpu_us=(costs[0], costs[1]),
            stages=[*difference.stages(old, new)],
            functions=[*changed],
        )
    return made


def _in_both(a: RunData, b: RunData, kind: str) -> list[str]:
    labels = [{o.plan.label for o in run.trials if o.valid and o.plan.kind == kind} for run in (a, b)]
    return [name for name in b.configurations if all(name in some for some in labels)]


def _first(run: RunData, name: str, kind: str) -> Outcome | None:
    return next((o for o in column(name, run.trials) if o.valid and o.plan.kind == kind), None)


def allocated(a: RunData, b: RunData) -> dict[str, Bytes]:
    """What both runs' memory trials say, by configuration; where a run has several of it, the first.

    Args:
        a: The record of the one.
        b: That of the other.
    """
    made = {}
    for name in _in_both(a, b, MEMORY):
        old, new = (o.memory for run in (a, b) if (o := _first(run, name, MEMORY)))
        if "bytes_per_message" in old and "bytes_per_message" in new:
            places = [memory.by_function(seen.get("locations", {})) for seen in (old, new)]
            changed = [row for row in memory.difference(*places) if abs(row[2] - row[1]) >= LEAST][:KEPT]
            made[name] = Bytes((old["bytes_per_message"], new["bytes_per_message"]), changed)
    return made


def lacking(a: RunData, b: RunData) -> dict[str, str]:
    """Why there is no CPU profile, or no memory trial, of any configuration in both runs, in a sentence each.

    Args:
        a: The record of the one.
        b: That of the other.
    """
    told = {}
    for what, kind, title in (("cpu", PROFILE, "CPU profile"), ("memory", MEMORY, "memory trial")):
        without = [name for name, run in ((A, a), (B, b)) if not any(_first(run, n, kind) for n in run.configurations)]
        whys = [run.unprofiled for run in (a, b) if kind == PROFILE and run.unprofiled]
        if without:
            why = f" ({'; '.join(whys)})" if whys else ""
            told[what] = f"{formatting.joined(without)} {'have' if len(without) > 1 else 'has'} no valid {title}{why}."
        elif not _in_both(a, b, kind):
            told[what] = f"A and B have no {title} of the same configuration."
    return told
