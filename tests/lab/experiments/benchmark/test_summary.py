"""Summary: medians over valid trials, and every sentence made from the data: other data, another sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.records import kept
from support.synthetic import made

from sentinel.lab import formatting as words
from sentinel.lab.experiments.benchmark.answer import reduction
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.summary import HEADLINE, of_benchmark
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan
from sentinel.lab.statistics import published, reliability
from sentinel.lab.statistics.compare import BOOTSTRAP, Ratio, plain
from sentinel.lab.statistics.reliability import warnings
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
BASELINE = 1000.0, 1010.0, 990.0
"""Capacity of the slow configuration, msg/s."""


class Trials:
    """Makes outcomes, numbered in the order they are asked for."""

    def __init__(self) -> None:
        self.made: list[Outcome] = []

    def _add(self, kind: str, label: str, group: str, **changes: Any) -> Outcome:
        plan = Plan(len(self.made), kind, label, label.removesuffix(CONTROL), LoadSettings(), group=group)
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
    fast: Sequence[float] = (10_000, 10_100, 9_900),
    again: Sequence[float] = (10_050, 10_000, 10_000),
    e2e: Sequence[float] = (4.0, 4.1, 3.9),
    sizes: tuple[float, float] | None = (4000.0, 1000.0),
    change: Callable[[Trials], object] = lambda _: None,
) -> Trials:
    """A whole benchmark's outcomes; baseline needs 20 µs and has an e2e p99 of 8 ms."""
    trials = Trials()
    for slow, speed, second in zip(BASELINE, fast, again, strict=False):
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
        "value": 0.5,
        "low": 0.5,
        "high": 0.5,
        "n": 3,
        "confidence": 0.9,
        "method": BOOTSTRAP,
    }
    assert 5000.0 == result["summary"]["client-batching"]["capacity"]


def test_what_is_not_known_is_null() -> None:
    """One trial has no interval, and a measure of one side no ratio: both are null, since JSON has no NaN."""
    trials = Trials()
    trials.capacity(OLD, 1000.0)
    trials.capacity(NEW, 2000.0)
    trials.memory(NEW, 10.0)
    ratios = summarised(trials)["ratios"]
    assert ratios["capacity"] == {"value": 2.0, "low": None, "high": None, "n": 1}
    assert ratios["bytes_per_message"] == {"value": None, "low": None, "high": None, "n": 0}


def test_the_noise_is_that_of_the_second_leg() -> None:
    """The band is what the medians of one configuration's two legs differ by; the second leg is kept."""
    noise = summarised(benchmark(again=(8000.0, 7500.0, 10_000.0)))["noise"]
    assert (pytest.approx(0.25), [8000.0, 7500.0, 10_000.0]) == (noise["band"], noise["again"])
    assert noise["band"] == noise["bands"]["capacity"]


def test_no_trials_at_all_are_summed_up_too() -> None:
    """A notebook that was interrupted before its first trial still leaves a record."""
    result = summarised(Trials())
    assert {OLD: {}, NEW: {}, HEADLINE: {}} == result["summary"]
    assert {} == result["ratios"]


# -- verdict ---------------------------------------------------------------------------------------------------------


def test_a_whole_verdict() -> None:
    """The answer names validity, capacity, CPU, latency, memory and the headline, in this order."""
    assert summarised(benchmark())["verdict"] == [
        "Every message of all 20 trials is accounted for, and the store's own count agrees.",
        "Capacity of optimised is better than baseline's: 10.0× [9.80, 10.2], n = 3 each (A/A noise floor 1.05×).",
        "CPU per message of optimised is better than baseline's: 0.50× [0.50, 0.50], n = 3 each (A/A noise floor"
        " 1.05×).",
        "Latency to the store's acknowledgement (p99, 840 msg/s) of optimised is better than baseline's: 0.50× [0.49,"
        " 0.51], n = 3 each (up to 1.05× counts as no difference).",
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
        ((1000, 1001, 999), ": no difference from baseline's beyond the noise floor (1.00×"),
        ((800, 2000, 1000), ": cannot tell whether it differs from baseline's (1.00× [0.79, 2.02]; A/A noise"),
    ],
)
def test_the_capacity_sentence_follows_from_the_trials(fast: Sequence[float], words: str) -> None:
    """Better, worse, no difference and cannot tell are all possible, each with its ratio."""
    assert sentence(benchmark(fast=fast, again=fast), "Capacity").startswith(f"Capacity of {NEW}{words}")


def test_less_latency_is_better() -> None:
    """For times and CPU the direction is the other one."""
    assert "is worse than baseline's: 2." in sentence(benchmark(e2e=(16.0, 16.2, 15.9)), "Latency")
    assert "no difference" in sentence(benchmark(e2e=(8.0, 8.0, 8.01)), "Latency")


def test_a_noisy_day_takes_the_verdict_back() -> None:
    """What one configuration differs from itself by is no difference between two."""
    fast = (1200.0, 1210.0, 1190.0)
    assert "is better" in sentence(benchmark(fast=fast, again=fast), "Capacity")
    noisy = sentence(benchmark(fast=fast, again=(900.0, 800.0, 1190.0)), "Capacity")
    assert "is better" not in noisy
    assert "run-to-run variation hides it" in noisy
    assert "A/A noise floor 1.33×" in noisy


def test_one_repeat_cannot_tell() -> None:
    """A single trial each is named as such, however large the difference."""
    text = sentence(benchmark(fast=(10_000,), again=(10_000,)), "Capacity")
    assert "cannot tell" in text
    assert "(n = 1: no interval)" in text


def test_the_rate_in_the_sentence_is_the_measured_one() -> None:
    """RATE may have been lowered: the sentence has the rate that was played."""
    trials = benchmark()
    verdict = of_benchmark(P, trials.made, [], 1234.0).verdict
    assert any("(p99, 1,234 msg/s)" in text for text in verdict)
    assert not any(f"{P.RATE:,.0f} msg/s" in text for text in verdict)


def test_sentence_and_table_show_one_interval() -> None:
    """The interval in words is the interval in `ratios`, whatever the seed of the bootstrap."""
    speeds = [(2.22, 0.83), (3.75, 0.89), (3.99, 0.98), (2.71, 0.8)]
    for seed in range(1, 8):
        trials = Trials()
        for new, old in speeds:
            trials.capacity(OLD, old)
            trials.capacity(NEW, new)
        result = summarised(trials, replace(P, SEED=seed))
        assert str(words.ratio(Ratio(**result["ratios"]["capacity"]))) in result["verdict"][1]


def test_invalid_trials_are_named_first() -> None:
    """The first sentence counts and numbers them, and they are in no other."""
    trials = benchmark(change=lambda t: t.capacity(NEW, 9e9, valid=False, problems=["the store holds 3 points"]))
    assert (
        f"1 of 21 trials are invalid (number {trials.made[-1].plan.number}) and are left out of all figures."
        == (summarised(trials)["verdict"][0])
    )
    assert sentence(trials, "Capacity") == sentence(benchmark(), "Capacity")


def test_no_valid_trial_is_no_answer() -> None:
    """Where everything failed, nothing is better, and the sentences say so rather than stop the report."""
    trials = benchmark()
    for outcome in trials.made:
        outcome.valid, outcome.problems = False, ["the consumer did not start"]
    result = summarised(trials)
    assert result["verdict"][0].startswith("20 of 20 trials are invalid (number 0, 1, 2, ")
    assert all("cannot tell" in text for text in result["verdict"][1:4])
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
    assert ", n = 4 each " in text
    assert text.endswith(" Left out: baseline did not sustain 840 msg/s in 1 of 5 trials.")


def test_what_got_worse_is_named_with_its_ratio() -> None:
    """A tail that got longer is in the verdict, as what got better is, and how many measures were looked at."""

    def longer(trials: Trials) -> None:
        for n, outcome in enumerate(o for o in trials.made if o.plan.kind == LATENCY and o.plan.label == NEW):
            outcome.latencies["internal"]["p99.9"] = 0.158 + n / 1000

    text = sentence(benchmark(change=longer), "Worse than baseline")
    assert text.startswith("Worse than baseline: internal p99.9, 1.59× [1.58, 1.60]")
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
    end = " can be judged; take REPEATS=3 or more."
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
    """Throughputs of zero can be summed up: there is a record, not a division by zero."""
    trials = Trials()
    for _ in range(3):
        trials.capacity(OLD, 0.0)
        trials.capacity(NEW, 0.0)
        trials.capacity(NEW + CONTROL, 0.0)
    assert summarised(trials)["ratios"]["capacity"]["value"] is None
