"""Two trials at the same time on a real stack: ledgers of their own, a sure order, and nothing left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.trials import assert_accounts_agree, assert_nothing_is_left

from sentinel.errors import RunEndedError
from sentinel.lab import stack
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, WARM_UP, Plan
from sentinel.lab.trials.duets import duet as duets
from sentinel.lab.trials.duets import rules
from sentinel.lab.trials.duets.duet import Duet
from sentinel.lab.trials.duets.lab import DuetLab
from sentinel.lab.trials.trial import Trial
from sentinel.runtime.record import READY
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentinel.lab.stack import Stack

PACED = LoadSettings(rate=300.0, duration=1.0 + WARM_UP, workers=4, connections=2)
FULL = LoadSettings(count=400, workers=4, connections=2)

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def supervisor() -> Iterator[Supervisor]:
    """A supervisor of this module's own."""
    with Supervisor() as supervisor:
        yield supervisor


@pytest.fixture(scope="module")
def started(supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The embedded stack, started once."""
    with stack.start("embedded", tmp_path_factory.mktemp("stack"), supervisor) as started:
        yield started


Pair = tuple[Trial, Trial]


@pytest.fixture
def pair(started: Stack, supervisor: Supervisor, tmp_path: Path) -> Callable[..., Pair]:
    """Makes two trials of one run."""

    def make(
        kind: str,
        *loads: LoadSettings,
        configurations: tuple[str, str] = ("optimised", "optimised"),
        check: Callable[[], object] = lambda: None,
    ) -> Pair:
        plans = [
            Plan(n, kind, name, name, load) for n, (name, load) in enumerate(zip(configurations, loads, strict=True))
        ]
        a, b = (
            Trial(plan, started, tmp_path / str(plan.number), supervisor, tmp_path.name, check=check) for plan in plans
        )
        return a, b

    return make


def ready(trial: Trial) -> int:
    """When its consumer was ready, ns since the epoch."""
    return (trial.folder / series.CONSUMER / READY).stat().st_mtime_ns


@pytest.mark.parametrize("backwards", [False, True])
def test_two_consumers_at_once_keep_their_ledgers_apart(pair: Callable[..., Pair], backwards: bool) -> None:
    """Each receives and stores its own load whole and nothing of the other's, and the legs start in the order told."""
    legs = pair(LATENCY, PACED, replace(PACED, rate=400.0))
    outcomes = Duet(*legs, backwards=backwards).run()
    for trial, outcome, count in zip(legs, outcomes, (600, 800), strict=True):
        assert_accounts_agree(outcome, count)
        assert outcome.latencies["stored"]["n"] > 0
        assert_nothing_is_left(trial)
        assert outcome.to_dict() == json.loads((trial.folder / "trial.json").read_text())
    assert [[1], [0]] == [outcome.beside["partners"] for outcome in outcomes]
    assert [backwards, not backwards] == [bool(outcome.beside["place"]) for outcome in outcomes]
    assert (ready(legs[0]) < ready(legs[1])) is not backwards
    assert outcomes[0].beside["apart"] < WARM_UP
    assert 0 < outcomes[0].beside["busy"] <= 100


def test_two_consumers_drain_at_once(pair: Callable[..., Pair]) -> None:
    """Both streams are full before either is read, and every message of each is accounted for."""
    legs = pair(CAPACITY, FULL, replace(FULL, count=500))
    outcomes = Duet(*legs).run()
    for trial, outcome, count in zip(legs, outcomes, (400, 500), strict=True):
        assert_accounts_agree(outcome, count)
        assert outcome.throughput > 0
        assert_nothing_is_left(trial)
    filled = [max(line["at"] for line in series.intervals(f)) for t in legs for f in series.load_folders(t.folder)]
    read = [series.ledger(trial.folder / series.CONSUMER)["first_read"] for trial in legs]
    assert max(filled) < min(read)


@pytest.mark.parametrize(
    ("configurations", "loop", "words"),
    [
        (("optimised", "optimised,decode=magic"), "open", "'magic' is not a choice"),
        (("optimised,decode=magic", "optimised"), "open", "'magic' is not a choice"),
        (("optimised", "optimised"), "spiral", "the load generator failed"),
    ],
)
def test_a_failed_leg_invalidates_its_round(
    pair: Callable[..., Pair], configurations: tuple[str, str], loop: str, words: str
) -> None:
    """Before the start or after it: neither outcome counts, both say why, and nothing of either is left."""
    legs = pair(LATENCY, PACED, replace(PACED, loop=loop), configurations=configurations)
    outcomes = Duet(*legs).run()
    told = ["\n".join(outcome.problems) for outcome in outcomes]
    assert [False, False] == [outcome.valid for outcome in outcomes]
    assert [True, True] == [words in text or rules.ABANDONED in text for text in told]
    assert any(words in text for text in told)
    for trial in legs:
        assert_nothing_is_left(trial)
        assert not json.loads((trial.folder / "trial.json").read_text())["valid"]


def test_an_interrupt_ends_both_legs(pair: Callable[..., Pair], monkeypatch: pytest.MonkeyPatch) -> None:
    """It passes on once every process of both has ended and every key is gone."""
    seen = []

    def interrupted() -> None:
        seen.append(1)
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(duets, "cpu_times", interrupted)
    legs = pair(LATENCY, *[replace(PACED, duration=30.0)] * 2)
    with pytest.raises(KeyboardInterrupt):
        Duet(*legs).run()
    for trial in legs:
        assert (trial.folder / "load.log").exists()
        assert_nothing_is_left(trial)


def test_what_ends_the_run_ends_both_legs(pair: Callable[..., Pair], tmp_path: Path) -> None:
    """The end of a server, as seen by either leg, is raised once both are gone."""

    def check() -> None:
        if (tmp_path / "1" / "load.log").exists():
            raise RunEndedError("a server has ended")

    legs = pair(LATENCY, *[replace(PACED, duration=30.0)] * 2, check=check)
    with pytest.raises(RunEndedError, match="a server has ended"):
        Duet(*legs).run()
    for trial in legs:
        assert_nothing_is_left(trial)


# -- the lab ---------------------------------------------------------------------------------------------------------


class Together(DuetLab[Benchmark], BenchmarkLab):
    """A benchmark's lab with duets."""


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Together]:
    """A lab on a stack of its own."""
    small = Benchmark(STACK="embedded", CONFIGURATIONS="optimised", REPEATS=1, DURATION=1.0, MESSAGES=1000)
    lab = Together.open(small, tmp_path)
    yield lab
    lab.close()


def rounds(*loads: LoadSettings) -> list[tuple[Plan, Plan]]:
    """A round for each load: two equal legs."""
    return [
        (
            Plan(0, LATENCY, "optimised", "optimised", load, repeat=n),
            Plan(0, LATENCY, "optimised (again)", "optimised", load, repeat=n),
        )
        for n, load in enumerate(loads)
    ]


def test_a_failed_round_is_the_only_one_that_is_lost(lab: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds before and after it count, with alternating starts, and the run goes on in duets."""
    monkeypatch.setattr(rules, "saturated", lambda _: "")  # as a busy machine may be here
    outcomes = lab.duets(rounds(PACED, replace(PACED, loop="spiral"), PACED))
    assert [True, True, False, False, True, True] == [outcome.valid for outcome in outcomes]
    assert [0, 1, 0, 1] == [outcome.beside["place"] for outcome in outcomes if outcome.valid]
    assert outcomes == lab.outcomes


def test_a_saturated_machine_is_measured_in_turn(lab: Together, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first saturated duet ends duets: none counts, the run says so, and all rounds are measured in turn."""
    monkeypatch.setattr(rules, "MOST_BUSY", 0.0)
    outcomes = lab.duets(rounds(PACED))
    assert ["optimised", "optimised (again)"] == [outcome.plan.label for outcome in outcomes]
    assert [(True, {})] * 2 == [(outcome.valid, outcome.beside) for outcome in outcomes]
    assert [2, 3] == [outcome.plan.number for outcome in outcomes]
    assert lab.outcomes == outcomes
    assert "saturate this machine" in lab.run.data.warnings[-1]
    assert "trials 0, 1 do not count" in lab.run.data.warnings[-1]
