"""How often trials were repeated, in numbers and in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


def rounds(run: Run) -> list[int]:
    """How many trials a configuration has of each kind that is repeated.

    Args:
        run: A run with the parameter `REPEATS`.

    Returns:
        `REPEATS`; where that was `auto` the rounds of its groups of trials, ascending without those that are the same.
    """
    if isinstance(repeats := run.data.parameters["REPEATS"], int):
        return [repeats]
    groups = [[o.plan.repeat + 1 for o in run.data.trials if o.plan.group == group] for group in run.data.looks]
    return sorted({max(group) for group in groups if group}) or [0]


def repeated(run: Run, noun: str) -> str:
    """How often trials were repeated: `4 repeats`, `6 to 12 repeats`.

    Args:
        run: A run with the parameter `REPEATS`.
        noun: What is counted, in the singular.
    """
    fewest, *_, most = [*rounds(run), *rounds(run)]
    return formatting.counted(most, noun) if fewest == most else f"{fewest:,} to {formatting.counted(most, noun)}"
