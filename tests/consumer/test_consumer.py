"""The consumer's parts: when to try again, when to stop, who is to blame, and that every ledger adds up."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.choices import WRITERS, open_receiver
from support.servers import QUICK, Answer, Lane, ScriptedStore, consume, consuming, finish, first, wait_until

from sentinel.bus import unread
from sentinel.bus.receiving import upkeep
from sentinel.consumer.account import Account
from sentinel.consumer.batching import Batch, Block
from sentinel.consumer.configurations import CONFIGURATIONS, parse
from sentinel.consumer.consumer import Consumer
from sentinel.consumer.measuring import measurement
from sentinel.consumer.measuring.measurement import NoMeasurement
from sentinel.consumer.writing.delivery import ROW, Delivery
from sentinel.consumer.writing.writers import Outlet, Writer
from sentinel.errors import BusError, SettingsError, StoreAccessError, StoreError, StoreRefusedError
from sentinel.load.processes import run_load
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import ConsumerLedger
from sentinel.runtime.record import INTERVALS, LEDGER, READY
from sentinel.runtime.stop import FIRST_DELAY, LONGEST_DELAY, DeadlineError, StopSignal, backoff, retry
from sentinel.settings import ConsumerSettings, LoadSettings
from sentinel.store import Server

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.consumer.writing.delivery import Refused
    from sentinel.consumer.writing.writers import Settle

# When to try again, when to stop -------------------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_backoff_doubles_within_its_bounds(attempt: int, jitter: float) -> None:
    """Between half and all of a delay that doubles from the first to the longest, however often it is tried."""
    delay = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 60))
    assert delay / 2 <= backoff(attempt, jitter) <= delay
    assert backoff(attempt, jitter) <= backoff(attempt + 1, jitter)


def test_nobody_is_stopped_who_was_not_asked() -> None:
    """Until asked there is no deadline; then the time left runs out."""
    stop = StopSignal()
    assert (stop.requested, stop.left) == (False, float("inf"))
    stop.request(60.0)
    assert stop.requested
    assert 59 < stop.left <= 60
    stop.request(0.0)
    assert stop.left == 0.0


def test_the_earlier_deadline_holds() -> None:
    """A second, later deadline gives no more time."""
    stop = StopSignal()
    stop.request(5.0)
    stop.request(60.0)
    assert stop.left <= 5.0


def test_a_pause_ends_with_the_deadline() -> None:
    """A pause takes its time, but a stop that comes meanwhile cuts it short."""
    stop = StopSignal()
    start = time.monotonic()
    stop.pause(0.15)
    assert 0.15 <= time.monotonic() - start < 1.0
    threading.Timer(0.1, stop.request, [0.0]).start()
    start = time.monotonic()
    stop.pause(60.0)
    assert time.monotonic() - start < 1.0


class Flaky:
    """Fails with each of `errors` in turn, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> None:
        """The action."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)


def test_what_may_pass_is_tried_again() -> None:
    """Errors of the bus and of the store are retried until it works, and every retry is counted."""
    retries: list[int] = []
    errors = [StoreError("away"), BusError("away"), StoreAccessError("a person must act")]
    action = Flaky(*errors)
    retry(action, StopSignal(), lambda: retries.append(1))
    assert (4, 3) == (action.calls, len(retries))


def test_what_is_refused_is_not_tried_again() -> None:
    """The same body will never do."""
    action = Flaky(StoreRefusedError("never"))
    with pytest.raises(StoreRefusedError):
        retry(action, StopSignal(), lambda: None)
    assert action.calls == 1


def test_other_errors_are_not_hidden() -> None:
    """A bug is no fault of the store: it is raised at once."""
    with pytest.raises(ZeroDivisionError):
        retry(Flaky(ZeroDivisionError()), StopSignal(), lambda: None)


def test_retry_after_is_honoured() -> None:
    """The store's own word on when to come back replaces the backoff."""
    start = time.monotonic()
    retry(Flaky(StoreError("busy", retry_after=0.4)), StopSignal(), lambda: None)
    assert 0.4 <= time.monotonic() - start < 2.0


@pytest.mark.parametrize("error", [StoreError("away"), StoreError("busy", retry_after=3600.0), BusError("away")])
def test_the_deadline_ends_all_trying(error: Exception) -> None:
    """After the deadline there is one last attempt, then the error that stood in the way, whatever it asked for."""

    def action() -> None:
        raise error

    stop = StopSignal()
    stop.request(0.2)
    start = time.monotonic()
    with pytest.raises(DeadlineError, match=str(error)):
        retry(action, stop, lambda: None)
    assert time.monotonic() - start < 2.0


# Who is to blame -----------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 40).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, n - 1), max_size=ROW - 1))),
    st.booleans(),
)
def test_bisecting_finds_every_bad_point_and_posts_every_good_one(case: tuple[int, set[int]], partial: bool) -> None:
    """Whatever is bad, short of a row, and whether the store keeps the good part of a refused body or nothing of it."""
    count, bad = case
    posted: set[int] = set()

    def post(points: Sequence[int]) -> None:
        refused = [point for point in points if point in bad]
        if partial or not refused:
            posted.update(point for point in points if point not in bad)
        if refused:
            raise StoreRefusedError(f"not {refused[0]}")

    account = Account(NoMeasurement())
    assert {n: f"not {n}" for n in bad} == dict(Delivery(post, StopSignal(), account).deliver(range(count)))
    assert set(range(count)) - bad == posted
    assert account.ledger.retries == 0
    assert (account.ledger.requests > 0) == (len(bad) < count)


def test_bisecting_retries_what_may_pass() -> None:
    """A store that goes away while a batch is being bisected is waited for."""
    away = Flaky(StoreError("away"), StoreError("away"))

    def post(points: Sequence[int]) -> None:
        if len(points) < 4:
            away()
        if 2 in points:
            raise StoreRefusedError("2")

    account = Account(NoMeasurement())
    assert [(2, "2")] == Delivery(post, StopSignal(), account).deliver(range(4))
    assert account.ledger.retries == 2


# Writers -------------------------------------------------------------------------------------------------------------


def single(writer: Writer, payload: bytes) -> Batch:
    """A batch of one message, as a Batcher with the writer's `pack` makes it."""
    line = f"m,p={payload.decode()} f=1.0 1"
    return Batch([Block(1, [payload], writer.pack([line]), 0)], 1)


def open_writer(kind: str, store: ScriptedStore, settle: Settle, **settings: Any) -> tuple[Writer, StopSignal]:
    """A writer into a scripted store, and the sign that stops it."""
    stop = StopSignal()
    consumer = ConsumerSettings(batch_size=1, flush_interval=0.05, **settings)
    server = Server("InfluxDB", "2.7.12", "2")
    outlet = Outlet(store.settings, server, consumer, Account(NoMeasurement()), stop, settle)
    return WRITERS[kind].implemented(outlet), stop


@pytest.mark.parametrize("kind", ["client-batching", "post-batches"])
def test_what_was_given_up_is_never_acknowledged(scripted: ScriptedStore, kind: str) -> None:
    """At the deadline the first batch is given up: a later one that gets through must not be taken for it."""
    scripted.on_write = lambda asked: Answer(503) if b"first" in asked.body else Answer()
    settled: list[bytes] = []
    writer, stop = open_writer(kind, scripted, lambda batch, _refused, _at: settled.extend(batch.ids))
    stop.request(0.6)
    for name in (b"first", b"second", b"third"):
        writer.put(single(writer, name))
    left = writer.close()
    assert b"first" not in settled
    assert left + len(settled) == 3


@pytest.mark.parametrize("kind", WRITERS)
def test_a_batch_is_settled_after_the_store_has_it(scripted: ScriptedStore, kind: str) -> None:
    """No message is acknowledged before the store's 2xx for it."""
    held: list[tuple[bytes, bool]] = []

    def settle(batch: Batch, refused: Sequence[Refused], at: int) -> None:
        assert list(refused) == []
        assert at <= time.time_ns()
        lines = set(scripted.lines())
        held.extend((name, b"m,p=%b f=1.0 1" % name in lines) for name in batch.ids)

    writer, _ = open_writer(kind, scripted, settle)
    names = [b"%d" % n for n in range(20)]
    for name in names:
        writer.put(single(writer, name))
    assert writer.close() == 0
    assert [(name, True) for name in names] == held


@pytest.mark.parametrize("kind", ["client-batching", "post-batches"])
def test_a_full_queue_blocks_the_reader(scripted: ScriptedStore, kind: str) -> None:
    """The queue is bounded: while the store is away `put` waits, and ends with the deadline instead of for ever."""
    scripted.on_write = lambda _: Answer(503)
    writer, stop = open_writer(kind, scripted, lambda *_: None, queue_batches=3)
    taken: list[int] = []

    def fill() -> None:
        for n in range(100):
            writer.put(single(writer, b"%d" % n))
            taken.append(n)

    with ThreadPoolExecutor(1) as pool:
        filling = pool.submit(fill)
        wait_until("the queue is full", lambda: len(taken) >= 3)
        time.sleep(0.3)
        assert len(taken) <= 5
        stop.request(0.0)
        with pytest.raises(DeadlineError):
            filling.result(10)
    assert writer.close() >= 3


@pytest.mark.parametrize(
    ("status", "configuration"),
    [(429, "baseline"), (429, "client-batching"), (429, "optimised"), (503, "client-batching"), (503, "optimised")],
)
def test_an_overloaded_store_is_given_the_time_it_asks_for(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, status: int
) -> None:
    """After 429 or 503 with Retry-After the same points come again, not before that time; nothing is lost."""
    scripted.on_write = first(Answer(status, headers={"Retry-After": "1"}))
    run_load(LoadSettings(count=50), scripted_lane.bus)
    report = consume(scripted_lane, configuration)
    assert ([], 50) == (report.ledger.problems(), report.ledger.written)
    assert report.ledger.retries >= 1
    assert len(scripted.lines()) == 50
    (refused_at, refused, _), (again_at, again, _), *_ = scripted.writes
    assert refused.body == again.body
    assert again_at - refused_at >= 1.0


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_errors_without_advice_are_tried_again_too(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str
) -> None:
    """Server errors of all kinds, an expired token among them, pass in the end."""
    scripted.on_write = first(Answer(500), Answer(401), Answer(503), Answer(404))
    run_load(LoadSettings(count=50), scripted_lane.bus)
    report = consume(scripted_lane, configuration)
    assert ([], 50, 0) == (report.ledger.problems(), report.ledger.written, report.ledger.rejected)
    assert report.ledger.retries >= 4
    assert len(scripted.lines()) == 50


# The consumer as a whole ---------------------------------------------------------------------------------------------


def open_consumer(lane: Lane, configuration: str = "optimised", **settings: Any) -> Consumer:
    """A consumer that does nothing yet."""
    record = settings.pop("record", None)
    options = ConsumerSettings(**{**QUICK, "run": lane.run, **settings})
    return Consumer(parse(configuration), options, lane.bus, lane.store, record=record)


def test_a_wrong_token_ends_it_before_anything_is_read(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """401 at the start: an error that names the setting, and every message stays on the stream."""
    scripted.answers["/api/v2/write"] = Answer(401, b"unauthorized access")
    run_load(LoadSettings(count=5), scripted_lane.bus)
    with pytest.raises(StoreAccessError, match=r"answered 401: unauthorized access \(does INFLUX_TOKEN allow"):
        open_consumer(scripted_lane)
    with scripted_lane.redis() as redis:
        assert redis.xinfo_groups(scripted_lane.bus.stream) == []


def test_it_can_read_a_part_and_then_the_rest(embedded_lane: Lane) -> None:
    """`run(until)` returns after so many messages, `flush` when they are stored, and a later run goes on."""
    run_load(LoadSettings(count=1000), embedded_lane.bus)
    consumer = open_consumer(embedded_lane, read_count=100)
    consumer.run(until=300)
    consumer.flush()
    assert (300, 300) == (consumer.ledger.received, consumer.ledger.written)
    assert embedded_lane.stored() == 300
    consumer.until_empty = True
    consumer.run()
    assert consumer.close().ledger.written == 1000


def test_until_empty_does_not_end_while_messages_come(embedded_lane: Lane) -> None:
    """Only a bus that has been quiet for a moment counts as empty."""
    with consuming(embedded_lane, idle=0.3) as (consumer, running):
        consumer.until_empty = True
        sent = run_load(LoadSettings(rate=100, duration=0.8, workers=2), embedded_lane.bus)
        running.result(10)
        report = consumer.close()
    assert sent.ledger.sent == report.ledger.written == 80


def test_batches_are_bounded_by_size_and_by_age(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """No request carries more than `batch_size` points, and a lone point waits no longer than `max_age`."""
    run_load(LoadSettings(count=250), scripted_lane.bus)
    with consuming(scripted_lane, batch_size=100, max_age=0.05) as (consumer, running):
        wait_until("all is written", lambda: consumer.ledger.written == 250, 5)
        sizes = [asked.body.count(b"\n") + 1 for _, asked, _ in scripted.writes]
        assert (250, 100) == (sum(sizes), max(sizes))
        run_load(LoadSettings(count=1, workers=1, first_source=99), scripted_lane.bus)
        wait_until("the lone one is written", lambda: consumer.ledger.written == 251, 2)
        report = finish(consumer, running)
    assert report.ledger.requests == len(scripted.writes)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_it_leaves_a_record(embedded_lane: Lane, configuration: str, tmp_path: Path) -> None:
    """A readiness file, intervals whose histograms add up to the messages, and the ledger at the end."""
    consumer = open_consumer(embedded_lane, configuration, record=tmp_path / "deep" / "folder")
    folder = tmp_path / "deep" / "folder"
    assert (folder / READY).exists()
    assert not (folder / LEDGER).exists()
    run_load(LoadSettings(count=200), embedded_lane.bus)
    consumer.until_empty = True
    before = time.time_ns()
    consumer.run()
    report = consumer.close()
    saved = json.loads((folder / LEDGER).read_text())
    assert ConsumerLedger(**saved["ledger"]) == report.ledger
    assert before - 10**9 < saved["first_read"] <= saved["last_stored"] < time.time_ns()
    assert 0 < saved["cpu_seconds"] < 30
    lines = [json.loads(line) for line in (folder / INTERVALS).read_text().splitlines()]
    assert lines == sorted(lines, key=lambda line: line["at"])
    assert lines[-1]["written"] == 200
    for kind in ("internal", "e2e", "stored"):
        assert sum(len(Recorder.from_dict(line[kind])) for line in lines) == 200, kind


def test_a_record_that_cannot_be_written_is_a_settings_error(embedded_lane: Lane, tmp_path: Path) -> None:
    """The folder and the reason are named."""
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot write the record to .*file/below: "):
        open_consumer(embedded_lane, record=tmp_path / "file" / "below")


def test_it_logs_the_originals_lines(
    embedded_lane: Lane, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three lines in the original's format, when their time has come."""
    caplog.set_level("INFO", "sentinel.consumer.measuring.measurement")
    monkeypatch.setattr(measurement, "LOG_SECONDS", 0.0)
    run_load(LoadSettings(count=1000), embedded_lane.bus)
    consume(embedded_lane)
    sentences = [
        record.getMessage().partition(" ")
        for record in caplog.records
        if record.name == "sentinel.consumer.measuring.measurement"
    ]
    assert {"INTERNAL_LATENCY_STATS", "E2E_LATENCY_STATS", "STORED_LATENCY_STATS"} == {head for head, _, _ in sentences}
    for _, _, rest in sentences:
        assert ["count", "p50_us", "p90_us", "p99_us"] == [word.partition("=")[0] for word in rest.split()]


def test_redelivered_messages_are_stored_once_and_counted(embedded_lane: Lane) -> None:
    """The same messages again overwrite their points: written twice, duplicated once, stored once."""
    run_load(LoadSettings(count=100), embedded_lane.bus)
    with embedded_lane.redis() as redis:
        payloads = [fields[b"d"] for _, fields in redis.xrange(embedded_lane.bus.stream)]
    embedded_lane.publish(payloads)
    report = consume(embedded_lane)
    assert (200, 100, 0) == (report.ledger.written, report.ledger.duplicated, report.ledger.lost)
    assert embedded_lane.stored() == 100


def test_a_consumer_that_is_stopping_takes_nothing_over(
    scripted_lane: Lane, scripted: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What others left idle is for those who go on: a consumer that drains would only hold it up."""
    monkeypatch.setattr(upkeep, "CLAIM_EVERY", 1)
    scripted.on_write = lambda _: Answer(503)
    run_load(LoadSettings(count=5), scripted_lane.bus)
    consumer = open_consumer(scripted_lane, name="stopping", claim_idle=0.05)
    consumer.run(until=5)
    consumer.stop.request(1.2)
    run_load(LoadSettings(count=10, first_source=100), scripted_lane.bus)
    dead = open_receiver("redis-py", scripted_lane.bus, ConsumerSettings(name="dead"))
    wait_until("all is read", lambda: dead.read(0.01) is None and not unread(scripted_lane.bus))
    dead.close()
    assert consumer.close().ledger.taken_over == 0
    with scripted_lane.redis() as redis:
        pending = redis.xpending(scripted_lane.bus.stream, scripted_lane.bus.group)["consumers"]
    assert {b"dead": 10, b"stopping": 5} == {item["name"]: item["pending"] for item in pending}


def test_the_run_tag_of_a_message_wins(embedded_lane: Lane) -> None:
    """The consumer's `run` is for messages that carry none."""
    own, at = replace(embedded_lane, run=f"{embedded_lane.run}-own"), time.time_ns()
    plain = b'{"timestamp":%d' % (at // 10**9) + b',"cpu_usage":1.0,"mem_usage":2.0,"send_time_unix_nano":%d}'
    named = plain[:-1] + b',"run":"%b"}'
    embedded_lane.publish([plain % at, named % (at + 1, own.run.encode()), plain % (at + 2)])
    consume(embedded_lane)
    assert (2, 1) == (embedded_lane.stored(), own.stored())


def test_an_unknown_transport_is_refused(embedded_lane: Lane) -> None:
    """The error names the value and what there is."""
    with pytest.raises(SettingsError, match="transport='kafka' is unknown: expected pubsub or stream"):
        open_consumer(embedded_lane, transport="kafka")


def test_unmeasured_learns_nothing_and_loses_nothing(embedded_lane: Lane, tmp_path: Path) -> None:
    """Without recording, every message is still written and counted; there are just no latencies."""
    run_load(LoadSettings(count=300), embedded_lane.bus)
    consumer = open_consumer(embedded_lane, "optimised", record=tmp_path, measured=False)
    consumer.until_empty = True
    consumer.run()
    report = consumer.close()
    assert (300, 300, 0) == (report.ledger.received, report.ledger.written, report.ledger.pending)
    lines = [json.loads(line) for line in (tmp_path / "intervals.jsonl").read_text().splitlines()]
    assert [] == [line for line in lines if line["e2e"]]
