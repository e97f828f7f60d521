"""When a duet counts, and in which order its legs start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Outcome, Plan
from sentinel.lab.trials.duets import rules
from sentinel.probe import CpuTimes
from sentinel.settings import LoadSettings

PLAN = Plan(0, LATENCY, "a", "optimised", LoadSettings(rate=100.0, duration=3.0))
OTHER = replace(PLAN, number=1, label="b")


def legs(**changes: object) -> tuple[Outcome, Outcome]:
    """Two valid legs of a duet on a half idle machine; changes are of the second."""
    a, b = (Outcome(plan, valid=True, beside={"busy": 50.0, "apart": 0.1}) for plan in (PLAN, OTHER))
    for name, value in changes.items():
        setattr(b, name, value)
    return a, b


def readings(*busy: float) -> list[tuple[int, CpuTimes]]:
    """A reading a second, of two CPUs that were busy for such shares of the seconds between."""
    collected, idle = [(0, CpuTimes(0.0, 0.0, 0.0, 0.0))], 0.0
    for second, share in enumerate(busy, 1):
        idle += 2 * (1 - share)
        collected.append((int(second * 1e9), CpuTimes(2 * second - idle, idle, 0.0, 2.0 * second)))
    return collected


def test_the_order_of_starts_alternates() -> None:
    """Legs start from the first to the last and back in turn, in duets and one after the other alike."""
    assert [False, True, False, True] == [rules.backwards(number) for number in range(4)]
    assert ["a", "b", "b", "a", "a", "b"] == [plan.label for plan in rules.in_turn([(PLAN, OTHER)] * 3)]


def test_only_the_time_that_both_share_counts() -> None:
    """From the later beginning to the earlier end; legs that never met share nothing."""
    assert (5, 8) == rules.shared([5, 3], [9, 8])
    assert (7, 7) == rules.shared([7, 3], [9, 4])


def test_the_machine_is_busy_by_what_was_not_idle() -> None:
    """Within the span, other guests' time included; of a span without two readings, over all there are."""
    assert rules.busy(readings(0.2, 0.9, 0.7), (int(1e9), int(3e9))) == pytest.approx(80.0)
    assert rules.busy(readings(0.2, 0.9, 0.7), (int(1.2e9), int(1.8e9))) == pytest.approx(60.0)
    stolen = [(0, CpuTimes(0.0, 0.0, 0.0, 0.0)), (1, CpuTimes(0.5, 0.5, 1.0, 2.0))]
    assert rules.busy(stolen, (0, 1)) == pytest.approx(75.0)
    assert 0.0 == rules.busy(readings(), (0, 1))


def test_a_failed_leg_takes_its_partners_with_it() -> None:
    """None counts, and each says why; valid legs stay as they are."""
    a, b = legs(valid=False, problems=["it broke"])
    rules.match((a, b))
    assert (False, [rules.ABANDONED]) == (a.valid, a.problems)
    assert (False, ["it broke"]) == (b.valid, b.problems)
    a, b = legs()
    rules.match((a, b))
    assert [(True, [])] * 2 == [(leg.valid, leg.problems) for leg in (a, b)]


def test_loads_that_began_too_far_apart_are_no_duet() -> None:
    """By more than the warm-up, one is measured while the other is not; drains have a span of their own."""
    for kind, counts in ((LATENCY, False), (CAPACITY, True)):
        late = [Outcome(replace(PLAN, kind=kind), valid=True, beside={"apart": 1.5}) for _ in range(2)]
        rules.match(late)
        assert [counts] * 2 == [leg.valid for leg in late]
        assert [[]] * 2 == [leg.problems for leg in late] or "1.5 s apart" in late[0].problems[0]


def test_a_duet_counts_where_the_machine_bears_it() -> None:
    """Up to the bound of CPU time, and where both sustain the load; an invalid round is no sign of saturation."""
    assert "" == rules.saturated(legs())
    hot = legs()
    hot[0].beside["busy"] = 91.0
    assert "91 % of the time" in rules.saturated(hot)
    assert "b did not sustain its load: slow" == rules.saturated(legs(unsustained=["slow"], sustained=False))
    assert "" == rules.saturated(legs(valid=False, unsustained=["slow"]))
