"""Trials on a real stack: every message accounted for, nothing left behind, and a failure is an outcome with words."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import psutil
import pytest
from support.servers import wait_until
from support.trials import assert_accounts_agree, assert_nothing_is_left, processes_of

from sentinel import bus, store
from sentinel.lab.profiling import memory
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, MEMORY, WARM_UP, Outcome, Plan, warm_up
from sentinel.lab.stack.servers import free_ports
from sentinel.lab.trials import trial as trials
from sentinel.lab.trials.process_sampler import Sampler
from sentinel.lab.trials.trial import START_LIMIT, Trial
from sentinel.runtime.record import INTERVALS
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack
    from sentinel.lab.trials.kinds import Start

RUN = "test-run"
PACED = LoadSettings(rate=300.0, duration=1.0 + WARM_UP, workers=4, connections=2)
FULL = LoadSettings(count=400, workers=4, connections=2)

pytestmark = pytest.mark.timeout(60)


class Bench:
    """Carries out trials, each with a number and a folder of its own."""

    def __init__(self, stack: Stack, supervisor: Supervisor, folder: Path) -> None:
        self.stack = stack
        self.supervisor = supervisor
        self.folder = folder
        self.number = 0

    def plan(self, kind: str, configuration: str, load: LoadSettings) -> Plan:
        """The next trial's plan."""
        self.number += 1
        return Plan(self.number, kind, configuration, configuration, load)

    def trial(self, plan: Plan, **change: object) -> Trial:
        """The trial of a plan; `change` is of the stack."""
        there = replace(self.stack, **change) if change else self.stack
        return Trial(plan, there, self.folder / str(plan.number), self.supervisor, RUN)


@pytest.fixture(scope="module")
def bench(own_stack: Stack, supervisor: Supervisor, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """A bench on the module's stack."""
    return Bench(own_stack, supervisor, tmp_path_factory.mktemp("trials"))


def test_a_trial_begins_with_an_empty_store(bench: Bench) -> None:
    """What an earlier trial wrote into a store of our own is gone; into that of others it is not."""
    outcomes, held = [], []
    for change in ({}, {}, {"pids": {}}):
        trial = bench.trial(bench.plan(CAPACITY, "optimised", FULL), **change)
        outcomes.append(trial.run())
        held.append(store.count(trial.store, store.identify(trial.store)))
    assert all(outcome.valid for outcome in outcomes)
    assert [FULL.count, FULL.count, 2 * FULL.count] == held


WIDE = {"workers": 4, "sources": 30, "fields": 50, "tags": 3}


@pytest.mark.parametrize(
    ("kind", "configuration", "load"),
    [
        (LATENCY, "optimised", LoadSettings(rate=300.0, duration=1.0 + WARM_UP, loop="bursts", **WIDE)),
        (CAPACITY, "baseline", LoadSettings(count=60, **WIDE)),
    ],
)
def test_wide_messages_are_accounted_for(bench: Bench, kind: str, configuration: str, load: LoadSettings) -> None:
    """Of many sources with tags, in bursts too, every message is stored once with all its numbers, and weighed."""
    trial = bench.trial(bench.plan(kind, configuration, load))
    outcome = trial.run()
    assert_accounts_agree(outcome, load.count or int(load.rate * load.duration))
    assert 1000 < (outcome.message_bytes or 0) < 1300
    assert outcome.throughput < 1.1 * load.rate or kind == CAPACITY  # the mean rate, not that of a burst


# -- latency ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def latency(bench: Bench) -> tuple[Trial, Outcome]:
    """A latency trial of the optimised consumer, done."""
    trial = bench.trial(bench.plan(LATENCY, "optimised", PACED))
    return trial, trial.run()


def test_a_latency_trial_accounts_for_every_message(latency: tuple[Trial, Outcome]) -> None:
    """sent = written = stored, counted by three programs independently."""
    assert_accounts_agree(latency[1], int(PACED.rate * PACED.duration))


def test_the_store_holds_the_trials_points_under_its_own_tag(latency: tuple[Trial, Outcome]) -> None:
    """The count is the store's answer for this trial's tag, and another trial's tag has none of it."""
    trial, outcome = latency
    server = store.identify(trial.store)
    assert outcome.stored == store.count(trial.store, server, trial.tag)
    assert store.count(trial.store, server, f"{trial.tag}0") == 0


def test_a_latency_trial_has_all_four_latencies(latency: tuple[Trial, Outcome]) -> None:
    """internal, e2e, stored and send delay are there with their counts, in the order that time allows."""
    trial, outcome = latency
    assert ["internal", "e2e", "stored", "send_delay"] == list(outcome.latencies)
    # The warm-up is left out: by whole intervals, of which one may straddle its end.
    for actual in outcome.latencies.values():
        assert PACED.rate * 0.9 < actual["n"] <= PACED.rate * (PACED.duration - WARM_UP + 0.75)
        assert actual["negative"] == 0
        assert 0 < actual["p50"] <= actual["p90"] <= actual["p99"] <= actual["p99.9"] <= actual["max"]
    middle = {kind: actual["p50"] for kind, actual in outcome.latencies.items()}
    assert middle["internal"] < middle["e2e"] < middle["stored"]
    assert (outcome.sustained, outcome.warnings) == (True, [])
    assert trial.outcome is outcome


def test_a_latency_trial_knows_rate_and_cost(latency: tuple[Trial, Outcome]) -> None:
    """Throughput is the offered rate where that is sustained, and the consumer's CPU and memory are known."""
    outcome = latency[1]
    assert outcome.throughput == pytest.approx(PACED.rate, rel=0.15)
    assert outcome.cpu_us is not None
    assert 0 < outcome.cpu_us < 1e6 / PACED.rate
    assert outcome.peak_rss_mb is not None
    assert 10 < outcome.peak_rss_mb < 500
    assert 0 <= outcome.steal <= 100
    assert abs(outcome.started - time.time_ns()) < 120e9


def test_a_latency_trial_leaves_everything_raw_in_its_folder(latency: tuple[Trial, Outcome]) -> None:
    """Histograms, records, resources and logs are files, from which the outcome can be computed again."""
    trial, outcome = latency
    left = {str(path.relative_to(trial.folder)) for path in trial.folder.rglob("*") if path.is_file()}
    assert {"internal.hgrm", "e2e.hgrm", "stored.hgrm", "send_delay.hgrm", "trial.json", "resources.csv"} <= left
    assert {f"consumer/{name}" for name in ("ready", "intervals.jsonl", "ledger.json")} <= left
    assert {"consumer.log", "load.log", "load/0/ledger.json", "load/0/intervals.jsonl"} <= left
    assert outcome.to_dict() == json.loads((trial.folder / "trial.json").read_text())
    frame = series.progress(trial.folder, outcome.started)
    assert frame[["sent", "written"]].iloc[-1].tolist() == [600, 600]
    assert {"consumer", "load", "bus", "store"} == set(series.resources(trial.folder, outcome.started)["process"])


def test_the_log_has_the_originals_lines(latency: tuple[Trial, Outcome]) -> None:
    """Whoever watches the consumer's log sees the original's latency lines."""
    text = (latency[0].folder / "consumer.log").read_text()
    for kind in ("INTERNAL", "E2E", "STORED"):
        assert f"{kind}_LATENCY_STATS count=" in text


def test_a_trial_leaves_no_process_and_no_key(latency: tuple[Trial, Outcome]) -> None:
    """Stream, group and dead letters are gone from Redis, and so are consumer and load generator."""
    assert_nothing_is_left(latency[0])


def test_a_latency_trial_on_pubsub_accounts_too(bench: Bench) -> None:
    """The subscriber is there before the load begins: nothing is lost on a quiet machine."""
    trial = bench.trial(bench.plan(LATENCY, "optimised", replace(PACED, transport="pubsub", codec="binary")))
    outcome = trial.run()
    assert_accounts_agree(outcome, int(PACED.rate * PACED.duration))
    assert outcome.latencies["e2e"]["n"] > 0
    assert_nothing_is_left(trial)


# -- capacity and memory ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", ["baseline", "client-batching", "optimised"])
def test_a_capacity_trial_drains_the_stream(bench: Bench, configuration: str) -> None:
    """All that was put on the stream is stored, and the rate of it is known."""
    trial = bench.trial(bench.plan(CAPACITY, configuration, replace(FULL, transport="pubsub")))
    began = time.monotonic()
    outcome = trial.run()
    assert_accounts_agree(outcome, FULL.count)
    assert outcome.throughput > FULL.count / (time.monotonic() - began)  # the drain is a part of the trial
    assert outcome.cpu_us is not None
    assert outcome.cpu_us > 0
    assert outcome.latencies == {}
    assert_nothing_is_left(trial)


def test_a_memory_trial_leaves_a_capture_and_its_count(bench: Bench) -> None:
    """The capture covers the messages after the warm-up, and can be summed up per message."""
    trial = bench.trial(bench.plan(MEMORY, "optimised", FULL))
    outcome = trial.run()
    assert_accounts_agree(outcome, FULL.count)
    counted = json.loads((trial.folder / "memray.json").read_text())["messages"]
    # The warm-up ends with the read that reaches it.
    assert 0 <= counted <= FULL.count - warm_up(FULL.count)
    assert (trial.folder / "memray.bin").stat().st_size > 0
    assert_nothing_is_left(trial)


def test_a_memory_trial_can_be_summed_up(bench: Bench) -> None:
    """Enough messages for more than one read: their allocations are figures per message."""
    trial = bench.trial(bench.plan(MEMORY, "optimised", replace(FULL, count=5000)))
    assert_accounts_agree(trial.run(), 5000)
    totals = memory.summary(trial.folder / "memray.bin", trial.supervisor)
    assert 0 < totals["messages"] <= 5000 - warm_up(5000)
    # Payload, sample, line and bookkeeping: no less than the payload itself, no more than a few kilobytes.
    assert 100 < totals["bytes_per_message"] < 20_000
    assert any("sentinel/" in place for place in totals["locations"])


# -- failures --------------------------------------------------------------------------------------------------------


def assert_invalid(trial: Trial, outcome: Outcome, *words: str) -> None:
    """An outcome that says why, saved beside its logs; nothing raised, nothing left."""
    assert not outcome.valid
    text = "\n".join(outcome.problems)
    assert [word for word in words if word not in text] == []
    assert outcome.to_dict() == json.loads((trial.folder / "trial.json").read_text())
    assert_nothing_is_left(trial)


@pytest.mark.parametrize("kind", [LATENCY, CAPACITY, MEMORY])
def test_a_consumer_that_cannot_start_is_an_invalid_outcome(bench: Bench, kind: str) -> None:
    """With a store that nobody serves, the outcome has the log's own words, and the other trials go on."""
    (port,) = free_ports(1)
    store = replace(bench.stack.store, url=f"http://127.0.0.1:{port}")
    trial = bench.trial(bench.plan(kind, "optimised", PACED if kind == LATENCY else FULL), store=store)
    began = time.monotonic()
    outcome = trial.run()
    assert time.monotonic() - began < START_LIMIT / 2
    assert_invalid(trial, outcome, "the consumer ended at once", f"127.0.0.1:{port}", "INFLUX_URL", "ledger is missing")


def test_an_unknown_configuration_is_an_invalid_outcome(bench: Bench) -> None:
    """The consumer's complaint about its options reaches the record."""
    trial = bench.trial(bench.plan(LATENCY, "optimised,decode=magic", PACED))
    assert_invalid(trial, trial.run(), "the consumer ended at once", "decode='magic' is not a choice")


def test_a_load_that_cannot_start_is_an_invalid_outcome(bench: Bench) -> None:
    """The consumer that waits for it is ended, and the load generator's words are kept."""
    for kind, load, words in [
        (LATENCY, replace(PACED, loop="spiral"), "the load generator failed"),
        (CAPACITY, replace(FULL, loop="spiral"), "the stream could not be filled"),
    ]:
        trial = bench.trial(bench.plan(kind, "optimised", load))
        assert_invalid(trial, trial.run(), words, "spiral")


def test_a_load_that_does_not_end_is_ended_with_its_consumer(bench: Bench) -> None:
    """A load generator that overruns its time makes the trial invalid, and neither program disturbs the next trial."""
    # A grace below zero brings the limit down to half a second of waiting.
    load = replace(PACED, duration=20.0, grace=0.5 - 20.0 - START_LIMIT)
    trial = bench.trial(bench.plan(LATENCY, "optimised", load))
    assert_invalid(trial, trial.run(), "still runs after 0.5 s")


def test_a_bus_that_is_gone_is_an_invalid_outcome(bench: Bench) -> None:
    """Cleaning up behind a trial needs Redis: without it the outcome says so, and nothing is raised."""
    (port,) = free_ports(1)
    gone = replace(bench.stack.bus, url=f"redis://127.0.0.1:{port}/0")
    trial = bench.trial(bench.plan(LATENCY, "optimised", PACED), bus=gone)
    outcome = trial.run()
    assert not outcome.valid
    assert f"127.0.0.1:{port}" in "\n".join(outcome.problems)
    assert processes_of(trial) == []
    assert (trial.folder / "trial.json").exists()


def test_a_store_that_lost_points_makes_a_trial_invalid(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A count that differs from what was acknowledged is a sentence with both numbers, and no verdict is drawn."""
    monkeypatch.setattr(store, "count", _counting(FULL.count + 1))
    trial = bench.trial(bench.plan(CAPACITY, "optimised", FULL))
    assert_invalid(trial, trial.run(), "the store holds 401 points, but acknowledged 400")


def _counting(number: int) -> Callable[..., int]:
    return lambda *_: number


def test_a_trial_without_messages_is_invalid(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledgers of nothing add up, but nothing was measured: zeros must not reach the medians."""
    trial = bench.trial(bench.plan(CAPACITY, "optimised", FULL))
    start = trial._consumer

    def start_on_an_empty_stream(how: Start) -> Child:
        bus.remove(trial.bus)
        return start(how)

    monkeypatch.setattr(trial, "_consumer", start_on_an_empty_stream)
    outcome = trial.run()
    assert (0, FULL.count, 0.0) == (outcome.consumer["received"], outcome.lost, outcome.throughput)
    assert_invalid(trial, outcome)


# -- outcomes --------------------------------------------------------------------------------------------------------


def test_an_outcome_survives_json(latency: tuple[Trial, Outcome]) -> None:
    """From run.json comes the same outcome, plan and load included: real, untouched, and with everything unknown."""
    plan = Plan(3, MEMORY, "optimised (again)", "optimised", replace(FULL, codec="binary"), 7, 2, "memory")
    for outcome in (latency[1], Outcome(plan), Outcome(plan, memory={"locations": {"a:b:1": 0.5}}, stored=None)):
        assert outcome == msgspec.convert(json.loads(json.dumps(outcome.to_dict(), allow_nan=False)), Outcome)


def test_resources_are_sampled_even_in_a_short_block(tmp_path: Path) -> None:
    """A block shorter than the sampling interval leaves one reading of each living process."""
    with Sampler(tmp_path / "resources.csv", {"me": os.getpid(), "nobody": 2**22 + 1}):
        pass
    head, line = (tmp_path / "resources.csv").read_text().splitlines()
    assert head == "at,process,cpu_seconds,rss_bytes"
    at, process, cpu, rss = line.split(",")
    assert process == "me"
    assert abs(int(at) - time.time_ns()) < 10e9
    assert float(cpu) > 0
    assert int(rss) > 1e6


def test_a_drain_that_stands_still_is_given_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that takes nothing more ends the trial after a while, not after a time that grows with the messages."""
    monkeypatch.setattr(trials, "STALL_LIMIT", 1.0)
    monkeypatch.setattr(trials, "END_GRACE", 0.5)
    trial = bench.trial(bench.plan(CAPACITY, "baseline", replace(FULL, count=20_000)))
    store = psutil.Process(bench.stack.pids["store"])
    notes = trial.folder / series.CONSUMER / INTERVALS

    def halt() -> None:
        """From the first note of the consumer until the consumer is gone."""
        wait_until("the consumer has begun", lambda: notes.exists() and notes.stat().st_size, 30)
        store.suspend()
        try:
            wait_until("the consumer is gone", lambda: not processes_of(trial), 30)
        finally:
            store.resume()

    with ThreadPoolExecutor() as pool:
        halted = pool.submit(halt)
        outcome = trial.run()
        halted.result()
    assert not outcome.valid
    (problem,) = [problem for problem in outcome.problems if "stored nothing for 1 s, after " in problem]
    assert problem.endswith(f"of 20,000 messages, and was stopped; its log is {trial.folder / 'consumer.log'}")
