"""Which trials of an interrupted run stay: whole rounds, and what is not timed one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.lab.resuming.stored import Stored
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, MEMORY, PILOT, PROFILE, Outcome, Plan
from sentinel.settings import LoadSettings

LEGS = ("a", "b", "b (again)")


def plan(label: str, repeat: int, kind: str = CAPACITY, **more: float) -> Plan:
    """One leg of a round."""
    return Plan(0, kind, label, label, LoadSettings(count=1000), repeat=repeat, group=kind, **more)


PLANS = [plan(label, repeat) for repeat in range(3) for label in LEGS]


def done(plans: list[Plan]) -> list[Outcome]:
    """Valid outcomes of these plans, numbered."""
    return [Outcome(replace(each, number=number), valid=True) for number, each in enumerate(plans)]


def numbers(outcomes: list[Outcome]) -> list[int]:
    """Their numbers."""
    return [outcome.plan.number for outcome in outcomes]


def test_a_new_run_has_nothing() -> None:
    """Every trial of it is carried out, and nothing is replaced."""
    stored = Stored([], [])
    assert [None] * 9 == stored.of(PLANS)
    assert ([], []) == (stored.left, stored.replaced)


def test_whole_rounds_stay_and_a_broken_one_is_measured_as_a_whole() -> None:
    """The run ended in its second round: of that all legs are carried out, and those that are there count no more."""
    outcomes = done(PLANS[:5])
    stored = Stored(outcomes, [])
    assert [*outcomes[:3], *[None] * 6] == stored.of(PLANS)
    assert [3, 4] == numbers(stored.replaced)
    assert [] == stored.left


@pytest.mark.parametrize(
    ("faults", "stays"),
    [
        ({"valid": False, "problems": ["the consumer was not ready after 30 s"]}, False),
        ({"valid": False, "problems": ["a ledger is missing"], "sender": {"sent": 1000}}, False),
        ({"valid": False, "problems": ["3 were lost"], "sender": {"sent": 1000}, "consumer": {"received": 997}}, True),
    ],
)
def test_a_failure_is_measured_again_and_a_finding_stays(faults: dict[str, object], stays: bool) -> None:
    """Without a ledger a trial says nothing of the consumer; messages that do not add up are never tried away."""
    outcomes = done(PLANS[:3])
    for name, value in faults.items():
        setattr(outcomes[1], name, value)
    stored = Stored(outcomes, [])
    assert (outcomes if stays else [None] * 3) == stored.of(PLANS[:3])
    assert ([] if stays else [0, 1, 2]) == numbers(stored.replaced)


def test_where_gaps_decided_they_stay() -> None:
    """Of rounds that went by their looks, a failed trial is the gap that it was; a missing leg is still measured."""
    outcomes = done(PLANS[:5])
    outcomes[1].valid = False
    stored = Stored(outcomes, [], gaps={CAPACITY: [1.0]})
    assert [*outcomes[:3], *[None] * 3] == stored.of(PLANS[:6])
    assert [3, 4] == numbers(stored.replaced)


def test_a_pilot_is_one_round() -> None:
    """How long a trial costs is learnt of its trials together, so all are of one session."""
    pilots = [plan(f"b{PILOT}", repeat) for repeat in range(3)]
    assert [None] * 3 == Stored(done(pilots[:2]), []).of(pilots)
    outcomes = done(pilots)
    assert outcomes == Stored(outcomes, []).of(pilots)


def test_a_contender_that_failed_its_verification_stays_refused() -> None:
    """Its trials, which never began, are no failure of the machine."""
    outcomes = done(PLANS[:3])
    outcomes[0].valid = False
    assert outcomes == Stored(outcomes, [], {"a"}).of(PLANS[:3])


def test_what_is_not_timed_stays_one_by_one() -> None:
    """A memory trial that was summed up and a profile trial do not wait for the others of their kind."""
    memory, profile = ([plan(label, 0, kind) for label in LEGS] for kind in (MEMORY, PROFILE))
    outcomes = done([*memory[:2], *profile[:1]])
    outcomes[0].memory = {"messages": 1000}
    stored = Stored(outcomes, [])
    assert [outcomes[0], None, None] == stored.of(memory)  # the second's capture was not summed up
    assert [outcomes[2], None, None] == stored.of(profile)
    assert [1] == numbers(stored.replaced)


def test_another_load_is_another_trial() -> None:
    """What was measured at a rate that is not asked for any more stays until nobody asks, and then counts no more."""
    paced = LoadSettings(rate=100.0, duration=2.0)
    before = [replace(plan(label, 0, LATENCY), load=paced) for label in LEGS]
    outcomes = done(before)
    stored = Stored(outcomes, [])
    assert [None] * 3 == stored.of([replace(each, load=replace(paced, rate=90.0)) for each in before])
    assert (outcomes, []) == (stored.left, stored.replaced)
    stored.drop()
    assert ([], outcomes) == (stored.left, stored.replaced)


def test_the_same_asked_for_twice_is_given_out_once_each() -> None:
    """A notebook that asks twice for a round has carried it out twice, and gets both back in order."""
    outcomes = done([*PLANS[:3], *PLANS[:3]])
    stored = Stored(outcomes, [])
    assert [*outcomes[:3], *outcomes[3:], None] == [*stored.of(PLANS[:3]), *stored.of(PLANS[:3]), *stored.of(PLANS[:1])]
