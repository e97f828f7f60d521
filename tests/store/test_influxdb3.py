"""InfluxDB 3, as a stand-in has it (see `influxdb3`): the server itself was not run."""

from __future__ import annotations

import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.commandline import Result, assert_one_line
from support.influxdb3 import InfluxDB3, bad_host
from support.servers import Answer, ConsumerProcess, Lane, consume, consuming, finish, wait_until

from sentinel import bus, store
from sentinel.consumer.account import Account
from sentinel.consumer.batching import Batch, Block
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.consumer.measuring.measurement import NoMeasurement
from sentinel.consumer.writing.inflight import _Turns
from sentinel.consumer.writing.writers import Outlet
from sentinel.errors import SettingsError, StoreAccessError, StoreError, StoreRefusedError
from sentinel.lab.stack.stack import stack_behind
from sentinel.load.processes import run_load
from sentinel.settings import ConsumerSettings, LoadSettings, StoreSettings
from sentinel.store import Server, StoreClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

SERVER = Server("InfluxDB", "3.10.0", "3")
TARGET = "/api/v3/write_lp?db=lab&precision=nanosecond&accept_partial=false"


@pytest.fixture
def three() -> Iterator[InfluxDB3]:
    """The stand-in."""
    server = InfluxDB3()
    yield server
    server.close()


@pytest.fixture
def lane(three: InfluxDB3, embedded: Stack) -> Iterator[Lane]:
    """From a real bus into it."""
    own = three.lane(embedded.bus)
    yield own
    bus.remove(own.bus)


def kept(lane: Lane, durability: str) -> Lane:
    """The lane with a chosen durability."""
    return replace(lane, store=replace(lane.store, durability=durability))


def messages(count: int, *, bad: set[int] = frozenset()) -> list[bytes]:  # type: ignore[assignment]
    """Of one source, a nanosecond apart; those of the bad numbers are refused by the stand-in."""
    return [
        b'{"timestamp":1795914000,"cpu_usage":1.5,"mem_usage":2,"send_time_unix_nano":%d,"source":1,"seq":%d,"host":"%b"}'
        % (1795914000000000000 + n, n, b"bad" if n in bad else b"h")
        for n in range(count)
    ]


# Who it is, and how it is written to ---------------------------------------------------------------------------------


def test_it_is_known_once_it_has_its_token(three: InfluxDB3) -> None:
    """/ping wants the token: without one, or with another, the error says so, and not that nobody knows the store."""
    assert store.identify(three.settings) == SERVER
    with pytest.raises(StoreAccessError, match=r"wants a token .* \(/ping: 401\): give it in INFLUX_TOKEN"):
        store.identify(replace(three.settings, token=""))
    with pytest.raises(StoreAccessError, match="the INFLUX_TOKEN given is not one of its") as caught:
        store.identify(replace(three.settings, token="another"))
    assert "another" not in str(caught.value)


def test_a_write_says_how_durable_it_is_to_be() -> None:
    """Whole bodies and nanoseconds always; `no_sync` only where it was chosen."""
    settings = StoreSettings(bucket="lab")
    assert store.write_target(settings, SERVER) == TARGET
    assert store.write_target(replace(settings, durability="durable"), SERVER) == TARGET
    assert store.write_target(replace(settings, durability="no_sync"), SERVER) == f"{TARGET}&no_sync=true"


def test_a_store_without_the_choice_refuses_it() -> None:
    """Neither choice is promised for a store that has none, and no third one is accepted."""
    for choice in ("durable", "no_sync"):
        with pytest.raises(SettingsError, match=f"INFLUX_DURABILITY='{choice}' is a choice of InfluxDB 3, and .* 2.7"):
            store.write_target(StoreSettings(durability=choice), Server("InfluxDB", "2.7", "2"))
    with pytest.raises(SettingsError, match="INFLUX_DURABILITY='fsync': expected durable or no_sync"):
        StoreSettings.from_env({"INFLUX_DURABILITY": "fsync"})


def test_the_command_line_refuses_it_in_one_line(embedded_lane: Lane, sentinel: Callable[..., Result]) -> None:
    """Before anything is read."""
    urls = {"REDIS_URL": embedded_lane.bus.url, "INFLUX_URL": embedded_lane.store.url}
    result = sentinel("consume", "--until-empty", **urls, INFLUX_DURABILITY="no_sync")
    assert_one_line(result, "INFLUX_DURABILITY='no_sync' is a choice of InfluxDB 3", "leave it unset")


@pytest.mark.parametrize(
    ("durability", "expected_text"),
    [
        ("", "acknowledged once they are in its write-ahead log (durable)"),
        ("no_sync", "acknowledged before they are in its write-ahead log, so that a crash loses some (no_sync)"),
    ],
)
def test_the_label_says_what_an_acknowledgement_is_worth(lane: Lane, durability: str, expected_text: str) -> None:
    """And that influxdb-client's points go another way."""
    stack = stack_behind("external", lane.bus, kept(lane, durability).store)
    assert (
        f"points posted to /api/v3/write_lp, {expected_text}; those of influxdb-client to /api/v2/write," in stack.label
    )


# Durable, and several at once ----------------------------------------------------------------------------------------


def test_durable_writes_wait_side_by_side(lane: Lane, three: InfluxDB3) -> None:
    """Batches share a flush; all is stored, and settled in the order of the sequence numbers."""
    run_load(LoadSettings(count=2000, workers=4), lane.bus)
    ledger = consume(lane, batch_size=100).ledger
    assert ([], 2000) == (ledger.problems(), ledger.written)
    assert (0, 0, 0) == (ledger.lost, ledger.reordered, ledger.duplicated)
    assert len(three.points) == 2000
    assert three.most_waiting > 4
    assert 0 == three.waiting
    assert ledger.requests == len(three.asked)


def test_without_sync_one_at_a_time_is_enough(lane: Lane, three: InfluxDB3) -> None:
    """Nothing waits for a flush."""
    run_load(LoadSettings(count=500), lane.bus)
    assert 500 == consume(kept(lane, "no_sync"), batch_size=100).ledger.written
    assert {"true"} == {asked.query.get("no_sync") for asked in three.asked}
    assert (500, 0) == (len(three.points), three.most_waiting)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_every_configuration_stores_there(lane: Lane, three: InfluxDB3, configuration: str) -> None:
    """influxdb-client by the path that it knows, the others by the server's own."""
    run_load(LoadSettings(count=5, workers=1), lane.bus)
    assert 5 == consume(lane, configuration).ledger.written
    assert {"/api/v3/write_lp" if configuration == "optimised" else "/api/v2/write"} == {a.path for a in three.asked}
    assert 5 == lane.stored()


def test_a_light_load_does_not_take_all_connections(lane: Lane, three: InfluxDB3) -> None:
    """Requests under a light load keep their distance, so that a flush leaves connections for full batches."""
    three.flushing = False
    with consuming(lane) as (consumer, running):
        run_load(LoadSettings(rate=1000.0, duration=0.5), lane.bus)
        wait_until("all is on its way", lambda: sum(len(a.body.split(b"\n")) for a in three.asked) == 500)
        assert 1 < three.waiting <= 15
        three.flushing = True
        assert 500 == finish(consumer, running).ledger.written


def test_what_is_done_first_waits_for_its_turn() -> None:
    """Batches are settled in the order in which they were put; at the end what is done is settled without the rest."""
    settled: list[bytes] = []
    outlet = Outlet(
        StoreSettings(),
        SERVER,
        ConsumerSettings(),
        Account(NoMeasurement()),
        stop=None,  # type: ignore[arg-type]
        settle=lambda batch, _refused, _at: settled.extend(batch.ids),
    )
    turns = _Turns(outlet)

    def done(number: int) -> None:
        batch = Batch([Block(1, [b"%d" % number], b"", 0)], 1)
        turns.done(number, (batch, [], 0))

    for number, expected in ((1, []), (0, [b"0", b"1"]), (4, [b"0", b"1"]), (3, [b"0", b"1"])):
        done(number)
        assert expected == settled
    turns.rest()
    assert [b"0", b"1", b"3", b"4"] == settled


def test_a_log_that_is_never_flushed_does_not_outlast_the_stop(
    lane: Lane, three: InfluxDB3, supervisor: Supervisor, tmp_path: Path
) -> None:
    """However many requests wait: the deadline ends them all, and what was not acknowledged stays on the stream."""
    three.flushing = False
    process = ConsumerProcess(supervisor, lane, tmp_path, deadline="500ms", batch_size="50")
    run_load(LoadSettings(count=500), lane.bus)
    wait_until("requests wait", lambda: three.waiting >= 10)
    process.child.signal(signal.SIGTERM)
    assert process.ends(8) == 1
    assert (500, 0) == (process.ledger.pending, process.ledger.written)
    three.flushing = True
    assert 500 == consume(lane).ledger.written
    assert len(three.points) == 500


def test_health_is_reported_though_a_flush_takes_longer(lane: Lane, three: InfluxDB3) -> None:
    """Reports on itself do not wait for the log: they are worth little, and have a second."""
    three.flushing = False
    with consuming(lane, health=0.1) as (consumer, _):
        wait_until("a report came", lambda: any(b"sentinel_consumer" in a.body for a in three.asked))
        assert 0 == three.waiting
        consumer.stop.request(1.0)
        three.flushing = True


# What it refuses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("misnumbers", "durability"), [(0, ""), (0, "no_sync"), (1, "no_sync"), (-1, "no_sync")])
def test_a_bad_line_costs_no_sound_one(lane: Lane, three: InfluxDB3, misnumbers: int, durability: str) -> None:
    """The line that the store names is a dead letter, the rest is stored; a wrong number dead-letters nothing else."""
    three.misnumbers = misnumbers
    bad = {17, 400}
    lane.publish(messages(500, bad=bad))
    ledger = consume(kept(lane, durability)).ledger
    assert ([], 498, {"store": 2}) == (ledger.problems(), ledger.written, ledger.reasons)
    assert len(three.points) == 498
    letters = lane.dead_letters()
    assert bad == {int(payload.rsplit(b" ", 1)[1]) - 1795914000000000000 for payload, _, _ in letters}
    assert all("line protocol parsing error: invalid column type" in detail for _, _, detail in letters)
    assert not any("host=bad" in detail for _, _, detail in letters)


def test_a_named_line_costs_one_flush(lane: Lane, three: InfluxDB3) -> None:
    """Bisecting 500 lines would wait for nine; a refusal waits for none."""
    lane.publish(messages(500, bad={250}))
    consume(lane, batch_size=500)
    whole = [asked for asked in three.asked if asked.body.count(b"\n") > 400]
    assert (2, 3) == (len(whole), len(three.asked))


def test_many_bad_lines_are_found_too(lane: Lane, three: InfluxDB3) -> None:
    """More than the store is asked to name one by one."""
    bad = set(range(0, 300, 5))
    lane.publish(messages(300, bad=bad))
    ledger = consume(kept(lane, "no_sync"), batch_size=300).ledger
    assert (300 - len(bad), len(bad)) == (ledger.written, ledger.rejected)
    assert len(three.points) == 300 - len(bad)


def test_a_body_that_is_too_large_is_halved(lane: Lane, three: InfluxDB3, monkeypatch: pytest.MonkeyPatch) -> None:
    """413 is about the body and not about a line: all is stored, in pieces."""
    monkeypatch.setattr("support.influxdb3.LARGEST", 20_000)
    lane.publish(messages(500))
    assert 500 == consume(kept(lane, "no_sync"), batch_size=500).ledger.written
    assert len(three.points) == 500


NO_LINE = [
    Answer(400, b"write buffer error: object store error: no space left on device"),
    Answer(400, b'{"error":"database was deleted"}'),
    Answer(401),
    Answer(403),
    Answer(404, b"database not found"),
    Answer(429, headers={"Retry-After": "0"}),
    Answer(500, b"object store error"),
    Answer(503),
]


@pytest.mark.parametrize("broken", NO_LINE, ids=lambda answer: f"{answer.status} {answer.body[:20]!r}")
def test_what_may_pass_becomes_no_dead_letter(lane: Lane, three: InfluxDB3, broken: Answer) -> None:
    """A store that is full, forbidden or overloaded refuses every body: no message becomes a dead letter for it."""
    with consuming(lane) as (consumer, running):
        three.broken = broken
        lane.publish(messages(50))
        wait_until("it was tried again", lambda: len(three.asked) >= 3)
        three.broken = None
        ledger = finish(consumer, running).ledger
    assert ([], 50, 0) == (ledger.problems(), ledger.written, ledger.rejected)
    assert len(three.points) == 50


def test_the_clients_path_makes_no_dead_letters_either(lane: Lane, three: InfluxDB3) -> None:
    """There a full object store is a 400 like a bad line: the words tell them apart."""
    with consuming(lane, "baseline") as (consumer, running):
        words = b'{"code":"invalid","message":"write buffer error: wal error: object store error: no space left"}'
        three.broken = Answer(400, words)
        lane.publish(messages(3, bad={1}))
        wait_until("it was tried again", lambda: len(three.asked) >= 3)
        three.broken = None
        ledger = finish(consumer, running).ledger
    assert ([], 2, 1) == (ledger.problems(), ledger.written, ledger.rejected)


STATUSES = [
    (
        Answer(400, b'{"error":"e","data":{"line_number":3,"error_message":"m"}}'),
        StoreRefusedError,
        "answered 400: e: m",
    ),
    (Answer(400, b'{"error":"e","data":[{"line_number":3}]}'), StoreError, r"\(it blames no line\)"),
    (Answer(400, b"\xff"), StoreError, r"\(it blames no line\)"),
    (Answer(401), StoreAccessError, "does INFLUX_TOKEN allow writing"),
    (Answer(403), StoreAccessError, "does INFLUX_TOKEN allow writing"),
    (Answer(404), StoreAccessError, "does bucket 'lab' exist"),
    (Answer(413), StoreRefusedError, "answered 413"),
    (Answer(422, b'{"error":"Update to schema would exceed number of columns"}'), StoreRefusedError, "exceed number"),
    (Answer(429), StoreError, "answered 429"),
    (Answer(500), StoreError, "answered 500"),
    (Answer(503), StoreError, "answered 503"),
]


@pytest.mark.parametrize(("answer", "kind", "text"), STATUSES)
def test_its_answers_become_the_errors_that_they_stand_for(
    three: InfluxDB3, answer: Answer, kind: type[StoreError], text: str
) -> None:
    """A line that is named is refused; a 400 that names none may pass."""
    three.broken = answer
    connection = StoreClient(three.settings)
    with pytest.raises(StoreError, match=text) as caught:
        connection.write(TARGET, b"m f=1 1795914000000000000")
    connection.close()
    assert kind is type(caught.value)
    assert (2 if b"line_number" in answer.body and kind is StoreRefusedError else None) == getattr(
        caught.value, "line", None
    )


# Counting ------------------------------------------------------------------------------------------------------------


def test_the_count_is_bounded_in_time(lane: Lane, three: InfluxDB3) -> None:
    """A query of all times is refused there; one run's points, and all, are counted within the last day."""
    assert 0 == store.count(lane.store, SERVER, lane.run)
    run_load(LoadSettings(count=7, workers=1), lane.bus)
    consume(lane)
    assert (7, 0) == (store.count(lane.store, SERVER, lane.run), store.count(lane.store, SERVER, "another"))
    assert 7 == store.count(lane.store, SERVER)
    connection = StoreClient(lane.store)
    with pytest.raises(StoreError, match="432 parquet files"):
        connection.query('SELECT count(cpu) FROM "system_stats"')
    connection.close()


def test_the_stand_in_keeps_the_good_part_where_that_is_asked_for(three: InfluxDB3) -> None:
    """Of the stand-in itself: `accept_partial=true` writes what is sound and names the rest."""
    connection = StoreClient(three.settings)
    lines = b"m,host=a f=1 1795914000000000000\nm,host=bad f=1 1795914000000000000"
    result = connection.request("POST", "/api/v3/write_lp", {"db": "lab", "no_sync": "true"}, lines)
    connection.close()
    assert (400, 1) == (result.status, len(three.points))
    assert b"partial write of line protocol occurred" in result.body
    assert bad_host(b"nonsense")
