"""What a finished run is worth to a program that waits for it: whether every question was answered. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import LATENCY, PROFILE

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


def unanswered(run: Run) -> str:
    """Which questions were left without one valid trial, and the first reason; empty where each has one.

    A question is a configuration in a group of trials. A CPU profile that could not be taken is a warning, no failure.
    """
    trials = [o for o in queries.outcomes(run) if o.plan.kind != PROFILE]
    if "stack" not in run.data:  # a study, which has no trials
        return ""
    if not trials:
        return "no trial was carried out, so nothing was measured"
    asked = dict.fromkeys((o.plan.label, o.plan.kind, o.plan.group) for o in trials)
    answered = {(o.plan.label, o.plan.kind, o.plan.group) for o in trials if o.valid}
    missing = [question for question in asked if question not in answered]
    if not missing:
        return ""
    named = ", ".join(f"{kind} of {label}" for label, kind, _ in missing)
    reason = next(problem for o in trials if not o.valid for problem in o.problems)
    return f"no valid trial of: {named}. The first reason: {reason}"


def missed(run: Run) -> str:
    """Which loads were not sustained, for those who asked to be strict; empty where all were."""
    bad = [o for o in queries.outcomes(run) if o.plan.kind == LATENCY and o.valid and not o.sustained]
    if bad:
        return f"the load was not sustained in trial {', '.join(str(o.plan.number) for o in bad)}"
    return ""
