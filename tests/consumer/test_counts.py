"""What is counted is what happened: second runs, shared streams, refusals, tails that nothing follows, overwriting."""

from __future__ import annotations

import json
import signal
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.choices import open_receiver
from support.servers import Lane, consume, consuming, durable_bus, finish, loading, wait_until

from sentinel.consumer.measuring import overwrites
from sentinel.consumer.measuring.measurement import OVERWRITTEN
from sentinel.consumer.measuring.overwrites import Overwrites
from sentinel.consumer.measuring.sequences import NEAR
from sentinel.lab.stack import native
from sentinel.load.processes import run_load
from sentinel.settings import ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack


# The same sources again ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["json", "binary"])
@pytest.mark.parametrize("real", ["embedded", "native_stack"], indirect=True)
def test_a_second_load_of_the_same_sources_is_no_repetition(lane: Lane, codec: str) -> None:
    """Nothing of it is duplicated, lost or a jump; and the store has a series a source, not one a run."""
    for _ in range(2):
        run_load(LoadSettings(workers=4, codec=codec, count=400), lane.bus)
    ledger = consume(lane).ledger
    assert (800, 800, 0) == (ledger.received, ledger.written, ledger.lost)
    assert (0, 0, 0) == (ledger.duplicated, ledger.jumped, ledger.reordered)
    assert 800 == lane.stored()
    assert {"0", "1", "2", "3"} == {row["source"] for row in lane.rows()}


# A gap is a loss where it was lost -----------------------------------------------------------------------------------


def test_a_group_is_shared_once_another_consumer_reads_in_it(lane: Lane) -> None:
    """One that left before does not count, though Redis still lists it; one that reads meanwhile does."""
    lane.publish([b"%d" % n for n in range(3)])

    def reads(name: str) -> None:
        receiver = open_receiver("redis-py", lane.bus, ConsumerSettings(name=name))
        wait_until("it reads", lambda: receiver.read(0.1) or receiver.read(0.1))
        receiver.close()

    reads("before")
    time.sleep(0.05)
    receiver = open_receiver("socket-reads", lane.bus, ConsumerSettings(name="c1"))
    reads("c1")
    assert not receiver.shared()
    reads("beside")
    assert receiver.shared()
    receiver.close()


def test_gaps_are_no_losses_where_consumers_share_a_stream(embedded_lane: Lane) -> None:
    """Each of two sees a part of every source: neither says that anything is lost, or how much was skipped."""
    with (
        consuming(embedded_lane, health=0.1, host=embedded_lane.run, name="left", read_count=20) as left,
        consuming(embedded_lane, "baseline", health=0.1, host=embedded_lane.run, name="right") as right,
    ):
        run_load(LoadSettings(workers=4, rate=1000, duration=0.5), embedded_lane.bus)
        reports = [finish(*item) for item in (left, right)]
    assert 500 == sum(report.ledger.written for report in reports) == embedded_lane.stored()
    assert [(0, None), (0, None)] == [(report.ledger.lost, report.ledger.skipped) for report in reports]
    assert not any("skipped" in str(report) for report in reports)


def test_what_redis_refused_is_the_senders_loss(
    embedded: Stack, native_stack: Stack, supervisor: Supervisor, tmp_path: Path
) -> None:
    """A full Redis refuses messages in mid-load: unsent with the sender, skipped and not lost with the consumer."""
    server, bus = durable_bus(supervisor, tmp_path, native.find("redis-server") or tmp_path)
    lane = Lane.on(bus, embedded.store)
    with loading(lane, workers=4, rate=1000, duration=1.2) as load, lane.redis() as client:
        wait_until("some are sent", lambda: client.xlen(lane.bus.stream) > 100)
        client.config_set("maxmemory", 1)
        time.sleep(0.2)
        client.config_set("maxmemory", 0)
        sent = load.result(20).ledger
    ledger = consume(lane).ledger
    server.end(signal.SIGTERM)
    assert sent.failed == sent.unsent > 0
    assert (sent.sent, 0, sent.unsent) == (ledger.received, ledger.lost, ledger.skipped)


# Where nobody listens ------------------------------------------------------------------------------------------------


def test_what_nobody_hears_is_counted_by_the_sender(embedded_lane: Lane) -> None:
    """On Pub/Sub a tail that no message follows, and what was sent before a consumer began, is `unheard`."""
    load = LoadSettings(transport="pubsub", workers=4, count=200)
    before = run_load(load, embedded_lane.bus).ledger
    with consuming(embedded_lane, transport="pubsub") as (consumer, running):
        heard = run_load(load, embedded_lane.bus).ledger
        wait_until("all is received", lambda: consumer.ledger.received == 200)
        got = finish(consumer, running).ledger
    after = run_load(load, embedded_lane.bus).ledger
    assert [200, 0, 200] == [ledger.unheard for ledger in (before, heard, after)]
    assert [200, 200, 200] == [ledger.sent for ledger in (before, heard, after)]
    assert (200, 0) == (got.received, got.lost)


# Points that overwrite each other ------------------------------------------------------------------------------------


def readings(count: int, **more: object) -> list[bytes]:
    """Messages of one second, the original's least and what is given."""
    second = int(time.time())
    values = [{"timestamp": second, "cpu_usage": float(n), "mem_usage": 1.0} | more for n in range(count)]
    return [json.dumps(each).encode() for each in values]


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
@pytest.mark.parametrize("real", ["embedded", "native_stack"], indirect=True)
def test_points_of_one_series_and_time_are_counted_as_overwritten(
    lane: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All are written; as many as the store does not hold are overwritten, which is said once."""
    lane.publish(readings(100))
    lane.publish(readings(50, host="a") + readings(1, host="b"))
    report = consume(lane, configuration)
    ledger = report.ledger
    assert (151, 151, []) == (ledger.received, ledger.written, ledger.problems())
    assert ledger.written - ledger.overwritten == ledger.kept == lane.stored() <= 5  # the second may have passed
    assert f"overwritten={ledger.overwritten}" in str(report)
    assert 1 == caplog.messages.count(OVERWRITTEN)


def test_what_comes_again_is_duplicated_and_not_overwritten(embedded_lane: Lane) -> None:
    """The same source and number at the same time is the same message; another number is another point."""
    again = readings(1, source=1, seq=0)
    embedded_lane.publish([*again, *again, *readings(1, source=1, seq=1)])
    ledger = consume(embedded_lane).ledger
    assert (3, 1, 1, 1) == (ledger.written, ledger.duplicated, ledger.overwritten, embedded_lane.stored())


def overwritten(messages: list[tuple[int, int, int]], cuts: list[int]) -> int:
    """How many of (series, time, number) `Overwrites` counts, seen in batches cut as given."""
    actual = Overwrites()
    for start, end in pairwise([0, *sorted(cuts), len(messages)]):
        actual.see(*np.array(messages[start:end], dtype=np.int64).reshape(-1, 3).T)
    return actual.count


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 1, NEAR - 1, NEAR, 2**32]), st.integers(1, 6), st.integers(-1, 3)), max_size=40
    ),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_overwrites_are_what_a_store_would_not_hold(messages: list[tuple[int, int, int]], cuts: list[int]) -> None:
    """Different messages less places in the store, in any order and wherever batches end."""
    different = len({message for message in messages if message[2] >= 0}) + sum(n < 0 for _, _, n in messages)
    places = len({message[:2] for message in messages})
    assert different - places == overwritten(messages, [min(cut, len(messages)) for cut in cuts])


def test_overwrites_remember_a_bounded_number_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than the last so many is forgotten, and what is remembered does not grow."""
    monkeypatch.setattr(overwrites, "REMEMBERED", 100)
    monkeypatch.setattr(overwrites, "MOST_SERIES", 50)
    actual = Overwrites()
    for n in range(30):
        actual.see(np.arange(10) + NEAR * n, np.full(10, 5), np.full(10, n))
    assert actual.count == 0
    assert actual._remembered <= 110
    assert actual._slots.count <= 50
    actual.see(np.array([NEAR * 29, 0]), np.array([5, 5]), np.array([99, 99]))
    assert actual.count == 1  # the first of all is forgotten
