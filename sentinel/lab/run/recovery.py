"""Runs whose process was killed before it could conclude them: their record is concluded from what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import registry
from sentinel.lab.run import conclusion, queries
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import FAILED, RUNNING

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


def recovered(run: Run, state: str = FAILED, why: str = "its process was killed") -> Run:
    """The run, concluded if nobody is carrying it out any more and nobody has concluded it.

    Raises:
        RunError: the record cannot be written.
        SettingsError: no experiment has the name that the record gives.
    """
    if run.state == RUNNING and not under_way(run):
        summarise = registry.experiment(run.data["notebook"]).study().found
        conclusion.conclude(summarise, run, queries.outcomes(run), state, why)
    return run
