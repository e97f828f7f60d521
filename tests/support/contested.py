"""A synthetic run with a contender in it, as its record and its page have it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from support import synthetic

from sentinel.lab.contenders.verification.checks import Check, ContenderData
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, UNTAPPED, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run

WIRE: dict[str, Any] = {
    "requests": 400, "refused": 1, "unanswered": 0, "points": 100, "distinct": 100, "duplicated": 2, "overwritten": 3,
    "unidentified": 4, "batch": {"p50": 7.0, "p99": 9.0, "max": 9.0}, "unmeasurable": "",
    "store_ms": {"p50": 0.5, "p99": 1.5, "max": 2.0},
}  # fmt: skip
RELAXED = "stops at poison messages: it is <plain>"
CHECKS = [
    Check("ready", "stream/json", kept=True),
    Check("poison", "stream/json", kept=False, detail="it ended", relaxed=RELAXED),
]


def contested(root: Path, *checks: Check, unmeasurable: str = "") -> Run:
    """A run of baseline, and of a contender called optimised that keeps no record."""
    run = synthetic.made(root, ["baseline", "optimised"], memray=False)
    trials = [_foreign(o, unmeasurable) for o in queries.outcomes(run)]
    run = synthetic.summed(run, [*trials, *_untapped(trials)], ["baseline", "optimised"])
    recorded = ContenderData("/x", ["./consume"], "mine 1.0", ["stream/json"], [RELAXED], list(checks))
    run.data.contenders = {"optimised": recorded}
    return run


def _foreign(outcome: Outcome, unmeasurable: str) -> Outcome:
    outcome.wire = WIRE | {"unmeasurable": unmeasurable}
    if outcome.plan.kind == CAPACITY:
        outcome.wire["recorded"] = outcome.throughput
    if outcome.plan.label == "optimised" and outcome.plan.kind == LATENCY:
        outcome.latencies |= {"internal": {"n": 0}, "e2e": {"n": 0}}
        if outcome.plan.group == HEADLINE:
            outcome.latencies["visible"] = {"p50": 3.21, "p90": 4.32, "p99": 5.0, "max": 6.0, "n": 100}
    return outcome


def _untapped(trials: list[Outcome]) -> list[Outcome]:
    """baseline's drains once more, twice as quick."""
    drains = [o for o in trials if o.plan.kind == CAPACITY and o.plan.label == "baseline"]
    return [
        msgspec.structs.replace(
            o, plan=replace(o.plan, label=f"baseline{UNTAPPED}"), throughput=2 * o.throughput, wire={}
        )
        for o in drains
    ]
