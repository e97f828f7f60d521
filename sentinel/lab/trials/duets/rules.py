"""When a duet counts, and in which order its legs start. Pure.

Two nearly equal contenders that run side by side meet the same disturbances at the same time, which their ratio then
loses (Bulej, Horký, Tůma, Farquet and Prokopec, "Duet Benchmarking", ICPE 2020). That holds while both get all the time
that they ask for: on a saturated machine, the one that needs less leaves more to the other, and the ratio is of
something else. An A/A control beside them makes a third leg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.run.trial_record import WARM_UP

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sentinel.lab.run.trial_record import Outcome, Plan
    from sentinel.probe import CpuTimes

    Reading = tuple[int, CpuTimes]
    """Time in ns since the epoch, and the machine's CPU time by then."""
    Span = tuple[int, int]
    """From when until when, ns since the epoch."""

MOST_BUSY = 85.0
"""Percent of the machine's CPU time above which it counts as saturated. Chosen, not measured."""
ABANDONED = "another leg of its duet failed"
"""Why a leg that did nothing wrong does not count."""


def backwards(number: int) -> bool:
    """Whether the legs of a round start from the last to the first: in every other one.

    Args:
        number: Of the round, from 0.
    """
    return number % 2 == 1


def in_turn(rounds: Sequence[Sequence[Plan]]) -> Iterator[Plan]:
    """The trials of all rounds for one after the other, in the order in which the legs of duets would start.

    Args:
        rounds: The legs of each.

    Yields:
        Plans.
    """
    for number, legs in enumerate(rounds):
        yield from (reversed(legs) if backwards(number) else legs)


def shared(starts: Sequence[int], ends: Sequence[int]) -> Span:
    """The time in which all legs were measured; its end is no earlier than its beginning.

    Args:
        starts: When each began to be measured, ns since the epoch.
        ends: When each ended, likewise.
    """
    return max(starts), max(*starts, min(ends))


def busy(readings: Sequence[Reading], span: Span) -> float:
    """How much of the machine's CPU time was not idle: taken by anybody, or by other guests of its hypervisor.

    Args:
        readings: In order of time.
        span: Within it; where fewer than two readings lie in it, all of them count.

    Returns:
        Percent; 0 where no two readings differ.
    """
    within = [times for at, times in readings if span[0] <= at <= span[1]]
    if len(within) < 2:
        within = [times for _, times in readings]
    before, after = within[0], within[-1]
    total = after.total - before.total
    return 100 * (1 - (after.idle - before.idle) / total) if total > 0 else 0.0


def match(outcomes: Sequence[Outcome]) -> None:
    """All legs count, or none does: what speaks against one is a problem of the others, too.

    Args:
        outcomes: Of the legs of one duet, accounted for; those that do not count are made invalid.
    """
    if not all(outcome.valid for outcome in outcomes):
        for outcome in outcomes:
            _refuse(outcome, *([ABANDONED] if outcome.valid else []))
    elif outcomes[0].plan.paced and (apart := outcomes[0].beside["apart"]) > WARM_UP:
        for outcome in outcomes:
            _refuse(outcome, f"the loads of its duet began {apart:.1f} s apart, and the warm-up takes {WARM_UP:g} s")


def saturated(outcomes: Sequence[Outcome]) -> str:
    """Why a duet says nothing, though its legs are valid.

    Args:
        outcomes: Of its legs. Where one is invalid, the round does not count anyway.

    Returns:
        A clause; empty where the machine bore them.
    """
    if not all(outcome.valid for outcome in outcomes):
        return ""
    if (share := outcomes[0].beside["busy"]) > MOST_BUSY:
        return f"its CPUs were busy for {share:.0f} % of the time, and {MOST_BUSY:.0f} % is the most"
    for outcome in outcomes:
        if outcome.unsustained:
            return f"{outcome.plan.label} did not sustain its load: {outcome.unsustained[0]}"
    return ""


def _refuse(outcome: Outcome, *problems: str) -> None:
    outcome.valid = False
    outcome.problems += problems
