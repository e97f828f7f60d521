"""What is counted is what happened: second runs, shared streams, refusals, tails that nothing follows, overwriting."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from servers import Lane, consume, consuming, durable_bus, finish, loading, wait_until

from sentinel.bus import open_receiver
from sentinel.lab.stack import native
from sentinel.loads import run_load
from sentinel.settings import ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.stack import Stack
    from sentinel.lab.warden import Warden


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
        reports = [finish(*one) for one in (left, right)]
    assert 500 == sum(report.ledger.written for report in reports) == embedded_lane.stored()
    assert [(0, None), (0, None)] == [(report.ledger.lost, report.ledger.skipped) for report in reports]
    assert not any("skipped" in str(report) for report in reports)


def test_what_redis_refused_is_the_senders_loss(
    embedded: Stack, native_stack: Stack, keeper: Warden, tmp_path: Path
) -> None:
    """A full Redis refuses messages in mid-load: unsent with the sender, skipped and not lost with the consumer."""
    server, bus = durable_bus(keeper, tmp_path, native.find("redis-server") or tmp_path)
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
