"""Summary: medians over valid trials, and every sentence made from the data: other data, another sentence."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.records import kept
from support.synthetic import made

from sentinel.lab import formatting as words
from sentinel.lab.experiments.benchmark.answer import reduction
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.summary import HEADLINE, of_benchmark
from sentinel.lab.machine import facts
from sentinel.lab.machine.facts import Machine
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan
from sentinel.lab.statistics import published, reliability
from sentinel.lab.statistics.compare import Ratio, plain
from sentinel.lab.statistics.reliability import warnings
from sentinel.lab.statistics.rounds.estimates import compare
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

NEW, OLD = "optimised", "baseline"
P = Benchmark(CONFIGURATIONS=f"{OLD},{NEW}")
BAR = f"the {published.REDUCTION} %"
P99 = {kind: published.LATENCIES[f"{kind}_p99"] for kind in ("internal", "e2e")}
HEAD = "optimised sustained 25,000 msg/s"
RATE = 840.0
"""The rate of the latency trials, which is not P.RATE."""
BASELINE = 1000.0, 1010.0, 990.0, 1005.0
"""Capacity of the slow configuration, msg/s."""
FAST = 10_000, 10_100, 9_900, 10_200, 9_800, 10_300, 9_700, 10_050
AGAIN = 10_050, 9_950, 10_000, 9_900, 10_100, 9_850, 10_150, 10_000
SLOW = 1000.0, 1020.0, 980.0, 1010.0, 990.0, 1030.0, 970.0, 1005.0
"""Capacities of eight rounds, msg/s."""


class Trials:
    """Makes outcomes, numbered in the order they are asked for."""

    def __init__(self) -> None:
        self.made: list[Outcome] = []

    def _add(self, kind: str, label: str, group: str, **changes: Any) -> Outcome:
        repeat = sum((o.plan.kind, o.plan.label, o.plan.group) == (kind, label, group) for o in self.made)
        load, bare = LoadSettings(), label.removesuffix(CONTROL)
        plan = Plan(len(self.made), kind, label, bare, load, repeat=repeat, group=group)
        self.made.append(Outcome(plan, **({"valid": True} | changes)))
        return self.made[-1]

    def capacity(self, label: str, throughput: float, cpu_us: float = 10.0, **changes: Any) -> Outcome:
        """A capacity trial."""
        return self._add(CAPACITY, label, "capacity", throughput=throughput, cpu_us=cpu_us, **changes)

    def latency(
        self,
        label: str,
        *,
        e2e: float,
        internal: float = 0.1,
        late: float = 0.01,
        group: str = "latency",
        **actual: Any,
    ) -> Outcome:
        """A latency trial; stored is twice e2e."""
        p99 = {"internal": internal, "e2e": e2e, "stored": 2 * e2e, "send_delay": late}
        latencies = {
            kind: {"p50": value / 4, "p90": value / 2, "p99": value, "p99.9": value, "max": value, "n": 9000}
            for kind, value in p99.items()
        }
        return self._add(LATENCY, label, group, throughput=RATE, latencies=latencies, **actual)

    def memory(self, label: str, size: float, **changes: Any) -> Outcome:
        """A memory trial."""
        memory = {"messages": 10, "bytes_per_message": size, "allocations_per_message": size / 100, "locations": {}}
        return self._add(MEMORY, label, "memory", memory=memory, **changes)

    def headline(self, e2e: float = 5.0, internal: float = 0.5, **changes: Any) -> Outcome:
        """A trial at the headline rate."""
        return self.latency(NEW, e2e=e2e, internal=internal, group=HEADLINE, **changes)


def benchmark(
    *,
    fast: Sequence[float] = (10_000, 10_100, 9_900, 10_000),
    again: Sequence[float] = (10_050, 10_000, 10_000, 10_050),
    old: Sequence[float] = BASELINE,
    e2e: Sequence[float] = (4.0, 4.1, 3.9, 4.0),
    sizes: tuple[float, float] | None = (4000.0, 1000.0),
    change: Callable[[Trials], object] = lambda _: None,
) -> Trials:
    """A whole benchmark's outcomes; baseline needs 20 µs and has an e2e p99 of 8 ms."""
    trials = Trials()
    for slow, speed, second in zip(old, fast, again, strict=False):
        trials.capacity(OLD, slow, 20.0)
        trials.capacity(NEW, speed)
        trials.capacity(NEW + CONTROL, second)
    for value in e2e:
        trials.latency(OLD, e2e=8.0)
        trials.latency(NEW, e2e=value)
    for _ in range(3):
        trials.headline()
    if sizes:
        trials.memory(OLD, sizes[0])
        trials.memory(NEW, sizes[1])
    change(trials)
    return trials


def summarised(trials: Trials, p: Benchmark = P, reliability_warnings: Sequence[str] = ()) -> dict[str, Any]:
    """The summary, after a way through JSON, which takes no NaN."""
    result = plain(of_benchmark(p, trials.made, reliability_warnings, RATE))
    assert result == json.loads(json.dumps(result, allow_nan=False))
    return result


def sentence(trials: Trials, start: str, p: Benchmark = P) -> str:
    """The one sentence of the verdict that starts so."""
    (sentence,) = [text for text in summarised(trials, p)["verdict"] if text.startswith(start)]
    return str(sentence)


def test_a_record_of_repeated_trials_can_be_summed_up_again(tmp_path: Path) -> None:
    """Medians, intervals, noise and verdict follow from the trials as the record holds them, to the last digit."""
    run = made(tmp_path, repeats=3)
    again = plain(of_benchmark(Benchmark(**run.data.parameters), run.data.trials, [], run.data.rates["latency"]))
    for key in ("summary", "ratios", "noise", "answer", "verdict", "spread"):
        assert again[key] == kept(run)[key]
    low, high = run.data.ratios["capacity"].interval or (0, 0)
    assert low < high


# -- figures ---------------------------------------------------------------------------------------------------------


def test_medians_are_taken_over_valid_trials() -> None:
    """An invalid trial is in no median, no extreme and no count."""
    trials = Trials()
    for speed in (100.0, 300.0, 200.0):
        trials.capacity(NEW, speed, cpu_us=speed / 10)
    trials.capacity(NEW, 9e9, valid=False, problems=["x"])
    result = summarised(trials)
    assert {"capacity": 200.0, "capacity_cpu_us": 20.0} == result["summary"][NEW]
    assert [100.0, 300.0, 3] == result["spread"][NEW]["capacity"]


def test_each_kind_of_trial_has_measures_of_its_own() -> None:
    """Capacity, latency and memory do not mix: CPU under load is not CPU while draining."""
    trials = Trials()
    trials.capacity(NEW, 5000.0, cpu_us=4.0, peak_rss_mb=60.0)
    trials.latency(NEW, e2e=4.0, cpu_us=44.0, peak_rss_mb=66.0, lost=3)
    trials.memory(NEW, 1000.0)
    measured = summarised(trials)["summary"][NEW]
    assert (5000.0, 4.0, 60.0) == (
        measured["capacity"],
        measured["capacity_cpu_us"],
        measured["capacity_peak_rss_mb"],
    )
    assert (RATE, 44.0, 66.0, 3) == tuple(measured[name] for name in ("throughput", "cpu_us", "peak_rss_mb", "lost"))
    assert (1.0, 4.0, 8.0, 0.01) == tuple(
        measured[name] for name in ("e2e_p50", "e2e_p99", "stored_p99", "send_delay_p99")
    )
    assert (1000.0, 10.0) == (measured["bytes_per_message"], measured["allocations_per_message"])


def test_the_headline_and_the_second_leg_have_columns_of_their_own() -> None:
    """Trials at the headline rate, and those of the A/A leg, are not mixed with the configuration's others."""
    result = summarised(benchmark())["summary"]
    assert [OLD, NEW, HEADLINE] == list(result)
    assert (4.0, 5.0) == (result[NEW]["e2e_p99"], result[HEADLINE]["e2e_p99"])
    assert result[NEW]["capacity"] == 10_000


def test_the_last_configuration_is_compared_with_the_first() -> None:
    """Ratios are last ÷ first, each with its interval; the one in between is shown, not compared."""
    trials = benchmark()
    trials.capacity("client-batching", 5000.0)
    result = summarised(trials, replace(P, CONFIGURATIONS=f"{OLD},client-batching,{NEW}"))
    assert [NEW, OLD] == result["compared"]
    assert result["ratios"]["capacity_cpu_us"] == {
        "value": pytest.approx(0.5),
        "low": pytest.approx(0.5),
        "high": pytest.approx(0.5),
        "n": 4,
        "confidence": pytest.approx(1 - 2 * 12 / 495),
        "method": "unpaired",
        "p": pytest.approx(2 / 495),
        "standard_error": pytest.approx(0, abs=1e-9),
        "needed": 3,
    }
    assert 5000.0 == result["summary"]["client-batching"]["capacity"]


def test_what_is_not_known_is_null() -> None:
    """One trial has no interval: its ends are null, since JSON has no NaN. A measure of one side has no ratio."""
    trials = Trials()
    trials.capacity(OLD, 1000.0)
    trials.capacity(NEW, 2000.0)
    trials.memory(NEW, 10.0)
    ratios = summarised(trials)["ratios"]
    single = {"low": None, "high": None, "n": 1, "method": "unpaired", "p": 1.0, "needed": 4}
    assert ratios == {"capacity": {"value": pytest.approx(2.0)} | single, "capacity_cpu_us": {"value": 1.0} | single}


def test_the_noise_floor_is_that_of_all_splits_of_both_legs() -> None:
    """One draw of the A/A ratio may be 1 by luck: the floor is what 95 of 100 splits of both legs stay within."""
    fast, again = (10_000.0, 8000.0, 9000.0, 9500.0), (8000.0, 10_000.0, 9500.0, 9000.0)
    noise = summarised(benchmark(fast=fast, again=again))["noise"]
    assert 1.0 == compare(fast, again).ratio
    legs = np.column_stack((fast, again))
    assert list(again) == noise["again"]
    assert pytest.approx(floor(legs, "unpaired", (2, 1)) - 1) == noise["band"] == noise["bands"]["capacity"]
    assert 0.1 < noise["band"] < 0.25
    assert {"capacity", "capacity_cpu_us"} == set(noise["bands"])


def test_both_legs_of_the_control_count_for_the_new_configuration() -> None:
    """The second leg's values are values of the configuration: they move its ratio, and make its interval surer."""
    trials = benchmark(fast=(2000, 2000, 2000), again=(3000, 3000, 3000))
    ratio = Ratio(**summarised(trials)["ratios"]["capacity"])
    assert (pytest.approx(2.5, rel=0.03), 3, 3) == (ratio.value, ratio.n, ratio.needed)
    assert (ratio.confidence or 0) > 0.95
    bare = Trials()
    bare.made = [o for o in trials.made if not o.plan.label.endswith(CONTROL)]
    single = Ratio(**summarised(bare)["ratios"]["capacity"])
    assert (pytest.approx(2.0, rel=0.02), 4, True) == (single.value, single.needed, single.short)


def test_a_failed_trial_fails_its_side_of_its_round_alone() -> None:
    """What is invalid is no value, and the other rounds stand."""

    def fail(trials: Trials) -> None:
        trials.made[0].valid = False

    ratio = Ratio(**summarised(benchmark(change=fail))["ratios"]["capacity"])
    assert (3, pytest.approx(10.0, rel=0.03)) == (ratio.n, ratio.value)


def test_the_looks_of_a_group_widen_its_intervals() -> None:
    """Where the number of rounds was not fixed, capacities pay for the looks at capacities, latencies for theirs."""
    trials = benchmark(fast=FAST, again=AGAIN, old=SLOW, e2e=[4 + n / 10 for n in range(8)])
    fixed, auto = (
        plain(of_benchmark(P, trials.made, [], RATE, looks=looks))["ratios"]
        for looks in ({}, {"capacity": [6, 8, 12, 20]})
    )
    assert fixed["stored_p99"] == auto["stored_p99"]
    assert auto["capacity"]["confidence"] > fixed["capacity"]["confidence"]
    assert auto["capacity"]["low"] <= fixed["capacity"]["low"] <= fixed["capacity"]["high"] <= auto["capacity"]["high"]


def test_no_trials_at_all_are_summed_up_too() -> None:
    """A notebook that was interrupted before its first trial still leaves a record."""
    result = summarised(Trials())
    assert {OLD: {}, NEW: {}, HEADLINE: {}} == result["summary"]
    assert {} == result["ratios"]


# -- verdict ---------------------------------------------------------------------------------------------------------


def test_a_whole_verdict() -> None:
    """The answer names validity, capacity, CPU, latency, memory and the headline, in this order."""
    assert summarised(benchmark())["verdict"] == [
        "Every message of all 25 trials is accounted for, and the store's own count agrees.",
        "Capacity of optimised is better than baseline's: 10.0× [9.90, 10.1] (95.2 % interval of 4 unpaired rounds; A/A"
        " noise floor 1.00×).",
        "CPU per message of optimised is better than baseline's: 0.50× [0.50, 0.50] (95.2 % interval of 4 unpaired"
        " rounds; A/A noise floor 1.00×).",
        "Latency to the store's acknowledgement (p99, 840 msg/s) of optimised is better than baseline's: 0.50× [0.49,"
        " 0.51] (97.1 % interval of 4 unpaired rounds; no A/A control).",
        f"optimised allocates 1,000 bytes per message against 4,000 with baseline: 75.0 % less, beyond {BAR} that"
        " SentinelStream published (memray, one trial each).",
        "None of the 12 measures looked at was seen to get worse than with baseline.",
        "optimised sustained 25,000 msg/s, lost 0 messages: internal p99 0.50 ms, e2e p99 5.0 ms, stored p99"
        f" 10.0 ms. Both published p99 figures are met (internal {P99['internal']} ms, e2e {P99['e2e']} ms).",
    ]


@pytest.mark.parametrize(
    ("fast", "words"),
    [
        ((10_000, 10_100, 9_900), " is better than baseline's: 10.0×"),
        ((500, 510, 490), " is worse than baseline's: 0.50×"),
        ((1000, 1001, 999), ": no difference from baseline's beyond ± 5 % (1.00×"),
        ((800, 2000, 1000), ": unstable, so that it is not known whether it differs from baseline's (1.00× [0.79, 2.0"),
        ((990, 1080, 1030), ": unresolved whether it differs from baseline's (1.0"),
    ],
)
def test_the_capacity_sentence_follows_from_the_trials(fast: Sequence[float], words: str) -> None:
    """All five words are possible, each with its ratio."""
    assert sentence(benchmark(fast=fast, again=fast), "Capacity").startswith(f"Capacity of {NEW}{words}")


def test_less_latency_is_better() -> None:
    """For times and CPU the direction is the other one."""
    assert "is worse than baseline's: 2." in sentence(benchmark(e2e=(16.0, 16.2, 15.9, 16.0)), "Latency")
    assert "no difference" in sentence(benchmark(e2e=(8.0, 8.0, 8.01, 8.0)), "Latency")


def test_a_noisy_day_takes_the_verdict_back() -> None:
    """What one configuration differs from itself by is no difference between two."""
    fast = (1200.0, 1210.0, 1190.0)
    assert "is better" in sentence(benchmark(fast=fast, again=fast), "Capacity")
    noisy = sentence(benchmark(fast=fast, again=(900.0, 800.0, 1190.0)), "Capacity")
    assert "is better" not in noisy
    assert "A/A noise floor 1.28×" in noisy


def test_what_would_settle_it_is_said_in_rounds_and_minutes() -> None:
    """An unresolved ratio says how many rounds more it takes, and how long these are by the run's own clock."""
    trials = benchmark(fast=(990, 1080, 1030), again=(1070, 1000, 1040))
    bare = re.search(r"about (\d+) rounds? more would settle it\)\.$", sentence(trials, "Capacity"))
    assert bare, sentence(trials, "Capacity")
    for o in trials.made:
        o.started = int((1_700_000_000 + 30 * o.plan.repeat) * 1e9)
    minutes = math.ceil(int(bare[1]) * 30.0 / 60)
    assert f"about {bare[1]} rounds more, {minutes} min, would settle it" in sentence(trials, "Capacity")
    verdict = summarised(trials)["answer"]["verdicts"]["capacity"]
    assert (int(bare[1]), pytest.approx(30.0 * int(bare[1]), rel=0.05)) == (verdict["further"], verdict["seconds"])


def test_an_unstable_machine_is_named_with_what_disturbs_it() -> None:
    """Steal of the trials, and jitter that was measured beforehand, are the reasons given; with neither, none is."""
    trials = benchmark(fast=(800, 2000, 1000), again=(900, 1700, 1500))
    assert "; what disturbs: not known)." in sentence(trials, "Capacity")
    for o in trials.made[:2]:
        o.steal = 3.2
    machine = Machine(jitter={"late_p99": 4.0, "slow": 2.5, "others": 30.0})
    answer = of_benchmark(P, trials.made, [], RATE, machine=machine).answer
    assert answer is not None
    assert answer.verdicts["capacity"].disturbances == [
        f"other guests took over 1 % of the machine's time in 2 of {len(trials.made)} trials, 3.20 % at most",
        "the processor slowed down in 2.5 % of turns of a fixed piece of work",
        "timers were late by 4.0 ms at p99",
        "other work took 30 % of the CPU time when the run began",
    ]
    assert answer.verdicts["stored_p99"].disturbances == []


def test_below_its_threshold_nothing_disturbs() -> None:
    """The thresholds themselves, a machine whose jitter was not measured, and a quiet one are no disturbance."""
    trials = Trials()
    trials.capacity(NEW, 1.0, steal=reliability.DISTURBING)
    edge = {"late_p99": facts.LATE, "slow": facts.SLOWED, "others": facts.ALONE}
    assert [] == reliability.disturbances(trials.made, Machine(jitter=edge))
    assert [] == reliability.disturbances(trials.made, Machine()) == reliability.disturbances([], Machine())


def test_one_repeat_says_what_it_takes() -> None:
    """A single trial each is named as such, however large the difference."""
    text = sentence(benchmark(fast=(10_000,), again=(10_000,)), "Capacity")
    assert "unresolved" in text
    assert "(10.0×; no interval of 1 unpaired round; 95 % takes 3; " in text
    assert "; at least 2 rounds more would settle it)." in text


@pytest.mark.parametrize("n", [3, 4, 5])
def test_few_rounds_say_how_many_an_interval_takes(n: int) -> None:
    """Three rounds with an A/A leg carry 95 %, without one it takes four; the page says which."""
    trials = benchmark(fast=FAST[:n], again=AGAIN[:n], old=SLOW, e2e=[4.0 + k / 100 for k in range(n)])
    assert f" % interval of {n} unpaired rounds; A/A" in sentence(trials, "Capacity")
    latency = sentence(trials, "Latency")
    if n < 4:
        assert "unresolved" in latency
        assert f"90.0 % interval of {n} unpaired rounds; 95 % takes 4; " in latency
        assert "about 1 round more would settle it" in latency
    else:
        assert "is better than" in latency
        assert "95 % takes" not in latency


def test_the_rate_in_the_sentence_is_the_measured_one() -> None:
    """RATE may have been lowered: the sentence has the rate that was played."""
    trials = benchmark()
    verdict = of_benchmark(P, trials.made, [], 1234.0).verdict
    assert any("(p99, 1,234 msg/s)" in text for text in verdict)
    assert not any(f"{P.RATE:,.0f} msg/s" in text for text in verdict)


def test_sentence_and_table_show_one_interval() -> None:
    """The interval in words is the interval in `ratios`."""
    trials = Trials()
    for new, old in [(2.22, 0.83), (3.75, 0.89), (3.99, 0.98), (2.71, 0.8)]:
        trials.capacity(OLD, old)
        trials.capacity(NEW, new)
    result = summarised(trials)
    assert str(words.ratio(Ratio(**result["ratios"]["capacity"]))) in result["verdict"][1]


def test_invalid_trials_are_named_first() -> None:
    """The first sentence counts and numbers them, and they are in no other."""
    trials = benchmark(change=lambda t: t.capacity(NEW, 9e9, valid=False, problems=["the store holds 3 points"]))
    assert (
        f"1 of 26 trials are invalid (number {trials.made[-1].plan.number}) and are left out of all figures."
        == (summarised(trials)["verdict"][0])
    )
    assert sentence(trials, "Capacity") == sentence(benchmark(), "Capacity")


def test_no_valid_trial_is_no_answer() -> None:
    """Where everything failed, nothing is better, and the sentences say so rather than stop the report."""
    trials = benchmark()
    for outcome in trials.made:
        outcome.valid, outcome.problems = False, ["the consumer did not start"]
    result = summarised(trials)
    assert result["verdict"][0].startswith("25 of 25 trials are invalid (number 0, 1, 2, ")
    assert all("not compared, for no round has a valid trial of both" in text for text in result["verdict"][1:3])
    assert result["verdict"][3].startswith(f"Whether anything got worse from {OLD} to {NEW}: unresolved")
    assert "At 25,000 msg/s: no valid trial of optimised, so no answer." == result["verdict"][-1]
    assert {OLD: {}, NEW: {}, HEADLINE: {}} == result["summary"]


def test_one_configuration_is_not_compared_with_itself() -> None:
    """CONFIGURATIONS with one name has validity and headline, and no sentence of difference."""
    trials = Trials()
    trials.capacity(NEW, 100.0)
    trials.headline()
    verdict = summarised(trials, replace(P, CONFIGURATIONS=NEW))["verdict"]
    assert [text.split()[0] for text in verdict] == ["Every", NEW]


# -- what was not sustained, and what got worse ----------------------------------------------------------------------


def loaded(old: Sequence[bool], new: Sequence[bool] = (True, True, True)) -> Trials:
    """Latency trials alone: whether each sustained its load."""
    trials = Trials()
    for label, all_of_them in ((OLD, old), (NEW, new)):
        for n, sustained in enumerate(all_of_them):
            e2e = (8.0 if label == OLD else 4.0) * (1 + n / 100) if sustained else 900.0
            trials.latency(label, e2e=e2e, cpu_us=10.0, sustained=sustained)
    return trials


def test_no_latency_of_an_unsustained_load_is_compared() -> None:
    """Where most of a configuration's trials fell behind there is no ratio of latency, and the verdict says why."""
    for trials, why in [
        (loaded([True, False, False]), "baseline did not sustain 840 msg/s in 2 of 3 trials."),
        (loaded([True] * 3, [False]), "optimised did not sustain 840 msg/s in 1 of 1 trials."),
        (
            loaded([False] * 3, [False] * 3),
            "baseline did not sustain 840 msg/s in 3 of 3 trials and optimised did not sustain 840 msg/s in 3 of 3",
        ),
    ]:
        result = summarised(trials)
        assert f": not compared: {why}" in sentence(trials, "Latency")
        ratios = {n for n, r in result["ratios"].items() if r["value"] is not None}
        assert {"cpu_us", "throughput"} == ratios
        assert 900.0 in (result["summary"][name]["e2e_p99"] for name in (OLD, NEW))


def test_the_trials_that_were_sustained_are_compared_and_the_others_named() -> None:
    """One of five that fell behind is left out of the ratio, not of the sentence."""
    trials = loaded([True] * 4 + [False], [True] * 5)
    text = sentence(trials, "Latency")
    assert "is better than baseline's: 0.5" in text
    assert " interval of 4 unpaired rounds" in text
    assert text.endswith(" Left out: baseline did not sustain 840 msg/s in 1 of 5 trials.")


def test_what_got_worse_is_named_with_its_ratio() -> None:
    """A tail that got longer is in the verdict, as what got better is, and how many measures were looked at."""

    def longer(trials: Trials) -> None:
        for n, outcome in enumerate(o for o in trials.made if o.plan.kind == LATENCY and o.plan.label == NEW):
            outcome.latencies["internal"]["p99.9"] = 0.158 + n / 1000

    text = sentence(benchmark(change=longer), "Worse than baseline")
    assert text.startswith("Worse than baseline: internal p99.9, 1.59× [1.58, 1.61]")
    assert text.endswith("] (12 measures looked at).")
    memory = sentence(benchmark(sizes=(1000.0, 1250.0)), "Worse than baseline")
    assert "Worse than baseline: allocated bytes per message, 1.25× (12 measures looked at)." == memory


@pytest.mark.parametrize(("messages", "measures"), [(9000, 12), (3687, 9), (367, 6)])
def test_only_tails_that_the_messages_carry_are_looked_at(messages: int, measures: int) -> None:
    """p99.9 takes 3,688 messages a trial and p99 368: fewer say no more than their maximum."""

    def few(trials: Trials) -> None:
        for outcome in trials.made:
            for latency in outcome.latencies.values():
                latency["n"] = messages

    assert f"None of the {measures} measures looked at was seen" in sentence(benchmark(change=few), "None of the")


def test_single_trials_do_not_show_that_nothing_got_worse() -> None:
    """What has no interval cannot be judged, and the verdict says so; allocated bytes need none."""
    trials = Trials()
    trials.capacity(OLD, 1000.0)
    trials.capacity(NEW, 100.0)
    start = "One trial each of baseline and optimised: there is no interval, so nothing"
    end = " can be judged; take REPEATS=4 or more."
    assert start + end == sentence(trials, "One trial each")
    trials.memory(OLD, 100.0)
    trials.memory(NEW, 50.0)
    assert f"{start} but allocated bytes per message{end}" == sentence(trials, "One trial each")
    trials.made[-1].memory["bytes_per_message"] = 200.0
    assert "allocated bytes per message, 2.00×" in sentence(trials, "Worse than baseline")


# -- memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ((4000.0, 1000.0), f"75.0 % less, beyond {BAR}"),
        ((1000.0, 419.9), f"58.0 % less, beyond {BAR}"),
        ((1000.0, 420.1), f"58.0 % less, short of {BAR}"),
        ((10_000.0, 8000.0), f"20.0 % less, short of {BAR}"),
        ((1000.0, 1250.0), "25.0 % more"),
    ],
)
def test_the_memory_sentence_follows_from_the_captures(sizes: tuple[float, float], words: str) -> None:
    """The reduction is computed and held against the published one; more bytes are called more."""
    text = sentence(benchmark(sizes=sizes), "optimised allocates")
    assert f"{sizes[1]:,.0f} bytes per message against {sizes[0]:,.0f} with baseline: {words}" in text


def test_without_captures_there_is_no_memory_sentence() -> None:
    """MEMRAY=False, or one capture that failed, leaves the sentence out: half a comparison is none."""
    trials = benchmark(sizes=None)
    assert not any("allocates" in text for text in summarised(trials)["verdict"])
    trials.memory(NEW, 1000.0)
    assert not any("allocates" in text for text in summarised(trials)["verdict"])
    trials.memory(OLD, 1000.0, valid=False)
    assert not any("allocates" in text for text in summarised(trials)["verdict"])


def test_the_reduction_is_a_percentage() -> None:
    """58 means 58 % fewer bytes."""
    assert pytest.approx(58.0) == reduction(420.0, 1000.0)


# -- headline --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("internal", "e2e", "words"),
    [
        (0.5, 5.0, "Both published p99 figures are met"),
        (1.5, 5.0, "One of the two published p99 figures is met"),
        (0.5, 9.5, "One of the two published p99 figures is met"),
        (1.0, 9.0, "Neither published p99 figure is met"),
    ],
)
def test_the_headline_is_held_against_the_published_figures(internal: float, e2e: float, words: str) -> None:
    """Each bar is met only by less than it, and the figures stand in the sentence."""
    trials = Trials()
    trials.headline(e2e, internal)
    text = sentence(trials, HEAD)
    assert f"internal p99 {internal:.2f} ms, e2e p99 {e2e:.1f} ms, stored p99 {2 * e2e:.1f} ms. {words}" in text


def test_a_lower_rate_is_not_held_against_the_published_figures() -> None:
    """At less than the original's rate there is nothing to meet; above it there is."""
    trials = Trials()
    trials.headline()
    assert "published" not in sentence(trials, "optimised sustained 24,999 msg/s", replace(P, HEADLINE_RATE=24_999.0))
    assert "published" in sentence(trials, "optimised sustained 30,000 msg/s", replace(P, HEADLINE_RATE=30_000.0))


def test_a_headline_that_was_never_sustained_is_not_compared() -> None:
    """Latencies of a growing queue are neither given nor held against what was published."""
    trials = Trials()
    for _ in range(3):
        trials.headline(sustained=False)
    text = sentence(trials, "optimised did not sustain 25,000 msg/s in any of 3 trials")
    assert text.endswith("those of a growing queue, and not compared with what was published.")


def test_the_headline_is_of_the_sustained_trials() -> None:
    """A trial that fell behind is in no figure of the sentence."""
    trials = Trials()
    for e2e, sustained in [(5.0, True), (5.0, True), (971.0, False), (971.0, False), (971.0, False)]:
        trials.headline(e2e, sustained=sustained)
    assert "in 2 of 5 trials, lost 0 messages: internal p99 0.50 ms, e2e p99 5.0 ms" in sentence(trials, HEAD)


def test_too_few_messages_for_p99_are_told_by_their_maximum() -> None:
    """Of fewer than 368 messages a trial there is no p99 to hold against the published one."""
    trials = Trials()
    for latency in trials.headline().latencies.values():
        latency |= {"n": 367, "max": 70.0}
    assert sentence(trials, HEAD).endswith(": internal max 70.00 ms, e2e max 70.0 ms, stored max 70.0 ms.")


def test_the_headline_says_what_was_not_sustained_and_lost() -> None:
    """Losses of all trials are added up, and trials that fell behind are counted."""
    trials = Trials()
    for sustained, lost in [(True, 0), (False, 1200), (True, 34)]:
        trials.headline(sustained=sustained, lost=lost)
    trials.headline(valid=False, lost=10**6)
    text = sentence(trials, HEAD)
    assert text.startswith("optimised sustained 25,000 msg/s in 2 of 3 trials, lost 1,234 messages: ")


def test_a_headline_without_latencies_is_no_answer() -> None:
    """A valid trial in which no message arrived, as on Pub/Sub when all are lost, must not stop the record."""
    trials = Trials()
    outcome = trials.headline(lost=25_000)
    outcome.latencies = {kind: {"n": 0, "zero": 0, "negative": 0} for kind in outcome.latencies}
    assert sentence(trials, "At 25,000 msg/s: no valid trial")


# -- warnings --------------------------------------------------------------------------------------------------------


def warned(add: Callable[[Trials], object]) -> list[str]:
    """Warnings of these trials alone."""
    trials = Trials()
    add(trials)
    return warnings(trials.made)


def test_a_good_run_warns_of_nothing() -> None:
    """No warning is made up; those of the machine are passed on, first."""
    assert summarised(benchmark())["warnings"] == []
    assert summarised(benchmark(), reliability_warnings=["Only 2 cores."])["warnings"] == ["Only 2 cores."]


@pytest.mark.parametrize(
    ("add", "sentence"),
    [
        (
            lambda t: t.capacity(NEW, 1.0, valid=False, problems=["sent 3 ≠ 4", "a ledger is missing"]),
            "Trial 0 (optimised): invalid: sent 3 ≠ 4; a ledger is missing.",
        ),
        (
            lambda t: t.latency(OLD, e2e=4.0, sustained=False),
            "Trial 0 (baseline): the offered load was not sustained; latencies there are those of a growing queue, and"
            " not compared.",
        ),
        (
            lambda t: t.latency(OLD, e2e=4.0, sustained=False, unsustained=["302 of 360 msg/s were stored"]),
            "Trial 0 (baseline; 302 of 360 msg/s were stored): the offered load was not sustained; latencies there are"
            " those of a growing queue, and not compared.",
        ),
        (
            lambda t: t.capacity(NEW, 1.0, steal=2.5),
            "Trial 0 (optimised): more than 2 % of the machine's time went to other guests.",
        ),
        (
            lambda t: t.latency(NEW, e2e=4.0, late=1.0),
            "Trial 0 (optimised): more than 20 % of e2e p99 is load-generator delay.",
        ),
        (
            lambda t: t.latency(NEW, e2e=4.0, warnings=["the consumer had not caught up"]),
            "Trial 0 (optimised): the consumer had not caught up.",
        ),
        (
            lambda t: [t.capacity(NEW, speed) for speed in (1000.0, 1300.0, 2000.0)],
            "Capacity of optimised varies by 77 % between repeats (1,000 to 2,000 msg/s): more REPEATS or a quieter"
            " machine would help.",
        ),
    ],
)
def test_every_reason_for_distrust_is_a_sentence_with_numbers(add: Callable[[Trials], object], sentence: str) -> None:
    """Each is raised by its own cause, names the trial, and comes alone."""
    assert [sentence] == warned(add)


@pytest.mark.parametrize(
    "add",
    [
        lambda t: t.capacity(NEW, 1.0, steal=reliability.STEAL),
        lambda t: t.latency(NEW, e2e=5.0, late=1.0),
        lambda t: [t.capacity(NEW, speed) for speed in (1000.0, 1200.0)],
        lambda t: [t.capacity(label, speed) for label, speed in [(OLD, 100.0), (NEW, 1000.0)]],
        lambda t: [t.capacity(NEW, 100.0), t.capacity(NEW + CONTROL, 1000.0)],
        lambda t: t.memory(NEW, 1.0),
    ],
)
def test_below_its_threshold_nothing_is_said(add: Callable[[Trials], object]) -> None:
    """The thresholds themselves, other configurations and single trials raise no warning."""
    assert warned(add) == []


def test_one_warning_names_all_its_trials() -> None:
    """Three trials with one cause are one sentence, not three."""
    assert warned(lambda t: [t.capacity(NEW, 1.0, steal=9.0) for _ in range(3)]) == [
        "Trial 0 (optimised), 1 (optimised), 2 (optimised): more than 2 % of the machine's time went to other guests."
    ]


def test_trials_that_got_nothing_done_are_no_error() -> None:
    """Throughputs of zero can be summed up: there is a record without that ratio, not a division by zero."""
    trials = Trials()
    for _ in range(3):
        trials.capacity(OLD, 0.0)
        trials.capacity(NEW, 0.0)
        trials.capacity(NEW + CONTROL, 0.0)
    assert {"capacity_cpu_us"} == set(summarised(trials)["ratios"])
