"""A run with a contender, from its parameters to its record: verified once, before it is timed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator
from support.contending import contender

from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.run import run as runs
from sentinel.lab.run import schema
from sentinel.lab.run.trial_record import CAPACITY, HEADLINE, LATENCY, WARM_UP, Plan
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

PACED = LoadSettings(rate=200.0, duration=1.0 + WARM_UP, workers=4)


@pytest.mark.timeout(120)
def test_a_run_verifies_its_contender_and_keeps_what_it_found(tmp_path: Path) -> None:
    """Checks, wire and the fifth latency are in run.json, as its schema says; ours passes the tap as well."""
    item = contender(tmp_path / "mine")
    lab = BenchmarkLab.open(
        Benchmark(STACK="embedded", CONFIGURATIONS=f"optimised,mine@{item.folder}", MEMRAY=False), tmp_path
    )
    try:
        few = LoadSettings(count=500, workers=4)
        outcomes = lab.carry_out([
            Plan(0, CAPACITY, "mine", "mine", few),
            Plan(0, LATENCY, "mine", "mine", PACED, group=HEADLINE),
            Plan(0, LATENCY, "optimised", "optimised", PACED, group=HEADLINE),
        ])  # fmt: skip
    finally:
        lab.close()
    assert [[], [], []] == [outcome.problems for outcome in outcomes]
    data = runs.load(lab.run.id, tmp_path).data
    assert {"optimised", "mine"} == set(data.configurations)
    assert ["mine"] == list(data.contenders)
    assert data.contenders["mine"].verified
    assert all(check.kept for check in data.contenders["mine"].verified)
    assert [500, 400, 400] == [outcome.wire["points"] for outcome in data.trials]
    assert all(outcome.latencies["visible"]["n"] for outcome in data.trials[1:])
    written = json.loads((lab.run.folder / "run.json").read_text(encoding="utf-8"))
    known = Draft202012Validator(json.loads(schema.PATH.read_text(encoding="utf-8")))
    assert [] == [f"{error.json_path}: {error.message}" for error in known.iter_errors(written)]
