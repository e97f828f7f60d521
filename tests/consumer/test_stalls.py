"""What held a consumer up: the longest write and the longest collection of an interval, with when they began."""

from __future__ import annotations

import gc
import json
import time
from typing import TYPE_CHECKING

import pytest
from support.servers import QUICK, Answer

from sentinel.consumer.configurations import parse
from sentinel.consumer.consumer import Consumer
from sentinel.consumer.measuring.stalls import COLLECTED, WRITTEN, Stalls
from sentinel.load.processes import run_load
from sentinel.runtime.record import INTERVALS
from sentinel.settings import ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Asked, Lane, ScriptedStore


def test_of_an_interval_the_longest_counts() -> None:
    """Whatever the order; the next interval begins with nothing."""
    stalls, before = Stalls(), time.time_ns()
    for took in (5_000, 9_000, 7_000):
        stalls.note(WRITTEN, took)
    began, took = stalls.take()[WRITTEN]
    assert took == 9_000
    assert before - 9_000 <= began <= time.time_ns()
    assert {} == stalls.take()


def test_collections_are_noted_while_the_block_lasts() -> None:
    """A full collection is one; afterwards the collector calls nobody any more."""
    stalls, callbacks = Stalls(), list(gc.callbacks)
    with stalls.collections():
        gc.collect()
    began, took = stalls.take()[COLLECTED]
    assert 0 < took < time.time_ns() - began + 1_000_000
    assert callbacks == gc.callbacks
    gc.collect()
    assert {} == stalls.take()


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_slow_store_is_in_the_record(
    scripted: ScriptedStore, scripted_lane: Lane, tmp_path: Path, configuration: str
) -> None:
    """The longest write of an interval stands in its line, from the first attempt to the answer that took it."""

    def answer(_: Asked) -> Answer:
        time.sleep(0.05)
        return Answer(204 if scripted.writes else 503)

    scripted.on_write = answer
    run_load(LoadSettings(count=3), scripted_lane.bus)
    settings = ConsumerSettings(**{**QUICK, "run": scripted_lane.run, "name": "c1"})
    consumer = Consumer(parse(configuration), settings, scripted_lane.bus, scripted_lane.store, record=tmp_path)
    consumer.until_empty = True
    before = time.time_ns()
    consumer.run()
    assert 3 == consumer.close().ledger.written
    lines = [json.loads(line) for line in (tmp_path / INTERVALS).read_text().splitlines()]
    began, took = max((line[WRITTEN] for line in lines if WRITTEN in line), key=lambda write: write[1])
    assert took >= 100_000_000
    assert before <= began <= time.time_ns() - took
