"""The knee: whatever the threshold, the interval holds it; one bad trial moves no answer; the search always ends."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.lab.experiments.sweep import climb, knee, summary
from sentinel.lab.experiments.sweep.climb import Ladder
from sentinel.lab.experiments.sweep.knee import (
    BACKLOG,
    BEHIND,
    CLIMB,
    CONFIRM,
    GENERATOR,
    INVALID,
    LOSS,
    SLOW,
    Knee,
    Step,
)
from sentinel.lab.run.trial_record import LATENCY, Outcome, Plan
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LADDER = Ladder(start=250.0, factor=2.0, ceiling=200_000.0)
ONE, TWO = "optimised", "another"


@dataclass
class System:
    """What a sweep is let loose on: says why a trial at a rate fails, and remembers what it was asked."""

    why: Callable[[float, int], str]
    """Of the rate and the trial's number."""
    asked: list[Step] = field(default_factory=list)

    def __call__(self, name: str, rate: float, phase: str) -> Step:
        """One trial."""
        number = len(self.asked)
        self.asked.append(Step(name, rate, phase, number, rate, 0.0, self.why(rate, number)))
        return self.asked[-1]

    def swept(self, ladder: Ladder = LADDER, repeats: int = 3, names: Sequence[str] = (ONE,)) -> Knee:
        """A whole sweep; the knee of the last configuration."""
        steps = climb.climb(names, self, ladder)
        steps += climb.confirm(steps, self, ladder, repeats)
        assert self.asked == steps
        return knee.locate(step for step in steps if step.configuration == names[-1])


def at(threshold: float) -> System:
    """A system that holds every rate up to the threshold, always."""
    return System(lambda rate, _: SLOW if rate > threshold else "")


ladders = st.builds(
    Ladder, st.floats(1, 10_000), st.floats(1.05, 10), st.floats(10_000, 1e7), st.just(())
) | st.lists(st.floats(1, 1e7), min_size=1, max_size=8, unique=True).map(
    lambda rates: Ladder(250.0, 2.0, 1e6, tuple(sorted(rates)))
)  # fmt: skip


# -- the whole search ------------------------------------------------------------------------------------------------


@given(ladders, st.floats(1, 1e7), st.integers(1, 5))
def test_the_interval_holds_the_threshold(ladder: Ladder, threshold: float, repeats: int) -> None:
    """Without noise: low and the answer are one, the threshold is not below it, and high, if any, is beyond."""
    knee = at(threshold).swept(ladder, repeats)
    rungs = ladder.rungs
    assert knee.low == knee.rate
    if threshold < rungs[0]:
        assert (None, rungs[0], False) == (knee.rate, knee.high, knee.at_least)
    elif threshold >= rungs[-1]:
        assert (rungs[-1], None, True) == (knee.rate, knee.high, knee.at_least)
    else:
        assert knee.rate is not None
        assert knee.high is not None
        assert knee.rate <= threshold < knee.high
        assert (knee.high, repeats + 2, repeats + 2) == (knee.next, *knee.missed)


@given(st.floats(250, 199_999))
def test_two_bisections_narrow_a_rung_to_its_fourth_root(threshold: float) -> None:
    """The interval spans a fourth of the step on a log scale, but for the rounding."""
    knee = at(threshold).swept()
    assert knee.rate
    assert knee.high
    assert knee.high / knee.rate <= LADDER.factor ** (1 / 4) * climb.ROUNDING


@given(st.floats(1, 1e6), st.integers(0, 40))
def test_one_bad_trial_is_not_the_knee(threshold: float, bad: int) -> None:
    """Whichever single trial fails for no reason, the answer stays the same; the interval may begin lower."""
    disturbed = System(lambda rate, number: SLOW if rate > threshold or number == bad else "")
    expected, knee = at(threshold).swept(), disturbed.swept()
    assert (expected.rate, expected.high) == (knee.rate, knee.high)
    assert (knee.low or 0.0) <= (expected.low or 0.0)


@given(ladders, st.integers(1, 5), st.randoms(use_true_random=False))
def test_any_noise_ends_within_bounds_and_in_order(ladder: Ladder, repeats: int, chance: Any) -> None:
    """However trials go, the search ends, no rate is confirmed twice, low ≤ answer < next ≤ high, and all tell so."""
    noise = System(lambda _rate, _number: str(chance.choice(["", "", SLOW, BACKLOG, GENERATOR, INVALID])))
    knee = noise.swept(ladder, repeats)
    rates = len(ladder.rungs) * 2**climb.BISECTIONS
    assert len(noise.asked) <= rates * (2 + repeats)
    assert {repeats} == set(Counter(step.rate for step in noise.asked if step.phase == CONFIRM).values())
    assert max(Counter(step.rate for step in noise.asked if step.phase == CLIMB).values()) <= 2
    known = [rate for rate in (knee.low, knee.rate) if rate is not None]
    beyond = [rate for rate in (knee.next, knee.high) if rate is not None]
    assert known == sorted(known)
    assert not known or not beyond or known[-1] < min(beyond)
    if knee.rate and knee.next:
        assert ladder.rates or knee.next / knee.rate <= ladder.finest * climb.ROUNDING
    assert all(rate <= max(ladder.rungs) for rate in (*known, *beyond))


@given(st.floats(250, 1e5), st.floats(250, 1e5))
def test_a_generator_at_its_limit_says_at_least(threshold: float, most: float) -> None:
    """Where the generator gives out before the configuration, the answer has no upper end."""
    system = System(lambda rate, _: GENERATOR if rate > most else SLOW if rate > threshold else "")
    knee = system.swept()
    assert knee.rate is not None
    assert knee.rate <= min(most, threshold)
    if knee.at_least:
        assert (GENERATOR, None) == (knee.why, knee.high)
        assert knee.next is not None
        assert knee.next > most
    else:
        assert knee.high is not None
        assert threshold < knee.high <= most


def test_a_failure_beyond_a_silent_rate_is_still_an_upper_end() -> None:
    """A rate that says nothing leaves the answer open, up to where the configuration is known to fail."""
    system = System(lambda rate, _: "" if rate <= 1000 else GENERATOR if rate < 1800 else BACKLOG)
    knee = system.swept()
    assert (1000.0, 2000.0, True) == (knee.rate, knee.high, knee.at_least)
    assert knee.next is not None
    assert 1000 < knee.next < 1800


def test_a_sweep_without_a_holding_rate_says_so() -> None:
    """Not even the first rate meets the SLO: no answer, but what limits, and the first rate as the upper end."""
    knee = at(1.0).swept()
    assert Knee(None, None, 250.0, 250.0, SLOW, (0, 0), (5, 5), (0.0, 1 / 32)) == knee


def test_invalid_trials_speak_for_nothing() -> None:
    """Where all trials at the first rate are invalid, nothing is known in either direction."""
    knee = System(lambda *_: INVALID).swept()
    assert (None, None, None, INVALID, True) == (knee.rate, knee.low, knee.high, knee.why, knee.at_least)


def test_the_top_of_the_ladder_is_at_least() -> None:
    """A configuration that holds everything offered may hold more."""
    knee = at(1e9).swept()
    assert (200_000.0, None, None, True) == (knee.rate, knee.next, knee.high, knee.at_least)


# -- the climb -------------------------------------------------------------------------------------------------------


def test_a_climb_follows_the_ladder_and_halves_the_gap() -> None:
    """Rungs by the factor, a failing one twice at once, then geometric middles."""
    system = at(1100.0)
    climb.climb([ONE], system, LADDER)
    assert [250, 500, 1000, 2000, 2000, 1410, 1410, 1190, 1190] == [step.rate for step in system.asked]


def test_a_gap_too_narrow_to_be_said_is_not_halved() -> None:
    """Rates of three digits have none between them: no rate is offered again instead."""
    system = at(1000.0)
    climb.climb([ONE], system, Ladder(1000.0, 2.0, 1001.0))
    assert [1000, 1001, 1001] == [step.rate for step in system.asked]


def test_listed_rates_are_taken_as_they_are() -> None:
    """No rate but the listed ones is offered, and the climb ends at the first that does not hold."""
    system = at(1100.0)
    knee = system.swept(Ladder(250.0, 2.0, 1e6, (100.0, 1000.0, 3000.0, 9000.0)), repeats=1)
    assert [100, 1000, 3000, 3000, 1000, 3000] == [step.rate for step in system.asked]
    assert (1000.0, 3000.0) == (knee.rate, knee.high)


def test_configurations_take_turns() -> None:
    """Climb and confirmation interleave, so that a drift of the machine meets all alike."""
    system = at(300.0)
    system.swept(Ladder(250.0, 2.0, 500.0), 2, ["a", "b"])
    climbed = [(step.configuration, step.rate) for step in system.asked if step.phase == CLIMB]
    assert [("a", 250), ("b", 250), ("a", 500), ("a", 500), ("b", 500), ("b", 500)] == climbed[:6]
    confirmed = [(step.configuration, step.rate) for step in system.asked if step.phase == CONFIRM]
    assert confirmed[: len(confirmed) // 2] == confirmed[: len(confirmed) // 2 - 1 : -1]


def test_a_ladder_ends_at_its_ceiling() -> None:
    """The ceiling is the last rung; a start beyond it is the only one."""
    assert [250, 500, 1000, 1500] == Ladder(250.0, 2.0, 1500.0).rungs
    assert [2000] == Ladder(2000.0, 2.0, 1500.0).rungs


# -- the confirmation ------------------------------------------------------------------------------------------------


def steps(*told: tuple[float, str, str]) -> list[Step]:
    """Steps of one configuration, out of rate, phase and reason."""
    return [Step(ONE, rate, phase, number, rate, 0.0, why) for number, (rate, phase, why) in enumerate(told)]


def test_a_climb_that_was_lucky_is_corrected_downwards() -> None:
    """Most repeats fail where the climb succeeded: lower rates are confirmed; the interval keeps what had succeeded."""
    system = System(lambda rate, number: SLOW if rate > 2000 or (rate > 500 and number > 12) else "")
    knee = system.swept()
    assert (500.0, 595.0) == (knee.rate, knee.next)
    assert (500.0, 2380.0) == (knee.low, knee.high)


def test_a_climb_that_was_unlucky_is_corrected_upwards() -> None:
    """Most repeats succeed where the climb failed: higher rates are confirmed until one fails, and the gap halved."""
    system = System(lambda rate, number: SLOW if (rate > 1000 and number < 9) or rate > 3000 else "")
    knee = system.swept()
    assert (2830.0, 3360.0) == (knee.rate, knee.high)


def test_an_answer_that_only_most_trials_support_has_a_lower_interval() -> None:
    """The interval begins where no trial fails."""
    told = [(500.0, CLIMB, ""), (1000.0, CLIMB, ""), (2000.0, CLIMB, LOSS), (2000.0, CLIMB, LOSS)]
    told += [(1000.0, CONFIRM, why) for why in ("", SLOW, "")] + [(2000.0, CONFIRM, LOSS)] * 3
    assert Knee(1000.0, 500.0, 2000.0, 2000.0, LOSS, (3, 4), (5, 5), (3 / 16, 1 / 32)) == knee.locate(steps(*told))


def test_the_interval_holds_what_all_repeats_say() -> None:
    """Failures below the answer (1,000) and successes far above it (9,510) widen the interval, in either phase."""
    told = [(500.0, CLIMB, ""), (1000.0, CLIMB, SLOW), (1000.0, CLIMB, ""), (2000.0, CLIMB, SLOW), (2000.0, CLIMB, "")]
    told += [(rate, CLIMB, "") for rate in (4000.0, 8000.0)] + [(16_000.0, CLIMB, BACKLOG)] * 2
    told += [(11_300.0, CLIMB, SLOW), (11_300.0, CLIMB, SLOW), (9510.0, CLIMB, SLOW), (9510.0, CLIMB, "")]
    told += [(rate, CONFIRM, SLOW) for rate in (9510.0, 11_300.0, 8000.0, 4000.0, 2830.0) for _ in range(3)]
    told += [(2380.0, CONFIRM, "")] * 3
    swept = knee.locate(steps(*told))
    assert (500.0, 11_300.0) == (swept.low, swept.high)
    assert (2380.0, 2830.0, SLOW) == (swept.rate, swept.next, swept.why)
    open_ended = knee.locate([*steps(*told), Step(ONE, 16_000.0, CONFIRM, 99, 16_000.0, 0.0, "")])
    assert open_ended.high is None


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        ([(100.0, [""] * 3), (200.0, ["", "", SLOW]), (300.0, [SLOW] * 3)], 200.0),
        ([(100.0, [""] * 3), (200.0, ["", SLOW]), (300.0, [SLOW] * 3)], 100.0),
        ([(100.0, ["", SLOW, SLOW]), (200.0, [""] * 3), (300.0, [SLOW] * 3)], 200.0),
        ([(100.0, [""] * 3), (200.0, [SLOW] * 4), (300.0, ["", ""]), (400.0, [SLOW])], 100.0),
        ([(100.0, [""] * 3), (200.0, [GENERATOR, ""]), (300.0, [GENERATOR])], 200.0),
        ([(100.0, [SLOW] * 3), (200.0, ["", SLOW])], None),
        ([], None),
    ],
)
def test_the_answer_is_where_a_decreasing_fit_crosses_one_half(
    told: list[tuple[float, list[str]]], rate: float | None
) -> None:
    """All trials have one weight each; inconclusive ones have none; one half is not more than half."""
    assert rate == knee.locate(steps(*((rate, CONFIRM, why) for rate, whys in told for why in whys))).rate


def test_a_rate_fails_for_what_speaks_against_it() -> None:
    """Trials that are inconclusive give no reason for a failure, but the only one where nothing failed."""
    failed = knee.Level(1000.0, (), (GENERATOR, GENERATOR, LOSS))
    silent = knee.Level(1000.0, (GENERATOR,), ("",))
    assert [LOSS, GENERATOR, ""] == [level.why for level in (failed, silent, knee.Level(1.0, ("",), ()))]


def test_a_trial_of_the_climb_counts_for_the_interval() -> None:
    """A rate whose climb needed a second trial is not one at which every trial meets the SLO."""
    told = [(500.0, CLIMB, ""), (1000.0, CLIMB, SLOW), (1000.0, CLIMB, ""), (1000.0, CONFIRM, "")]
    assert (1000.0, 500.0) == (knee.locate(steps(*told)).rate, knee.locate(steps(*told)).low)


def test_without_steps_there_is_no_answer() -> None:
    """No step at all finds no knee, and nothing speaks against the configuration."""
    assert Knee(None, None, None, None, "", errors=(0.0, 0.0)) == knee.locate([])
    assert knee.locate([]).at_least
    assert knee.locate([]).coverage is None


def test_a_knee_survives_its_record() -> None:
    """What run.json holds of a knee, whether it is a lower bound included, makes the same knee again."""
    known, open_ended = at(1100.0).swept(), at(1e9).swept()
    assert [known, open_ended] == [msgspec.json.decode(msgspec.json.encode(x), type=Knee) for x in (known, open_ended)]
    assert [False, True] == [msgspec.to_builtins(x)["at_least"] for x in (known, open_ended)]


# -- what an interval and a comparison are worth ---------------------------------------------------------------------


def noisy(knees: dict[str, float], width: float, repeats: int, chance: random.Random) -> dict[str, list[Step]]:
    """A sweep of systems that meet a rate the less often the higher it is: a logistic curve, 1/2 at the knee."""
    steps: list[Step] = []

    def trial(name: str, rate: float, phase: str) -> Step:
        meets = chance.random() < 1 / (1 + (rate / knees[name]) ** (1 / width))
        steps.append(Step(name, rate, phase, len(steps), rate, 0.0, "" if meets else SLOW))
        return steps[-1]

    climb.confirm(climb.climb(list(knees), trial, LADDER), trial, LADDER, repeats)
    return {name: [step for step in steps if step.configuration == name] for name in knees}


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("width", [0.02, 0.3])
def test_an_interval_covers_as_often_as_it_says(width: float, repeats: int) -> None:
    """Of seeded sweeps more hold the rate that half of all trials meet than their coverage says on average."""
    chance, held, printed = random.Random(1), [], []
    for _ in range(60):
        threshold = 300 * 100 ** chance.random()
        swept = knee.locate(noisy({ONE: threshold}, width, repeats, chance)[ONE])
        held.append((swept.low or 0.0) <= threshold < (swept.high or math.inf))
        printed.append(swept.coverage or 0.0)
    assert 0.3 < sum(printed) / len(printed) <= sum(held) / len(held)


@pytest.mark.parametrize(("factor", "least", "most"), [(1.0, 0.0, 0.05), (0.125, 0.5, 1.0)])
def test_equal_knees_are_hardly_ever_told_apart(factor: float, least: float, most: float) -> None:
    """Better and worse are false in at most 5 % of seeded sweeps of equal systems; an eighth of the rate is seen."""
    chance, words = random.Random(2), Counter[str]()
    for _ in range(40):
        threshold = 3000 * 10 ** chance.random()
        steps = noisy({ONE: factor * threshold, TWO: threshold}, 0.05, 4, chance)
        knees, seen = ({name: of(steps[name]) for name in (TWO, ONE)} for of in (knee.locate, knee.levels))
        words[summary.verdict(summary.ratio(knees[TWO], knees[ONE]), seen).word] += 1
    assert not (factor < 1 and words["worse"])
    assert least <= (words["better"] + words["worse"]) / words.total() <= most


# -- one trial -------------------------------------------------------------------------------------------------------


def outcome(stored: float | None = 10.0, delay: float = 1.0, **changes: Any) -> Outcome:
    """A valid trial at 1,000 msg/s."""
    latencies = {
        "send_delay": {"p99": delay, "n": 9000},
        "stored": {} if stored is None else {"p99": stored, "n": 9000},
    }
    plan = Plan(0, LATENCY, ONE, ONE, LoadSettings(rate=1000.0, duration=11.0))
    return Outcome(plan, **({"valid": True, "sender": {"unsent": 0}, "latencies": latencies} | changes))


@pytest.mark.parametrize(
    ("trial", "sent", "growth", "why"),
    [
        (outcome(), 1000.0, 0.0, ""),
        (outcome(50.0), 990.0, 999.0, ""),
        (outcome(sustained=False), 1000.0, 0.0, BEHIND),
        (outcome(sustained=False), 989.0, 0.0, GENERATOR),
        (outcome(50.1), 1000.0, 0.0, SLOW),
        (outcome(), 1000.0, 1000.0, BACKLOG),
        (outcome(lost=1), 1000.0, 0.0, LOSS),
        (outcome(), 989.0, 0.0, GENERATOR),
        (outcome(sender={"unsent": 0, "scheduled": 9900}), 900.0, 0.0, ""),  # of a recording whose rate varies
        (outcome(sender={"unsent": 0, "scheduled": 9900}), 889.0, 0.0, GENERATOR),
        (outcome(delay=50.1), 1000.0, 0.0, GENERATOR),
        (outcome(sender={"unsent": 1}), 1000.0, 0.0, GENERATOR),
        (outcome(500.0, delay=450.0), 1000.0, 0.0, GENERATOR),
        (outcome(500.0, delay=450.0), 700.0, 2000.0, BACKLOG),
        (outcome(lost=1), 700.0, 2000.0, LOSS),
        (outcome(lost=1, valid=False), 700.0, 2000.0, INVALID),
        (outcome(None), 1000.0, 0.0, INVALID),
    ],
)
def test_a_trial_holds_or_says_why_not(trial: Outcome, sent: float, growth: float, why: str) -> None:
    """Bounds are inclusive; loss and backlog count whatever the generator did, latency only if it was in time."""
    assert why == knee.reason(trial, sent, growth, 50.0)


@pytest.mark.parametrize(("n", "longest", "why"), [(367, 50.0, ""), (367, 50.1, SLOW), (368, 900.0, "")])
def test_the_slo_is_held_by_the_longest_of_few_messages(n: int, longest: float, why: str) -> None:
    """Fewer messages than carry a p99 meet the SLO where the longest does; it counts of nothing else."""
    stored = {"p99": 49.0, "max": longest, "n": n}
    trial = outcome(latencies={"stored": stored, "send_delay": {"p99": 99.0 if n < 368 else 1.0, "max": 1.0, "n": n}})
    assert why == knee.reason(trial, 1000.0, 0.0, 50.0)
