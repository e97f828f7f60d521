"""Measures over rounds: each group of trials has its own, the control shows the floor, and a round has its seconds."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan
from sentinel.lab.statistics.metrics import Measure, compared, round_seconds
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.settings import LoadSettings

MORE, LESS = Measure("capacity", "Capacity", "msg/s", higher=True), Measure("capacity_cpu_us", "CPU", "µs")
BYTES = Measure("bytes_per_message", "Allocated", "bytes", repeated=False)


def trial(label: str, repeat: int, kind: str = CAPACITY, **measured: Any) -> Outcome:
    """One valid trial; its group is its kind."""
    plan = Plan(0, kind, label, label.removesuffix(CONTROL), LoadSettings(), repeat=repeat, group=kind)
    return Outcome(plan, valid=True, **measured)


def capacities(n: int, new: float = 2000.0, again: float = 2000.0) -> list[Outcome]:
    """Rounds of three legs that take 20 s each."""
    return [
        trial(label, repeat, throughput=value * (1 + repeat / 100), started=int((100 + 20 * repeat + at) * 1e9))
        for repeat in range(n)
        for at, (label, value) in enumerate((("old", 1000.0), ("new", new), ("new" + CONTROL, again)))
    ]


def test_each_group_has_rounds_of_its_own() -> None:
    """A memory trial each, beside six rounds of capacities, is one round; looks are those of the group."""
    outcomes = [*capacities(6), *(trial(name, 0, MEMORY, memory={"bytes_per_message": 8.0}) for name in ("old", "new"))]
    actual = compared("new", "old", outcomes, {"capacity": [6, 12]})
    assert {"bytes_per_message": 1, "capacity": 6} == {name: item.estimate.rounds for name, item in actual.items()}
    fixed = compared("new", "old", outcomes)
    assert actual["capacity"].estimate.coverage > fixed["capacity"].estimate.coverage
    assert actual["bytes_per_message"] == fixed["bytes_per_message"]


def test_the_control_shows_the_floor_of_every_pair() -> None:
    """Also where neither of two configurations was measured twice; without a control no floor is known."""
    outcomes = [*capacities(5, again=2200.0), *(trial("third", n, throughput=900.0 + n) for n in range(5))]
    item = compared("third", "old", outcomes, control="new")["capacity"]
    legs = [(2000.0 * (1 + n / 100), 2200.0 * (1 + n / 100)) for n in range(5)]
    assert pytest.approx(floor(legs, item.estimate.method, (1, 1))) == item.floor
    assert MORE.verdict(item).control
    without = compared("third", "old", outcomes)["capacity"]
    assert (False, 0.0, False) == (without.controlled, without.band, MORE.verdict(without).control)


def test_a_round_takes_from_its_first_load_to_the_next_ones() -> None:
    """By the trials' own clock; a single round, or one without a load, says nothing of it."""
    assert 20.0 == round_seconds(capacities(3))
    assert 20.0 == compared("new", "old", capacities(3))["capacity"].seconds
    assert round_seconds(capacities(1)) is None
    assert round_seconds([trial("new", n) for n in range(4)]) is None


def test_a_clock_that_was_set_back_is_no_time() -> None:
    """A round that seems to begin before the last one is left out."""
    outcomes = capacities(4)
    for o in outcomes:
        o.started -= int(3600e9) * (o.plan.repeat >= 2)
    assert 20.0 == round_seconds(outcomes)


@pytest.mark.parametrize(
    ("value", "word"), [(1.2, "worse"), (1.04, "no difference"), (0.96, "no difference"), (0.5, "better")]
)
def test_what_is_taken_once_is_judged_by_the_ratio_itself(value: float, word: str) -> None:
    """memray counts every request of its one trial: beyond ± 5 % is a difference, without an interval."""
    outcomes = [trial(name, 0, MEMORY, memory={"bytes_per_message": v}) for name, v in (("old", 1.0), ("new", value))]
    verdict = BYTES.verdict(compared("new", "old", outcomes)["bytes_per_message"])
    assert (word, 0.05, None, False) == (verdict.word, verdict.band, verdict.further, verdict.ratio.known)


def test_the_direction_is_the_measures() -> None:
    """Twice the value is better where more is, worse where less is; nothing measured is neither."""
    item = compared("new", "old", capacities(4))["capacity"]
    assert ("better", "worse") == (MORE.verdict(item).word, LESS.verdict(item).word)
    assert ("unresolved", None) == ((nothing := MORE.verdict(None)).word, nothing.ratio.value)
    latency = [trial("new", n, LATENCY, latencies={"stored": {"p99": 3.0, "n": 900}}) for n in range(4)]
    assert {"capacity"} == set(compared("new", "old", [*capacities(4), *latency]))


def test_what_settles_nothing_says_for_how_long_more() -> None:
    """Further rounds, and their seconds by the round's own."""
    verdict = MORE.verdict(compared("new", "old", capacities(2))["capacity"])
    assert ("unresolved", 1, 20.0) == (verdict.word, verdict.further, verdict.seconds)
    assert math.isclose(2.0, verdict.ratio.value or 0, rel_tol=0.02)
