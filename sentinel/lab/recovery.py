"""Runs whose process was killed before it could conclude them: their record is concluded from the trials it holds."""

from __future__ import annotations

from sentinel.lab import conclusion, views
from sentinel.lab.ablation import AblationLab
from sentinel.lab.benchmark import BenchmarkLab
from sentinel.lab.claim import under_way
from sentinel.lab.gate import GateLab
from sentinel.lab.live import LiveLab
from sentinel.lab.runs import FAILED, RUNNING, Run
from sentinel.lab.sweep import SweepLab

LABS = {lab.notebook: lab for lab in (AblationLab, BenchmarkLab, GateLab, LiveLab, SweepLab)}
"""By the notebook that their records name."""


def recovered(run: Run, state: str = FAILED, why: str = "its process was killed") -> Run:
    """The run, concluded if nobody is carrying it out any more and nobody has concluded it.

    Raises:
        RunError: the record cannot be written.
    """
    if run.state == RUNNING and not under_way(run):
        conclusion.conclude(LABS[run.data["notebook"]].found, run, views.outcomes(run), state, why)
    return run
