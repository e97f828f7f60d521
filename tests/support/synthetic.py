"""A small run made up of real records: outcomes, intervals and resources as trials leave them, summed up as ever."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from support.records import record

from sentinel.consumer.configurations import parse
from sentinel.lab.experiments.benchmark import summary
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.summary import HEADLINE
from sentinel.lab.run.run import Run
from sentinel.lab.run.series import percentiles
from sentinel.lab.run.trial_record import CAPACITY, CONTROL, LATENCY, MEMORY, Outcome, Plan, names_of
from sentinel.lab.statistics.compare import plain
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import ConsumerLedger, SenderLedger
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START, SECOND = 1_700_000_000_000_000_000, 1_000_000_000
ALL = ("baseline", "client-batching", "optimised")
COST = {"baseline": 1000.0, "client-batching": 200.0, "optimised": 5.0}
"""CPU per message, µs; everything else of a configuration follows from it."""
LONG = "_get_or_create_a_collector_of_observations:redis/observability/with/a/deep/path/recorder_of_everything.py:833"
"""A place that no label can hold."""


class Maker:
    """Makes one run's trials, numbered in the order in which they are asked for."""

    def __init__(self, run: Run, seed: int) -> None:
        self.run = run
        self.outcomes: list[Outcome] = []
        self.random = np.random.default_rng(seed)

    def add(self, kind: str, label: str, repeat: int, group: str, rate: float = 200.0) -> None:
        """One trial, valid, with everything that it leaves behind."""
        name = label.removesuffix(CONTROL)
        plan = Plan(len(self.outcomes), kind, label, name, LoadSettings(rate=rate, duration=4.0), 5000, repeat, group)
        cost, n = COST.get(name, 50.0) * (1 + self.random.uniform(0, 0.1)), int(4 * rate)
        collected: dict[str, Any] = {"throughput": 0.99 * rate, "cpu_us": cost, "peak_rss_mb": 60.0, "started": START}
        if kind == LATENCY:
            collected["latencies"] = self._latency(plan, cost, rate)
        elif kind == CAPACITY:
            collected["throughput"] = 600_000 / cost
        else:
            collected["memory"] = self._memory(cost)
        sender = asdict(SenderLedger(scheduled=n, sent=n))
        consumer = asdict(ConsumerLedger(received=n, written=n))
        outcome = Outcome(plan, valid=True, sender=sender, consumer=consumer, stored=n, **collected)
        folder = self.run.trial_folder(plan.number)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trial.json").write_text(json.dumps(outcome.to_dict()), encoding="utf-8")
        self.outcomes.append(outcome)

    def _latency(self, plan: Plan, cost: float, rate: float) -> dict[str, dict[str, float]]:
        folder, lines, delays = self.run.trial_folder(plan.number), [], []
        whole = {kind: Recorder() for kind in ("internal", "e2e", "stored", "delay")}
        for step in range(1, 9):
            parts = {kind: Recorder() for kind in whole}
            for scale, (kind, part) in zip((50, 500, 2000, 100), parts.items(), strict=True):
                part.record((self.random.lognormal(0, 0.6, int(rate / 2)) * scale * (1000 + cost)).astype(np.int64))
                whole[kind].merge(part)
            at, done = START + step * SECOND // 2, int(step * rate / 2)
            own = {kind: part.to_dict() for kind, part in parts.items()}
            lines.append({"at": at, "received": done, "written": done - 1, "rejected": 0, **own})
            delays.append({"at": at, "sent": done, "delay": own["delay"]})
        _write(folder / "consumer", lines)
        _write(folder / "load" / "0", delays)
        _resources(folder / "resources.csv", cost)
        return {"send_delay" if kind == "delay" else kind: percentiles(part) for kind, part in whole.items()}

    @staticmethod
    def _memory(cost: float) -> dict[str, Any]:
        places = {f"call_{n}:some/module_{n}.py:{n}": cost * (30 - n) for n in range(20)} | {LONG: 40 * cost}
        modules = {"redis": 100 * cost, "sentinel": 50 * cost, "<string>": 0.4}
        totals = {"bytes_per_message": 300 * cost, "allocations_per_message": 3 * cost, "peak_bytes": 1_000_000}
        return {"messages": 2000, **totals, "locations": places, "modules": modules}


def _write(folder: Path, lines: Sequence[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _resources(path: Path, cost: float) -> None:
    rows = ["at,process,cpu_seconds,rss_bytes"]
    for step in range(18):
        at = START + step * SECOND // 4
        share = {"consumer": min(0.9, cost / 1000), "load": 0.2, "bus": 0.05, "store": 0.1}
        rows += [f"{at},{name},{step / 4 * part},{60_000_000}" for name, part in share.items()]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def trials(maker: Maker, p: Benchmark, names: Sequence[str]) -> None:
    """All that a benchmark carries out."""
    for repeat in range(p.REPEATS):
        for name in (*names, names[-1] + CONTROL):
            maker.add(CAPACITY, name, repeat, "capacity")
        for name in names:
            maker.add(LATENCY, name, repeat, "latency")
        maker.add(LATENCY, names[-1], repeat, HEADLINE, p.HEADLINE_RATE / 50)
    for name in names if p.MEMRAY else ():
        maker.add(MEMORY, name, 0, "memory")


def made(root: Path, names: Sequence[str] = ALL, *, repeats: int = 2, memray: bool = True) -> Run:
    """A run as `Lab.close()` leaves it; change its trials and call `summed` for one that went otherwise."""
    p = Benchmark(
        CONFIGURATIONS=",".join(name.replace(",", ";") for name in names), REPEATS=repeats, MEMRAY=memray, DURATION=3.0
    )
    run = Run("20260101T000000Z-benchmark-0000", root).create()
    maker = Maker(run, p.SEED)
    trials(maker, p, names)
    stack = {
        "kind": "embedded",
        "label": "embedded stack: Valkey 9 and embedded store (not InfluxDB) 1.0",
        "reason": "",
    }
    run.data = record(
        notebook="benchmark",
        created="2026-01-01T00:00:00+00:00",
        parameters=asdict(p),
        configurations={name: parse(name).axes() for name in names},
        stack=stack
        | {"bus": "Valkey 9", "store": "embedded store (not InfluxDB) 1.0", "write_path": "/write"}
        | {"description": "Valkey 9 and embedded store (not InfluxDB) 1.0, points posted to /write"},
        machine={
            "cpu_model": "Some processor",
            "cpu_count_logical": 2,
            "memory_bytes": 8_000_000_000,
            "os": "Linux",
            "kernel": "6.1",
            "python": "CPython 3.11",
            "packages": {"redis": "6.4.0"},
            "git": {"commit": "0123456789abcdef", "dirty": True},
        },
        rates={"latency": 200.0, HEADLINE: p.HEADLINE_RATE},
    )
    return summed(run, maker.outcomes, names)


def summed(run: Run, outcomes: Sequence[Outcome], names: Sequence[str] = ALL) -> Run:
    """The run with these outcomes, summed up and saved."""
    p = Benchmark(**run.data.parameters)
    reliability_warnings = ["Only 2 cores: <they> share them."]
    run.data.trials, run.data.order = list(outcomes), names_of(outcomes)
    run.data.add(plain(summary.of_benchmark(p, outcomes, reliability_warnings, run.data.rates["latency"])))
    run.data = record(**run.data.to_dict())
    return run
