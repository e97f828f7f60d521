"""Runs whose process was killed before it could conclude them: their record is concluded from the trials it holds."""

from __future__ import annotations

from sentinel.lab.experiments.ablation.trials import AblationLab
from sentinel.lab.experiments.bench_check.gate import GateLab
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.experiments.live.trials import LiveLab
from sentinel.lab.experiments.sweep.trials import SweepLab
from sentinel.lab.run import conclusion, queries
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run import FAILED, RUNNING, Run

LABS = {lab.notebook: lab for lab in (AblationLab, BenchmarkLab, GateLab, LiveLab, SweepLab)}
"""By the notebook that their records name."""


def recovered(run: Run, state: str = FAILED, why: str = "its process was killed") -> Run:
    """The run, concluded if nobody is carrying it out any more and nobody has concluded it.

    Raises:
        RunError: the record cannot be written.
    """
    if run.state == RUNNING and not under_way(run):
        conclusion.conclude(LABS[run.data["notebook"]].found, run, queries.outcomes(run), state, why)
    return run
