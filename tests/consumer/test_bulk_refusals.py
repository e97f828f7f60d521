"""A store that refuses message after message is at fault itself: all wait until it is mended; no dead letters."""

from __future__ import annotations

import json
import time
import uuid
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.servers import (
    Answer,
    Asked,
    ConsumerProcess,
    Lane,
    ScriptedStore,
    consume,
    consuming,
    durable_store,
    finish,
    wait_until,
)

from sentinel import store
from sentinel.consumer.account import Account
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.consumer.measuring.measurement import NoMeasurement
from sentinel.consumer.writing.delivery import PROBES, ROW, Delivery
from sentinel.errors import StoreRefusedError
from sentinel.lab.stack import native
from sentinel.runtime.stop import StopSignal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

NOW = time.time_ns()
COUNT = 300
"""Messages of a test."""


def message(number: int, **more: object) -> bytes:
    """A sound one, with a time and a series of its own."""
    sent = NOW + number
    record = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent}
    return json.dumps({**record, "host": f"h{number}"} | more).encode()


def write(lane: Lane, lines: bytes) -> None:
    """Lines into the lane's store, beside the pipeline."""
    connection = store.StoreClient(lane.store)
    connection.write(store.write_target(lane.store, store.identify(lane.store)), lines)
    connection.close()


def ask(lane: Lane, statement: str) -> None:
    """A statement to the lane's store."""
    connection = store.StoreClient(lane.store)
    connection.query(statement, method="POST")
    connection.close()


@pytest.fixture
def own(native_stack: Stack) -> Iterator[Lane]:
    """A lane into a database of its own on the real InfluxDB."""
    lane = Lane.on(native_stack.bus, replace(native_stack.store, bucket=f"own_{uuid.uuid4().hex}"))
    store.prepare(lane.store, store.identify(lane.store))
    yield lane
    ask(lane, f'DROP DATABASE "{lane.store.bucket}"')


@contextmanager
def holding_integers(lane: Lane) -> Iterator[Callable[[], None]]:
    """The store holds `cpu` as an integer; yields what mends it."""
    write(lane, b"system_stats cpu=1i")
    yield lambda: ask(lane, "DROP MEASUREMENT system_stats")


@contextmanager
def full_of_series(supervisor: Supervisor, lane: Lane, folder: Path) -> Iterator[tuple[Lane, Callable[[], None]]]:
    """A store with no room for another series; yields a lane into it, and what mends it."""
    program = native.influx_program(native.find("influxd") or folder)
    most = {"INFLUXDB_DATA_MAX_SERIES_PER_DATABASE": str(2 * COUNT)}
    server, settings = durable_store(supervisor, folder, replace(program, env={**(program.env or {}), **most}))
    into = Lane(lane.bus, settings, lane.run)
    write(into, b"\n".join(b"filler,number=%d f=1" % n for n in range(2 * COUNT)))
    yield into, lambda: ask(into, "DROP MEASUREMENT filler")
    server.end(15)


def assert_waited_for(
    lane: Lane, configuration: str, words: str, mend: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Only the few that came alone become dead letters, one line says why, and all is stored once it is mended."""
    lane.publish([message(n) for n in range(COUNT)])
    with consuming(lane, configuration) as (consumer, running):
        wait_until("the refusal is said", lambda: "all wait" in caplog.text)
        assert words in next(line for line in caplog.messages if "all wait" in line)
        wait_until("it tries again", lambda: consumer.ledger.retries >= 2)
        dead_lettered = consumer.ledger.rejected
        with lane.redis() as client:
            assert client.xpending(lane.bus.stream, lane.bus.group)["pending"] >= 1
        mend()
        ledger = finish(consumer, running).ledger
    assert ([], COUNT - dead_lettered, 0) == (ledger.problems(), ledger.written, ledger.pending)
    assert dead_lettered == ledger.rejected == len(lane.dead_letters()) < ROW
    if configuration != "baseline":
        assert dead_lettered == 0
    assert lane.stored() == ledger.written
    assert sum("all wait" in line for line in caplog.messages) == 1
    assert "answers again" in caplog.text


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_store_that_holds_integers_is_waited_for(
    own: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where every float conflicts in type, sound messages are kept on the stream until the store takes them."""
    with holding_integers(own) as mend:
        assert_waited_for(own, configuration, "field type conflict", mend, caplog)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_store_without_room_for_series_is_waited_for(
    supervisor: Supervisor, own: Lane, configuration: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where max-series-per-database is reached, new sources are kept on the stream until there is room."""
    with full_of_series(supervisor, own, tmp_path) as (lane, mend):
        assert_waited_for(lane, configuration, "max-series-per-database", mend, caplog)


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_store_that_refuses_all_is_neither_hammered_nor_fed(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, transport: str
) -> None:
    """A few requests find out that it is the store, a few more ask again, and a stop is quick: the rest is pending."""
    scripted.on_write = lambda asked: Answer(400, b'{"error":"no object store: %d"}' % len(asked.body))
    with consuming(scripted_lane, configuration, transport=transport) as (consumer, running):
        scripted_lane.publish([message(n) for n in range(COUNT)], transport)
        wait_until("it tries again", lambda: consumer.ledger.retries >= 3)
        asked = len(scripted.writes)
        assert asked < 5 * ROW
        time.sleep(0.5)
        assert len(scripted.writes) - asked <= 3 * PROBES
        consumer.stop.request(20.0)
        before = time.monotonic()
        running.result(10)
        ledger = consumer.close().ledger
        assert time.monotonic() - before < 5.0
    assert ([], 0) == (ledger.problems(), ledger.written)
    assert ledger.rejected == len(scripted_lane.dead_letters()) < ROW
    assert ledger.pending == ledger.received - ledger.rejected > 0


def test_a_stop_meanwhile_exits_1_and_says_what_is_left(
    supervisor: Supervisor, scripted_lane: Lane, scripted: ScriptedStore, tmp_path: Path
) -> None:
    """SIGTERM ends a consumer whose store refuses everything long before its deadline, and nothing was acknowledged."""
    scripted.on_write = lambda _: Answer(400, b"field type conflict")
    scripted_lane.publish([message(n) for n in range(COUNT)])
    process = ConsumerProcess(supervisor, scripted_lane, tmp_path)
    wait_until("it waits", lambda: "all wait" in process.log)
    process.child.signal(15)
    assert process.ends(10) == 1
    assert f"error: {COUNT} messages were read but not stored" in process.log
    assert (COUNT, 0) == (process.ledger.pending, process.ledger.rejected)
    with scripted_lane.redis() as client:
        assert client.xpending(scripted_lane.bus.stream, scripted_lane.bus.group)["pending"] == COUNT


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_points_too_old_for_the_store_are_rejected_however_many(own: Lane, configuration: str) -> None:
    """No waiting makes a point younger than the retention: all are dead letters, and those behind them are stored."""
    ask(own, f'CREATE RETENTION POLICY "day" ON "{own.store.bucket}" DURATION 1d REPLICATION 1 DEFAULT')
    old = NOW // 10**9 - 3 * 86_400
    own.publish([message(n, timestamp=old + n, send_time_unix_nano=0) for n in range(COUNT)])
    own.publish([message(n) for n in range(5)])
    ledger = consume(own, configuration).ledger
    assert ([], 5, {"store": COUNT}) == (ledger.problems(), ledger.written, ledger.reasons)
    assert all("retention policy" in detail for _, _, detail in own.dead_letters())


@pytest.mark.parametrize("configuration", ["client-batching", "optimised"])
def test_a_burst_of_bad_points_among_sound_ones_is_dead_lettered(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str
) -> None:
    """More refused in a row than `ROW` are still single bad points where the store takes others of the batch."""

    def judge(asked: Asked) -> Answer:
        return Answer(400, b"poison") if b"poison" in asked.body else Answer()

    scripted.on_write = judge
    bad = range(3 * ROW)
    payloads = [message(n, host="poison") if n in bad else message(n) for n in range(2000)]
    scripted_lane.publish(payloads)
    # The whole of it in one batch, however it is read.
    ledger = consume(scripted_lane, configuration, max_age=0.3, flush_interval=0.3).ledger
    assert ([], 2000 - len(bad), {"store": len(bad)}) == (ledger.problems(), ledger.written, ledger.reasons)
    assert len(scripted.lines()) == 2000 - len(bad)


@pytest.mark.parametrize("name", [f"x dropped={COUNT}", f'x dropped={COUNT}"}}'])
def test_a_name_that_speaks_like_the_store_condemns_nobody_else(own: Lane, name: str) -> None:
    """A field called as the end of the store's answer is one bad point; those beside it are stored."""
    escaped = name.replace(" ", "\\ ").replace("=", "\\=")
    write(own, f"system_stats {escaped}=1i".encode())
    own.publish([message(n, fields={name: 1.5}) if n == 7 else message(n) for n in range(COUNT)])
    ledger = consume(own).ledger
    assert ([], COUNT - 1, {"store": 1}) == (ledger.problems(), ledger.written, ledger.reasons)


def test_bulk_refusals_cost_few_requests_however_large_the_batch() -> None:
    """Of 5,000 points a store that refuses all is asked about the halves on the way to the first and a row of them."""
    asked: list[int] = []
    stop = StopSignal()

    def post(points: Sequence[int]) -> None:
        asked.append(len(points))
        stop.request(0.0)
        raise StoreRefusedError("never")

    with pytest.raises(Exception, match="never"):
        Delivery(post, stop, Account(NoMeasurement())).deliver(range(5000))
    assert len(asked) < 13 + 3 * ROW


def test_a_store_that_names_how_many_it_dropped_is_not_bisected() -> None:
    """Where it says that it dropped as many as it was given, each is refused with the one answer."""
    asked: list[int] = []

    def post(points: Sequence[int]) -> None:
        asked.append(len(points))
        words = f"partial write: points beyond retention policy dropped={len(points)}"
        raise StoreRefusedError(f'answered 400: {{"error":"{words}"}}')

    assert len(Delivery(post, StopSignal(), Account(NoMeasurement())).deliver(range(5000))) == 5000
    assert asked == [5000]
