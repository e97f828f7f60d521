"""What speaks against trusting trials, in sentences with numbers. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

import msgspec

from sentinel.lab import formatting
from sentinel.lab.machine import facts
from sentinel.lab.presentation.phrase import Phrase, Strong, phrase
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, PROFILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sentinel.lab.machine.facts import Machine
    from sentinel.lab.run.trial_record import Outcome

LATE = 0.2
"""Share of an e2e percentile from which the generator's own lateness is worth a warning."""
SPREAD = 0.25
"""Spread of repeats, (max - min) ÷ median, from which it is worth a warning."""
STEAL = 2.0
"""Percent of the machine's time taken by other guests, from which it is worth a warning."""
DISTURBING = 1.0
"""Percent of the machine's time taken by other guests, from which it may be why trials differ."""
STOLEN = f"more than {STEAL:.0f} % of the machine's time went to other guests"


class Validity(msgspec.Struct, frozen=True):
    """How many trials there are, and the numbers of those that are invalid."""

    trials: int
    """Trials that were judged."""
    invalid: list[int] = []
    """Numbers of those that are invalid."""


def validity(outcomes: Sequence[Outcome]) -> Validity:
    """Whether every message is accounted for.

    A trial in which py-spy failed, and took the consumer along, has no ledger to judge; `warnings` has it.

    Args:
        outcomes: All trials of a run.
    """
    judged = [o for o in outcomes if o.plan.kind != PROFILE or o.consumer]
    return Validity(len(judged), [o.plan.number for o in judged if not o.valid])


def accounted(warnings: Validity, otherwise: str = "are left out of all figures") -> Phrase:
    """A validity in a sentence.

    Args:
        warnings: The trials that were judged, and the invalid ones among them.
        otherwise: What becomes of invalid trials, as the end of the sentence.
    """
    if not warnings.trials:
        return phrase("No trial was carried out.")
    if not warnings.invalid:
        of = "1 trial" if warnings.trials == 1 else f"all {warnings.trials} trials"
        return phrase("Every message of {of} is accounted for, and the store's own count agrees.", of=of)
    return phrase(
        "{bad} of {trials} trials are {invalid} (number {numbers}) and {otherwise}.",
        bad=len(warnings.invalid),
        trials=warnings.trials,
        invalid=Strong("invalid"),
        numbers=", ".join(map(str, warnings.invalid)),
        otherwise=otherwise,
    )


def warnings(outcomes: Sequence[Outcome]) -> list[str]:
    """What speaks against trusting trials, in sentences with numbers.

    Args:
        outcomes: All trials of a run, valid or not.

    Returns:
        One sentence a warning, invalid trials first; empty where there is none.
    """
    tests: list[tuple[Callable[[Outcome], bool], str]] = [
        (lambda o: not o.valid, "invalid: " + "; ".join(p for o in outcomes for p in o.problems)[:600]),
        (lambda o: o.steal > STEAL, STOLEN),
        (_generator_late, f"more than {100 * LATE:.0f} % of e2e p99 is load-generator delay"),
    ]
    warnings = []
    for test, words in tests:
        if named := [f"{o.plan.number} ({o.plan.label})" for o in outcomes if test(o)]:
            warnings.append(f"Trial {', '.join(named)}: {words}.")
    return [
        *warnings[:1],
        *_fell_behind(outcomes),
        *warnings[1:],
        *(words for o in outcomes for words in _own_warnings(o)),
        *_unsteady(outcomes),
    ]


def disturbances(outcomes: Sequence[Outcome], machine: Machine) -> list[str]:
    """What is known to disturb the machine: why trials of one configuration may differ.

    Args:
        outcomes: All trials of a run, valid or not.
        machine: Where it was measured, with its jitter.

    Returns:
        A clause for each; empty where nothing is known.
    """
    stolen, own = [o.steal for o in outcomes if o.steal > DISTURBING], machine.jitter or {}
    tests = [
        (
            bool(stolen),
            f"other guests took over {DISTURBING:.0f} % of the machine's time in {len(stolen)} of"
            f" {formatting.counted(len(outcomes), 'trial')}, {formatting.figure(max(stolen, default=0.0))} % at most",
        ),
        (
            own.get("slow", 0.0) > facts.SLOWED,
            f"the processor slowed down in {own.get('slow', 0.0):.1f} % of turns of a fixed piece of work",
        ),
        (own.get("late_p99", 0.0) > facts.LATE, f"timers were late by {own.get('late_p99', 0.0):.1f} ms at p99"),
        (
            own.get("others", 0.0) > facts.ALONE,
            f"other work took {own.get('others', 0.0):.0f} % of the CPU time when the run began",
        ),
    ]
    return [clause for holds, clause in tests if holds]


def _fell_behind(outcomes: Iterable[Outcome]) -> list[str]:
    named = [
        f"{o.plan.number} ({'; '.join([o.plan.label, *o.unsustained])})"
        for o in outcomes
        if o.plan.paced and not o.sustained
    ]
    if not named:
        return []
    return [
        f"Trial {', '.join(named)}: the offered load was not sustained; latencies there are those of a growing queue,"
        " and not compared."
    ]


def _own_warnings(outcome: Outcome) -> list[str]:
    return [f"Trial {outcome.plan.number} ({outcome.plan.label}): {words}." for words in outcome.warnings]


def _generator_late(outcome: Outcome) -> bool:
    if outcome.plan.kind != LATENCY or not outcome.latencies:
        return False
    late, e2e, stored = (outcome.latencies[kind].get("p99", 0.0) for kind in ("send_delay", "e2e", "stored"))
    return late > LATE * (e2e or stored)  # e2e is not known of every contender


def _unsteady(outcomes: Sequence[Outcome]) -> list[str]:
    warnings = []
    for label in dict.fromkeys(o.plan.label for o in outcomes):
        values = [o.throughput for o in outcomes if o.valid and o.plan.kind == CAPACITY and o.plan.label == label]
        middle = statistics.median(values) if len(values) >= 2 else 0.0
        if middle and (spread := (max(values) - min(values)) / middle) > SPREAD:
            warnings.append(
                f"Capacity of {label} varies by {100 * spread:.0f} % between repeats"
                f" ({min(values):,.0f} to {max(values):,.0f} msg/s): more REPEATS or a quieter machine would help."
            )
    return warnings
