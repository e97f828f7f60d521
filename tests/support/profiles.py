"""Made-up runs with profile trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.synthetic import ALL, summed

from sentinel.lab.profiling.stacks import STAGES
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import PROFILE, Outcome, Plan
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.run import Run

SAMPLES = 400
FUNCTIONS = {f"Class.method_{n} (some/package/module_{n}.py:{n})": [60 - n, 90 - n] for n in range(20)}

PROFILED = {
    "samples": SAMPLES,
    "left_out": 70,
    "stages": dict(zip(STAGES, (200, 50, 40, 30, 60, 12, 7, 1), strict=True)),
    "functions": FUNCTIONS,
}


def with_profiles(run: Run, names: Sequence[str] = ALL, **changes: Any) -> Run:
    """The run with a profile trial of every configuration."""
    outcomes = [*queries.outcomes(run)]
    for name in names:
        plan = Plan(len(outcomes), PROFILE, name, name, LoadSettings(count=9), group="profile")
        given: dict[str, Any] = {"valid": True, "profile": PROFILED, "cpu_us": 7.0, "consumer": {"received": 9}}
        outcomes.append(Outcome(plan, **given | changes))
    return summed(run, outcomes, names)
