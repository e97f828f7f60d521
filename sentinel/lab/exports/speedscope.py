"""A run's CPU profiles for speedscope: made from the folded stacks, also of runs that kept no such file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.errors import RunError, TrialError
from sentinel.lab.exports.folded import stacks
from sentinel.lab.profiling import cpu

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run


def files(runs: Sequence[Run]) -> dict[str, str | bytes]:
    """See `formats`."""
    return {
        f"{run.id}-{label}.speedscope.json": _made(run, label, text)
        for run in runs
        for label, text in stacks(run).items()
    }


def _made(run: Run, label: str, text: str) -> str:
    try:
        return cpu.speedscope_of(label, text)
    except TrialError as error:
        raise RunError(f"the CPU profile of {label} in run {run.id} is damaged: {error}") from error
