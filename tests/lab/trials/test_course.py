"""When another round comes: decided by announced looks, by widths and by the time, never by what a ratio says."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sentinel.lab.run.trial_record import CAPACITY, Outcome, Plan
from sentinel.lab.statistics.rounds import sequential
from sentinel.lab.statistics.rounds.estimates import PAIRED, Estimate
from sentinel.lab.trials.rounds.course import Course
from sentinel.lab.trials.rounds.keys import Key, ratios
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST = sequential.STEPS[-1]


def estimate(half_width: float, ratio: float = 2.0, rounds: int = 12) -> Estimate:
    """A ratio whose interval is so wide."""
    apart = 1 + half_width
    return Estimate(ratio, ratio / apart, ratio * apart, 0.96, 0.001, rounds, PAIRED, math.log(apart) / 2)


def widths(*values: float, **more: float) -> Callable[[Sequence[Outcome], Sequence[int]], Mapping[str, Estimate]]:
    """Key ratios that are so wide at one look after the other; the last from then on."""
    at = iter(values)
    last = values[-1]

    def looked(_outcomes: Sequence[Outcome], _looks: Sequence[int]) -> dict[str, Estimate]:
        return {"capacity": estimate(next(at, last)), **{name: estimate(width) for name, width in more.items()}}

    return looked


def course(ratios: Callable[..., Mapping[str, Estimate]], within: float = 1e6, a_round: float = 10.0) -> Course:
    """Rounds that settle at ± 5 %."""
    return Course(ratios, settle=0.05, within=within, a_round=a_round, most=MOST)


def carried_out(rounds: Course, seconds: Sequence[float] = (10.0,)) -> int:
    """Carry out rounds that take so long, the last of them again and again, until none comes; returns how many."""
    now, number, goes_on = 0.0, 0, True
    while goes_on:
        now += seconds[min(number, len(seconds) - 1)]
        number += 1
        goes_on = rounds.goes_on([], now)
    assert number == rounds.done
    return number


def test_it_ends_at_the_look_at_which_all_have_settled() -> None:
    """Narrow enough at the third look: it ends there, and the looks that never came stay announced."""
    rounds = course(widths(0.3, 0.08, 0.03))
    assert 12 == carried_out(rounds)
    assert rounds.settled
    assert sequential.STEPS == rounds.looks


def test_one_wide_ratio_keeps_all_going() -> None:
    """Every key ratio has to settle, and after the last look it ends unsettled."""
    rounds = course(widths(0.01, slow=0.2))
    assert (MOST, False) == (carried_out(rounds), rounds.settled)
    assert rounds.ending.full


def test_a_significant_ratio_is_no_reason_to_stop() -> None:
    """A ratio of 332 that is known to ± 20 % is surely better, and is measured on."""
    rounds = course(lambda *_: {"capacity": estimate(0.2, ratio=332.0)})
    assert MOST == carried_out(rounds)


def test_nothing_is_looked_at_between_announced_looks() -> None:
    """The ratios are asked for after 6, 8 and 12 rounds, and at no other."""
    asked = []

    def looked(outcomes: Sequence[Outcome], _looks: Sequence[int]) -> dict[str, Estimate]:
        asked.append(len(outcomes))
        return {"capacity": estimate(0.03 if len(outcomes) == 12 else 0.3)}

    rounds, trials = course(looked), list[Outcome]()
    while True:
        trials.append(Outcome(Plan(0, CAPACITY, "x", "x", LoadSettings())))
        if not rounds.goes_on(trials, 10.0 * len(trials)):
            break
    assert [6, 8, 12] == asked


@pytest.mark.parametrize(
    ("within", "seconds", "looks"),
    [
        (100.0, (10.0,), (6, 8, 10)),  # as expected
        (100.0, (20.0,), (5,)),  # twice as slow as expected: planned anew after the first round
        (100.0, (5.0,), (6, 8, 12, 16, 20)),  # twice as fast
        (100.0, (30.0, 10.0), (6, 7)),  # the first was slow by itself: planned anew with every one before the look
        (100.0, (10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 30.0), (6, 7)),  # slower after the first look: ended, not planned
        (5.0, (10.0,), (1,)),  # there is always one
        (10_000.0, (10.0,), (6, 8, 12, 16, 20, 24, 30)),
    ],
)
def test_the_looks_follow_from_the_time(within: float, seconds: Sequence[float], looks: tuple[int, ...]) -> None:
    """They are planned from what rounds really take until the first has come; after it time can only end them."""
    rounds = course(widths(0.5), within)
    carried_out(rounds, seconds)
    assert looks == rounds.looks
    assert looks[-1] == rounds.done
    assert rounds.left == 0


def test_it_takes_no_longer_than_it_may() -> None:
    """Rounds of many lengths, seeded: a round begins only where it should end in time."""
    random = np.random.default_rng(1)
    for within in (30.0, 100.0, 250.0):
        times = list(random.uniform(5, 15, 100))
        rounds = course(widths(0.5), within)
        done = carried_out(rounds, times)
        assert sum(times[:done]) <= within + 15


def test_without_a_ratio_it_ends_at_the_first_look() -> None:
    """A single configuration, or sides that were never both measured: no round more would settle anything."""
    rounds = course(lambda *_: {})
    assert 6 == carried_out(rounds)
    assert (0, "") == (rounds.ending.ratios, rounds.note)


def test_the_note_tells_how_near_it_is() -> None:
    """Before the first look when that is; after it the ratios that are farthest from settled, and a count of others."""
    rounds = course(widths(0.3, 0.02, p50=0.04, p99=0.09, cpu=0.01))
    rounds.goes_on([], 10.0)
    assert "first look after 6 rounds" == rounds.note
    for number in range(2, 9):
        rounds.goes_on([], 10.0 * number)
    assert rounds.note.startswith("p99 ± 9 %, about ")
    assert rounds.note.endswith("more; p50 settled at ± 4 %; capacity settled at ± 2 %; 1 of 1 others settled")


def test_too_few_rounds_are_said_once() -> None:
    """Where no ratio has an interval, the note says why, once for all."""
    wide = Estimate(2.0, 0.0, math.inf, 1.0, 1.0, 1, PAIRED, math.nan)
    rounds = course(lambda *_: {"capacity": wide, "CPU": wide}, within=5.0)
    carried_out(rounds)
    assert "too few rounds for any interval" == rounds.note


# -- the key ratios --------------------------------------------------------------------------------------------------


def trial(label: str, repeat: int, value: float, *, valid: bool = True) -> Outcome:
    """A capacity trial."""
    plan = Plan(0, CAPACITY, label, label, LoadSettings(), repeat=repeat, group="capacity")
    return Outcome(plan, valid=valid, throughput=value, cpu_us=1e6 / value)


KEYS = [Key("capacity", "capacity", "new", "old"), Key("CPU", "capacity_cpu_us", "new", "old")]


def test_an_invalid_trial_is_a_gap_in_its_round() -> None:
    """The round without it does not count, all others do, and the look is still that of all rounds."""
    random = np.random.default_rng(2)
    trials = [
        trial(label, n, base * random.uniform(0.98, 1.02), valid=(label, n) != ("old", 3))
        for n in range(30)
        for label, base in (("new", 200.0), ("old", 100.0))
    ]
    estimates = ratios(KEYS, trials, sequential.STEPS)
    assert {"capacity": 29, "CPU": 29} == {name: e.rounds for name, e in estimates.items()}
    assert all(e.keeps() for e in estimates.values())
    assert estimates["capacity"].low < 2 < estimates["capacity"].high


def test_what_one_side_never_measured_is_left_out() -> None:
    """A configuration that fails in every round leaves nothing to settle."""
    trials = [trial("new", n, 5.0) for n in range(6)] + [trial("old", n, 5.0, valid=False) for n in range(6)]
    assert {} == ratios(KEYS, trials, sequential.STEPS)
