"""Faults in mid-stream: ends, kills, absent servers, lost connections. Nothing is lost, or the loss is counted."""

from __future__ import annotations

import signal
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest
import redis
from support.choices import open_receiver
from support.servers import (
    QUICK,
    Answer,
    ConsumerProcess,
    Lane,
    ScriptedStore,
    SteppedClock,
    consume,
    consuming,
    durable_bus,
    durable_store,
    embedded_store_program,
    finish,
    loading,
    wait_until,
)

from sentinel.bus import unread
from sentinel.bus.receiving import upkeep
from sentinel.consumer import consumer as consumer_module
from sentinel.consumer.configurations import CONFIGURATIONS, parse
from sentinel.consumer.consumer import Consumer
from sentinel.errors import BusError
from sentinel.lab.stack import embedded as embedded_stack
from sentinel.lab.stack import native
from sentinel.load.processes import run_load
from sentinel.runtime.stop import StopSignal
from sentinel.settings import ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

RATE = 1500.0


class Workshop(NamedTuple):
    """What a test needs to start programs of its own."""

    supervisor: Supervisor
    folder: Path
    request: pytest.FixtureRequest

    def consumer(self, lane: Lane, *options: str, **named: str) -> ConsumerProcess:
        """A consumer in a process of its own."""
        return ConsumerProcess(self.supervisor, lane, self.folder / uuid.uuid4().hex, *options, **named)

    def need_native(self) -> None:
        """Skip, or fail, without real servers."""
        self.request.getfixturevalue("native_stack")


@pytest.fixture
def workshop(supervisor: Supervisor, tmp_path: Path, request: pytest.FixtureRequest) -> Workshop:
    """For programs of a test's own."""
    return Workshop(supervisor, tmp_path, request)


def assert_stored_exactly(lane: Lane, sent: int) -> None:
    """The store holds every message once."""
    wait_until(f"the store holds {sent} points", lambda: lane.stored() >= sent, 5)
    assert sent == lane.stored()


# The consumer ends ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_sigterm_in_mid_stream_loses_nothing(embedded_lane: Lane, configuration: str, workshop: Workshop) -> None:
    """A consumer that is told to stop stores what it has read and exits 0; its successor stores the rest."""
    process = workshop.consumer(embedded_lane, configuration=configuration, batch_size="100")
    with loading(embedded_lane, rate=RATE, duration=1.5) as load:
        wait_until("some points are stored", lambda: embedded_lane.stored() > 200)
        process.child.signal(signal.SIGTERM)
        assert process.ends() == 0, process.log
        sent = load.result(20).ledger
    first = process.ledger
    assert ([], 0, 0) == (first.problems(), first.pending, first.unacknowledged)
    assert "consumer received=" in process.log
    second = consume(embedded_lane, name="c2").ledger
    assert ([], 0) == (second.problems(), second.taken_over)
    assert second.written > 0
    assert (sent.scheduled, sent.sent) == (sent.sent, first.written + second.written)
    assert_stored_exactly(embedded_lane, sent.sent)


def test_a_clock_set_back_holds_no_batch_up(embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that waits for its age is written when that has passed, whatever the wall clock says."""
    clock = SteppedClock()
    monkeypatch.setattr(consumer_module, "time", clock)
    with consuming(embedded_lane, max_age=0.5) as (consumer, running):
        embedded_lane.publish([b'{"timestamp":1795914000,"cpu_usage":1.5,"mem_usage":2}'])
        wait_until("a batch waits", lambda: consumer.ledger.received)
        clock.seconds = -3600.0
        wait_until("it is written", lambda: consumer.ledger.written, 10)
        assert 1 == finish(consumer, running).ledger.written


def test_sigterm_on_pubsub_stores_all_that_was_received(embedded_lane: Lane, workshop: Workshop) -> None:
    """Pub/Sub keeps nothing for a successor, but what had been received is stored."""
    process = workshop.consumer(embedded_lane, transport="pubsub", max_age="300ms")
    with loading(embedded_lane, transport="pubsub", rate=RATE, duration=1.0):
        wait_until("some points are stored", lambda: embedded_lane.stored() > 200)
        process.child.signal(signal.SIGTERM)
        assert process.ends() == 0, process.log
    ledger = process.ledger
    assert ([], 0, 0) == (ledger.problems(), ledger.pending, ledger.lost)
    assert_stored_exactly(embedded_lane, ledger.received)


@pytest.mark.parametrize(
    ("real", "configuration"),
    [("embedded", "client-batching"), ("embedded", "optimised"), ("native_stack", "optimised")],
    indirect=["real"],
)
def test_kill_9_loses_nothing_after_a_restart(lane: Lane, configuration: str, workshop: Workshop) -> None:
    """A restarted consumer of the same name first takes what its killed self had read; nothing is stored twice."""
    # A batch of this age is in the making whenever the kill comes.
    process = workshop.consumer(lane, configuration=configuration, max_age="400ms")
    with loading(lane, rate=RATE, duration=1.5) as load:
        wait_until("some points are stored", lambda: lane.stored() > 200)
        time.sleep(0.1)  # into the next batch
        process.child.signal(signal.SIGKILL)
        assert process.ends() == -signal.SIGKILL
        again = workshop.consumer(lane, "--until-empty", configuration=configuration)
        sent = load.result(20).ledger
        assert again.ends() == 0, again.log
    ledger = again.ledger
    assert ([], 0, 0) == (ledger.problems(), ledger.pending, ledger.trimmed_unread)
    assert ledger.taken_over > 0
    assert sent.scheduled == sent.sent
    assert_stored_exactly(lane, sent.sent)


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_dead_consumers_entries_are_taken_over(
    lane: Lane, configuration: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a consumer of another name read and never acknowledged is claimed, once it has been idle, and stored."""
    monkeypatch.setattr(upkeep, "CLAIM_EVERY", 1)
    run_load(LoadSettings(count=1000), lane.bus)
    dead = open_receiver("socket-reads", lane.bus, ConsumerSettings(name="dead", read_count=300))
    assert dead.read(0.1) is None  # its own from before: none
    read = dead.read(1.0)
    assert read is not None
    dead.close()
    with consuming(lane, configuration, name="heir", claim_idle=0.1) as (consumer, running):
        wait_until("all is stored", lambda: lane.stored() == 1000, 15)
        ledger = finish(consumer, running).ledger
    assert (300, [], 1000) == (len(read.payloads), ledger.problems(), ledger.written - ledger.duplicated)
    assert ledger.taken_over >= 300
    assert_stored_exactly(lane, 1000)
    with lane.redis() as client:
        assert client.xpending(lane.bus.stream, lane.bus.group)["pending"] == 0


# The store is away ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("store", "configuration"),
    [("embedded", "optimised"), ("embedded", "client-batching"), ("influxd", "baseline")],
)
def test_a_store_that_was_away_loses_nothing(
    store: str, configuration: str, embedded: Stack, workshop: Workshop
) -> None:
    """While the store is away the consumer tries again and the stream keeps the rest; afterwards all is stored."""
    if store == "influxd":
        workshop.need_native()
        program = native.influx_program(native.find("influxd") or workshop.folder)
    else:
        program = embedded_store_program()
    server, settings = durable_store(workshop.supervisor, workshop.folder, program)
    lane = Lane.on(embedded.bus, settings)
    process = workshop.consumer(lane, configuration=configuration)
    rate = RATE if configuration != "baseline" else 300.0
    with loading(lane, rate=rate, duration=2.0) as load:
        wait_until("some points are stored", lambda: lane.stored() > 100)
        server.end(signal.SIGTERM)
        time.sleep(3.0)  # how long it is away
        server.start()
        sent = load.result(20).ledger
    process.child.signal(signal.SIGUSR1)
    assert process.ends(25) == 0, process.log
    ledger = process.ledger
    assert ([], 0, 0) == (ledger.problems(), ledger.pending, ledger.rejected)
    assert ledger.retries > 0
    assert sent.scheduled == sent.sent == ledger.written - ledger.duplicated
    assert_stored_exactly(lane, sent.sent)
    server.end(signal.SIGTERM)


@pytest.mark.parametrize("way", ["deadline", "second signal"])
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_stop_without_a_store_says_what_was_left(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, way: str, workshop: Workshop
) -> None:
    """With the store down, the deadline or a second signal ends the consumer: exit 1 and how many messages are left."""
    scripted.on_write = lambda _: Answer(503, b"down")
    deadline = "1s" if way == "deadline" else "60s"
    process = workshop.consumer(scripted_lane, configuration=configuration, deadline=deadline)
    run_load(LoadSettings(count=200), scripted_lane.bus)
    wait_until("a write was refused", lambda: scripted.writes)
    process.child.signal(signal.SIGTERM)
    if way == "second signal":
        time.sleep(0.3)  # two signals at once are one
        assert process.child.poll() is None
        process.child.signal(signal.SIGTERM)
    asked = time.monotonic()
    assert process.ends(10) == 1, process.log
    assert time.monotonic() - asked < 4
    ledger = process.ledger
    assert ([], 0) == (ledger.problems(), ledger.written)
    assert ledger.pending > 0
    assert process.log.splitlines()[-1].partition(": ")[2] == (
        f"{ledger.pending} messages were read but not stored before the deadline:"
        " they stay on the stream and will be read again"
    )
    scripted.on_write = lambda _: Answer()
    consume(scripted_lane)
    assert len(scripted.lines()) == 200


def test_a_second_consumer_starts_only_with_a_store(embedded_lane: Lane, workshop: Workshop) -> None:
    """A consumer whose store is down at the start says so and exits, before it reads anything."""
    nowhere = replace(embedded_lane, store=replace(embedded_lane.store, url="http://127.0.0.1:1"))
    run_load(LoadSettings(count=10), embedded_lane.bus)
    process = workshop.consumer(nowhere)
    assert process.ends() == 1
    assert process.log.splitlines() == [
        "error: the store at http://127.0.0.1:1 did not answer: [Errno 111] Connection refused"
        " (is it running, and does INFLUX_URL name it?)"
    ]
    assert unread(embedded_lane.bus) == 10


# Redis is away -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("server", "configuration", "how"),
    [
        ("valkey", "optimised", signal.SIGTERM),
        ("redis", "baseline", signal.SIGTERM),
        ("redis", "optimised", signal.SIGKILL),
    ],
)
def test_a_redis_that_was_away_loses_nothing(
    server: str,
    configuration: str,
    how: signal.Signals,
    embedded: Stack,
    workshop: Workshop,
) -> None:
    """Generator and consumer outlive a restart of a Redis that keeps its log; what was not answered is sent again."""
    if server == "redis":
        workshop.need_native()
    program = embedded_stack.valkey() if server == "valkey" else native.find("redis-server") or workshop.folder
    redis_server, settings = durable_bus(workshop.supervisor, workshop.folder, program)
    lane = Lane.on(settings, embedded.store)
    process = workshop.consumer(lane, configuration=configuration)
    rate = RATE if configuration != "baseline" else 300.0
    # However long a busy machine takes to start Redis again, the load waits for it.
    with loading(lane, rate=rate, duration=2.0, grace=25.0) as load:
        wait_until("some points are stored", lambda: lane.stored() > 100)
        redis_server.end(how)
        time.sleep(0.5)  # how long it is away
        redis_server.start()
        sent = load.result(30).ledger
    process.child.signal(signal.SIGUSR1)
    assert process.ends(25) == 0, process.log
    ledger = process.ledger
    assert ([], 0, 0) == (ledger.problems(), ledger.pending, ledger.lost)
    assert ledger.reconnects > 0 or configuration == "baseline"  # redis-py connects again by itself
    assert (rate * 2, 0) == (sent.sent, sent.unsent)
    assert_stored_exactly(lane, sent.sent)
    redis_server.end(signal.SIGTERM)


@pytest.mark.parametrize("server", ["valkey", "redis"])
def test_a_redis_that_is_long_reading_its_log_loses_nothing(server: str, embedded: Stack, workshop: Workshop) -> None:
    """While it loads, Redis refuses what it is sent: that is sent again, not given up."""
    if server == "redis":
        workshop.need_native()
    program = embedded_stack.valkey() if server == "valkey" else native.find("redis-server") or workshop.folder
    slowly = ("--key-load-delay", "50")  # µs; meanwhile it answers, with a refusal, each 1,024 commands of the log
    redis_server, settings = durable_bus(workshop.supervisor, workshop.folder, program, slowly)
    lane = Lane.on(settings, embedded.store)
    with redis.Redis.from_url(settings.url) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(20 * 1024):
            pipeline.set("old", number)
        pipeline.execute()
    process = workshop.consumer(lane)
    # However slowly a busy machine lets Redis read its log, the load waits for it.
    with loading(lane, rate=RATE, duration=3.0, grace=25.0) as load:
        wait_until("some points are stored", lambda: lane.stored() > 100)
        redis_server.end(signal.SIGKILL)
        redis_server.start()
        with redis.Redis.from_url(settings.url, retry=None) as client:
            assert client.info("persistence")["loading"]
        sent = load.result(30).ledger
    process.child.signal(signal.SIGUSR1)
    assert process.ends(25) == 0, process.log
    assert (RATE * 3, 0) == (sent.sent, sent.unsent)
    assert ([], 0, 0) == (process.ledger.problems(), process.ledger.pending, process.ledger.lost)
    assert_stored_exactly(lane, sent.sent)
    redis_server.end(signal.SIGTERM)


def test_a_bus_that_was_away_for_long_is_not_taken_for_empty(
    embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A consumer that is to end when the bus is empty looks again once it has it back, however long that took."""
    run_load(LoadSettings(count=100), embedded_lane.bus)
    consumer = Consumer(parse("optimised"), ConsumerSettings(idle=0.2), embedded_lane.bus, embedded_lane.store)
    consumer.until_empty = True
    receiver = consumer._receiver
    read, reconnect = receiver.read, receiver.reconnect

    def broken(_: float) -> None:
        monkeypatch.setattr(receiver, "read", read)
        raise BusError("away")

    monkeypatch.setattr(receiver, "read", broken)
    monkeypatch.setattr(receiver, "reconnect", lambda: (time.sleep(0.5), reconnect()))
    consumer.run()
    ledger = consumer.close().ledger
    assert (100, 1) == (ledger.written, ledger.reconnects)


def test_a_deleted_stream_is_begun_anew(lane: Lane) -> None:
    """A stream that somebody deletes under the consumer is read again from its new first entry."""
    with consuming(lane) as (consumer, running):
        run_load(LoadSettings(count=100), lane.bus)
        wait_until("the first are stored", lambda: lane.stored() == 100)
        with lane.redis() as client:
            client.delete(lane.bus.stream)
        run_load(LoadSettings(count=100, first_source=100), lane.bus)
        wait_until("the second are stored", lambda: lane.stored() == 200)
        assert finish(consumer, running).ledger.written == 200


# Loss is counted -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "configuration"), [("embedded", "optimised"), ("native_stack", "baseline")], indirect=["real"]
)
def test_pubsub_loss_is_counted_by_sequence_gaps(lane: Lane, configuration: str, workshop: Workshop) -> None:
    """A subscriber whose connection breaks comes back, and what was published meanwhile is `lost`, to the message.

    The load goes on until every source was heard again: what follows a gap shows it. What reached nobody, the sender
    knows by itself.
    """
    process = workshop.consumer(lane, transport="pubsub", configuration=configuration)
    stop = StopSignal()
    with loading(lane, stop, transport="pubsub", workers=4, rate=250.0, duration=60.0) as load:
        wait_until("some points are stored", lambda: lane.stored() > 50)
        process.child.signal(signal.SIGSTOP)
        with lane.redis() as client:
            assert client.execute_command("CLIENT", "KILL", "TYPE", "pubsub") >= 1
            time.sleep(0.3)  # what is published now reaches nobody
            process.child.signal(signal.SIGCONT)
            wait_until("it is back", lambda: client.pubsub_numsub(lane.bus.channel)[0][1] == 1, 30)
        before = lane.stored()
        wait_until("every source is heard", lambda: lane.stored() > before + 50, 30)
        stop.request(5.0)
        sent = load.result(20).ledger
    process.child.signal(signal.SIGUSR1)
    assert process.ends() == 0, process.log
    ledger = process.ledger
    assert ledger.lost >= sent.unheard > 30
    assert sent.sent == ledger.received + ledger.lost
    assert ([], ledger.received) == (ledger.problems(), ledger.written)
    assert_stored_exactly(lane, ledger.received)


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_entries_trimmed_unread_are_counted(lane: Lane, configuration: str) -> None:
    """Somebody's XTRIM that takes entries before they were read is a counted loss, on the bus and by sequence gaps."""
    settings = ConsumerSettings(run=lane.run, **QUICK)
    consumer = Consumer(parse(configuration), settings, lane.bus, lane.store)
    try:
        lane.publish(_numbered(0, 100))
        consumer.run(until=100)
        lane.publish(_numbered(100, 1000))
        with lane.redis() as client:
            client.xtrim(lane.bus.stream, maxlen=200, approximate=False)
        wait_until("the loss is found", lambda: consumer.ledger.trimmed_unread > 0, 5)
        consumer.until_empty = True
        consumer.run()
    finally:
        ledger = consumer.close().ledger
    assert (300, 300) == (ledger.received, ledger.written)
    assert (700, 700) == (ledger.trimmed_unread, ledger.lost)
    assert_stored_exactly(lane, 300)


def _numbered(start: int, end: int) -> list[bytes]:
    now = time.time_ns()
    text = '{"timestamp":%d,"cpu_usage":1.0,"mem_usage":2.0,"send_time_unix_nano":%d,"source":0,"seq":%d}'
    return [(text % (now // 10**9, now + n, n)).encode() for n in range(start, end)]
