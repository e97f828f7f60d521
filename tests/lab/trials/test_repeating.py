"""Trials repeated until their ratios have settled: the session around the rounds."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.labs import FakeLab

from sentinel.errors import RunEndedError
from sentinel.lab.experiments.ablation.parameters import Ablation
from sentinel.lab.experiments.ablation.trials import keys as keys_of_ablation
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.notebook.progress import Progress
from sentinel.lab.report import heading
from sentinel.lab.run import run as runs
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Settling, TrialLength
from sentinel.lab.statistics.rounds.allocation import Allocation
from sentinel.lab.statistics.rounds.sequential import STEPS
from sentinel.lab.trials import plans
from sentinel.lab.trials.rounds import length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sentinel.lab.run.trial_record import Outcome

AUTO = Benchmark(
    REPEATS="auto", WITHIN=10_000.0, STACK="embedded", CONFIGURATIONS="baseline,optimised", MEMRAY=False, PYSPY=False
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Benchmark], FakeLab]]:
    """Opens a session of made-up trials on a real stack."""
    labs = []

    def opening(p: Benchmark) -> FakeLab:
        labs.append(FakeLab.open(p, tmp_path))
        return labs[-1]

    yield opening
    for lab in labs:
        lab.close()


def rounds(outcomes: Sequence[Outcome], group: str) -> list[int]:
    """How many trials each round of a group had."""
    repeats = [o.plan.repeat for o in outcomes if o.plan.group == group]
    return [repeats.count(n) for n in range(max(repeats) + 1)]


def test_steady_trials_settle_and_the_record_says_so(opened: Callable[[Benchmark], FakeLab]) -> None:
    """Both groups end at a look before the last; looks and ending are in run.json, and every round is whole."""
    lab = opened(AUTO)
    outcomes = [*lab.capacity(), *lab.latency(), *lab.headline()]
    record = json.loads((lab.close().folder / "run.json").read_text())
    for group, legs in (("capacity", 3), ("latency", 2)):
        done = record["settling"][group]["rounds"]
        assert done in STEPS
        assert done < STEPS[-1]
        assert [legs] * done == rounds(outcomes, group)
        assert record["settling"][group]["settled"]
        assert done in record["looks"][group]
    assert [1] * 4 == rounds(outcomes, "headline")
    assert "rounds in" in heading.heading(lab.run)
    assert 0 == record["planned"]


def test_the_order_alternates(opened: Callable[[Benchmark], FakeLab]) -> None:
    """A B A', then A' B A: a drift meets all alike."""
    labels = [o.plan.label for o in opened(AUTO).capacity()]
    first = ["baseline", "optimised", "optimised (again)"]
    assert [*first, *reversed(first), *first] == labels[:9]


def test_noise_is_measured_to_the_last_round(opened: Callable[[Benchmark], FakeLab]) -> None:
    """Trials that vary by half never settle: all rounds are carried out, and the page says that it did not settle."""
    lab = opened(AUTO)
    lab.noise = 0.5
    lab.capacity()
    (ending,) = lab.run.data.settling.values()
    assert (STEPS[-1], False, True) == (ending.rounds, ending.settled, ending.full)
    assert "all that a run takes, not all settled (" in heading.repetition(lab.run.data)["Rounds"]


def test_an_invalid_trial_stops_nothing(opened: Callable[[Benchmark], FakeLab]) -> None:
    """A trial that fails now and then is a gap in its round."""
    lab = opened(AUTO)
    lab.fails = lambda plan: plan.number % 10 == 4
    outcomes = lab.capacity()
    assert not all(o.valid for o in outcomes)
    assert lab.run.data.settling["capacity"].settled


def test_an_interrupted_run_concludes_with_what_it_has(opened: Callable[[Benchmark], FakeLab]) -> None:
    """In the middle of its eighth round it is ended: a record with ratios of seven whole ones, and its looks."""
    lab = opened(AUTO)
    lab.noise = 0.3
    lab.ends = lambda plan: plan.repeat == 7 and plan.label == "optimised"
    with pytest.raises(RunEndedError, match="interrupted; 22 trials are kept"):
        lab.capacity()
    record = json.loads((lab.run.folder / "run.json").read_text())
    assert ("interrupted", list(STEPS), {}) == (
        record["state"],
        record["looks"]["capacity"],
        record.get("settling", {}),
    )
    assert record["ratios"]["capacity"]["value"] > 100


def test_a_number_of_repeats_is_carried_out_as_ever(opened: Callable[[Benchmark], FakeLab]) -> None:
    """With REPEATS=2 there are two rounds, no look and no ending."""
    lab = opened(replace(AUTO, REPEATS=2))
    outcomes = [*lab.capacity(), *lab.latency()]
    assert ([3, 3], [2, 2]) == (rounds(outcomes, "capacity"), rounds(outcomes, "latency"))
    assert ({}, {}) == (lab.run.data.looks, lab.run.data.settling)
    assert 2 * 3 + 2 * 2 + 2 == lab.run.data.planned


def test_latencies_get_what_capacity_leaves(opened: Callable[[Benchmark], FakeLab]) -> None:
    """Capacity may use half of WITHIN; what it does not use is left to the latencies, which are never without."""
    lab = opened(replace(AUTO, WITHIN=100.0))
    assert 50.0 == lab.within("capacity")
    lab.capacity()
    assert 95.0 < lab.within("latency") <= 100.0


def test_progress_knows_about_the_rounds(
    opened: Callable[[Benchmark], FakeLab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that is expected is bounded by WITHIN, and none of a group is left once it has ended."""
    lab = opened(replace(AUTO, WITHIN=300.0))
    lab.noise = 0.3
    expected = lab.expected_seconds()
    assert expected[CAPACITY] <= 150.0
    assert expected[LATENCY] <= 150.0 + 4 * (AUTO.DURATION + 4)
    labels = []
    step = Progress.step
    monkeypatch.setattr(
        Progress, "step", lambda self, label, *a, **k: labels.append(label) or step(self, label, *a, **k)
    )
    lab.capacity()
    assert 0.0 == pytest.approx(lab._progress._estimate._left[CAPACITY])
    assert re.fullmatch(r"capacity: baseline, repeat 2; first look after \d+ rounds", labels[5])
    assert any(re.search(r"; capacity ± \d+ %, about \d+ rounds? more", label) for label in labels)


def test_a_pilot_decides_the_length_before_the_first_round(
    opened: Callable[[Benchmark], FakeLab], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its trials count for nothing else; those of the rounds have the length that it found, and the page says so."""
    shorter = Allocation(between=1.0, within=0.1, windows=6, best=1, window=1.0, fixed=3.0)
    monkeypatch.setattr(length, "allocation", lambda *_: shorter)
    lab = opened(replace(AUTO, RATE=400.0))
    lab.capacity()
    outcomes = lab.latency()
    pilots = [o for o in lab.outcomes if o.plan.group == "pilot"]
    assert ["optimised (pilot)"] * 3 == [o.plan.label for o in pilots]
    assert {6.0} == {length.seconds(o) for o in pilots}
    assert {2.0} == {length.seconds(o) for o in outcomes}
    assert TrialLength(6.0, 2.0, shorter, shorter) == lab.run.data.length
    lab.headline()
    assert {6.0} == {length.seconds(o) for o in lab.outcomes if o.plan.group == "headline"}
    sentence = heading.repetition(lab.run.data)["Trial length"]
    assert sentence.startswith(
        "2 s instead of DURATION=6, since a pilot said that shorter trials, and more rounds of them,"
    )
    summed = lab.close().data.spread["optimised"]["stored_p50"]
    assert lab.run.data.settling["latency"].rounds == summed.n


def test_there_is_no_pilot_where_time_is_short(opened: Callable[[Benchmark], FakeLab]) -> None:
    """Three trials of ten seconds are no part of half a minute."""
    lab = opened(replace(AUTO, WITHIN=60.0, REPEATS="auto"))
    lab.latency()
    assert [] == [o for o in lab.outcomes if o.plan.group == "pilot"]


def test_every_choice_of_an_ablation_has_to_settle() -> None:
    """Capacity and CPU of each, on and off; the choice switched on last is the same either way."""
    keys = keys_of_ablation(Ablation())
    assert 2 * (2 * 4 - 1) == len(keys) == len({key.title for key in keys})
    labels = {plan.label for plan in plans.capacity(Ablation())}
    assert {key.new for key in keys} | {key.old for key in keys} <= labels


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Settling(12, 250.4, 300.0, True, False, 2, "capacity settled at ± 3 %"),
         "12 rounds in 250 s, all settled (capacity settled at ± 3 %)"),
        (Settling(8, 300.2, 300.0, False, False, 2, "p99 ± 9 %, about 4 rounds more"),
         "8 rounds in 300 s, its 300 s of WITHIN used up, not all settled (p99 ± 9 %, about 4 rounds more)"),
        (Settling(6, 60.0, 300.0, True, False, 0, ""), "6 rounds in 60 s, with no ratio to settle"),
    ],
)  # fmt: skip
def test_the_page_says_how_it_ended(tmp_path: Path, ending: Settling, words: str) -> None:
    """Settled, or time used up and what was not; of a run with a number of repeats, nothing."""
    run = runs.Run("20260101T000000Z-benchmark-0000", tmp_path)
    assert {} == heading.repetition(run.data)
    run.data.settling = {"capacity": ending}
    assert {"Rounds": f"capacity: {words}"} == heading.repetition(run.data)
