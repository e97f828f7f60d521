"""The trials of a regression test: which there are, in turn and at the same time."""

from __future__ import annotations

from sentinel.lab.experiments.regression.parameters import Regression
from sentinel.lab.experiments.regression.record import BASE, HEAD
from sentinel.lab.experiments.regression.trials import duets, rounds
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY

LEGS = [BASE, BASE + CONTROL, HEAD]


def test_without_duets_every_trial_is_in_turn() -> None:
    """A round drains with each leg, then offers the load to each, in alternating order; nothing is left for duets."""
    p = Regression(REPEATS=2)
    assert [*LEGS, *LEGS, *reversed(LEGS), *reversed(LEGS)] == [plan.label for plan in rounds(p)]
    assert [CAPACITY] * 3 + [LATENCY] * 3 == [plan.kind for plan in rounds(p)[:6]]
    assert [] == duets(p)


def test_with_duets_the_loads_of_a_round_are_at_the_same_time() -> None:
    """Each duet has base, its A/A control and head under equal loads; draining stays in turn."""
    p = Regression(REPEATS=2, DUET=True)
    assert {CAPACITY} == {plan.kind for plan in rounds(p)}
    assert [LEGS, LEGS] == [[plan.label for plan in legs] for legs in duets(p)]
    assert [[0] * 3, [1] * 3] == [[plan.repeat for plan in legs] for legs in duets(p)]
    assert 1 == len({(plan.kind, plan.load) for legs in duets(p) for plan in legs})


def test_without_a_rate_there_is_nothing_to_be_at_the_same_time() -> None:
    """RATE=0 leaves the load out, DUET or not."""
    p = Regression(REPEATS=1, RATE=0, DUET=True)
    assert ([], {CAPACITY}) == (duets(p), {plan.kind for plan in rounds(p)})
