"""Runs of many days written by hand: records as a benchmark leaves them, with nothing measured."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from support.records import record

from sentinel.consumer.configurations import parse
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.run.run import Run
from sentinel.lab.run.run_data import FINISHED
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, Outcome, Plan, names_of
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = ("baseline", "optimised")
MACHINE: dict[str, Any] = {
    "cpu_model": "Some processor",
    "cpu_count_logical": 2,
    "memory_bytes": 8_000_000_000,
    "architecture": "x86_64",
    "os": "Linux",
    "kernel": "6.1",
    "python": "CPython 3.11.7",
    "packages": {"redis": "6.4.0"},
}
STACK = {
    "kind": "native",
    "label": "native stack: Redis 7.0 and InfluxDB 1.6",
    "bus": "Redis 7.0",
    "store": "InfluxDB 1.6",
}


def commit(number: int) -> str:
    """The commit of a run, a new one every second run."""
    return f"{number // 2 + 0xABC0000000:040x}"[::-1]


def trials(capacity: float, random: np.random.Generator, repeats: int = 4) -> list[Outcome]:
    """Capacity trials of both configurations, and headline trials of the last."""
    outcomes: list[Outcome] = []
    for repeat in range(repeats):
        for name in NAMES:
            rate = capacity / (100 if name == "baseline" else 1) * random.lognormal(0, 0.01)
            plan = Plan(len(outcomes), CAPACITY, name, name, LoadSettings(count=20_000), 5000, repeat, "capacity")
            outcomes.append(Outcome(plan, valid=True, throughput=rate, cpu_us=5e5 / rate, peak_rss_mb=60.0))
        load = LoadSettings(rate=25_000.0, duration=6.0)
        plan = Plan(len(outcomes), LATENCY, "optimised", "optimised", load, 5000, repeat, HEADLINE)
        p99 = 6.0 * random.lognormal(0, 0.05)
        latencies = {kind: {"n": 150_000, "p50": p99 / 2, "p99": p99, "max": 2 * p99} for kind in ("e2e", "stored")}
        outcomes.append(Outcome(plan, valid=True, throughput=25_000.0, cpu_us=4.0, latencies={**latencies}))
    return outcomes


def written(root: Path, number: int, capacity: float = 300_000.0, **sections: Any) -> Run:
    """The run of one day, on disk; sections of the record in place of its own."""
    day = f"{2026 + number // 336}{1 + number // 28 % 12:02}{1 + number % 28:02}"
    run = Run(f"{day}T120000Z-benchmark-{number:04x}", root).create()
    outcomes = trials(capacity, np.random.default_rng(number))
    given = {
        "notebook": "benchmark",
        "state": FINISHED,
        "created": f"{day[:4]}-{day[4:6]}-{day[6:]}T12:00:00+00:00",
        "parameters": asdict(Benchmark(CONFIGURATIONS=",".join(NAMES))),
        "configurations": {name: parse(name).axes() for name in NAMES},
        "compared": list(reversed(NAMES)),
        "machine": MACHINE | {"git": {"commit": commit(number), "dirty": False, "changed": []}},
        "stack": STACK,
        "rates": {"latency": 580.0, HEADLINE: 25_000.0},
        "trials": [outcome.to_dict() for outcome in outcomes],
        "order": names_of(outcomes),
    }
    run.data = record(**given | sections)
    run.save()
    return run


def many(root: Path, capacities: Sequence[float], **sections: Any) -> list[Run]:
    """A run a day, with these capacities of `optimised`."""
    return [written(root, number, capacity, **sections) for number, capacity in enumerate(capacities)]
