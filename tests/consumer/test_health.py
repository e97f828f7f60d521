"""Health of the consumer and the agent: published beside the points, exact in its counts, in nobody's way."""

from __future__ import annotations

import json
import logging
import math
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.choices import DECODERS, open_receiver
from support.health import health_lines, is_health
from support.servers import Answer, Asked, Lane, ScriptedStore, consume, consuming, finish, wait_until

from sentinel import bus, store
from sentinel.agent.agent import Agent
from sentinel.bus import Lag, open_publisher
from sentinel.consumer import reporter
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.consumer.measuring.measurement import KINDS
from sentinel.errors import TrialError
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, MEMORY, PROFILE, Plan
from sentinel.lab.trials.trial import Trial
from sentinel.load.processes import run_load
from sentinel.model.codecs import CODECS
from sentinel.model.health import CONSUMER, QUANTILES, TOTALS, agent_message, consumer_line, latencies, rates
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import SenderLedger
from sentinel.model.sample import AGENT, MEASUREMENT, validation_error
from sentinel.probe import OwnUse, memory_bytes
from sentinel.settings import AgentSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.lab.stack import Stack
    from sentinel.settings import StoreSettings

COUNTS = {"received": 12, "written": 9, "rejected": 1, "retries": 4, "lost": 2, "duplicated": 3}
COUNTS |= {"jumped": 5, "trimmed_unread": 0}  # and `skipped` is not known
READINGS = {
    *(f"{kind}_{name}_ms" for kind in KINDS for name in QUANTILES),
    *("received_per_s", "stored_per_s", "cpu_percent", "rss_bytes", "health_failed"),
}


def fields_of(line: bytes) -> dict[str, float]:
    """The fields of a line whose names need no escape."""
    return {name: float(value) for name, _, value in (pair.partition("=") for pair in fields_part(line).split(","))}


def fields_part(line: bytes) -> str:
    """What stands between a line's tags and its time."""
    return line.decode().rpartition(" ")[0].rpartition(" ")[2]


# What is said --------------------------------------------------------------------------------------------------------


def test_the_line_holds_totals_and_what_is_pending() -> None:
    """Counts since the start, received less what was dealt with, and the readings that are known; all floats."""
    line = consumer_line("web 1", "a,b", 7, COUNTS, {"cpu_percent": 2.5, "backlog": None})
    totals = "received=12.0,written=9.0,rejected=1.0,retries=4.0,lost=2.0,duplicated=3.0,jumped=5.0,trimmed_unread=0.0"
    assert line == f"sentinel_consumer,consumer=a\\,b,host=web\\ 1 {totals},pending=2.0,cpu_percent=2.5 7"


@pytest.mark.parametrize("name", ["a\nsystem_stats cpu=1 1", "\x1b[31m", "end\\", ""])
def test_names_cannot_break_the_line(name: str) -> None:
    """Whatever a host or a consumer is called, its health is one line."""
    line = consumer_line(name, name, 7, COUNTS, {})
    assert line.isprintable()
    assert line.startswith("sentinel_consumer,consumer=" if name else "sentinel_consumer ")


def test_rates_are_per_second_of_the_interval() -> None:
    """Growth over time that passed; the first interval starts from nothing, and no time has no rate."""
    assert {"received_per_s": 6.0, "stored_per_s": 4.5} == rates({}, COUNTS, 2.0)
    assert {"received_per_s": 0.0, "stored_per_s": 0.0} == rates(COUNTS, COUNTS, 2.0)
    assert {} == rates({}, COUNTS, 0.0)


def test_latencies_are_quantiles_in_milliseconds() -> None:
    """Of each kind that saw a message; none is made up for one that did not."""
    recorder = Recorder()
    recorder.record([1_000_000] * 98 + [50_000_000] * 2)
    actual = latencies({"e2e": recorder, "stored": Recorder()})
    assert {"e2e_p50_ms": 1.0, "e2e_p99_ms": 50.0} == pytest.approx(actual, rel=0.01)


def test_an_agents_message_is_sound_and_of_no_sequence() -> None:
    """It decodes to the same message with either decoder, has a host and no source, and can become a point."""
    message = agent_message(
        "h", 5_000_000_007, SenderLedger(3, 2, 1), cpu_percent=0.5, mem_percent=0.1, further={"rss_bytes": 9}
    )
    assert validation_error(message) is None
    assert (message.time, message.source, message.seq, message.host) == (5_000_000_007, None, None, "h")
    assert message.fields == {"scheduled": 3.0, "sent": 2.0, "unsent": 1.0, "rss_bytes": 9.0}
    for decoder in DECODERS.values():
        samples, rejected, _ = decoder([CODECS["json"].encode(message)])
        assert ([message], []) == (samples, rejected)


def test_own_use_is_of_the_time_since_the_reading_before() -> None:
    """A process that works shows up in percent of one core, one that sleeps does not; memory is what it holds."""
    use = OwnUse()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    busy = use.read()
    time.sleep(0.1)
    assert busy.cpu_percent > use.read().cpu_percent
    assert 1_000_000 < busy.rss_bytes < (memory_bytes() or 0)


# The consumer's ------------------------------------------------------------------------------------------------------


def test_the_request_is_the_stores_own(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """InfluxDB 2 is asked on `/api/v2/write`, with org, bucket, nanoseconds and token, a line per report."""
    run_load(LoadSettings(count=500), scripted_lane.bus)
    before = time.time_ns()
    with consuming(scripted_lane, health=0.2, host="h 1", name="c,1") as (consumer, running):
        wait_until("it reports", lambda: len(health_lines(scripted)) >= 2)
        report = finish(consumer, running)
    asked = [asked for _, asked, _ in scripted.writes if is_health(asked)]
    assert {("POST", "/api/v2/write", "Token t0k3n")} == {(a.method, a.path, a.headers["authorization"]) for a in asked}
    assert all({"org": "our org", "bucket": "lab", "precision": "ns"} == item.query for item in asked)
    lines = health_lines(scripted)
    assert all(line.startswith(b"sentinel_consumer,consumer=c\\,1,host=h\\ 1 ") for line in lines)
    times = [int(line.rpartition(b" ")[2]) for line in lines]
    assert before < times[0]
    assert sorted(set(times)) == times
    last = fields_of(lines[-1])
    assert {name: float(getattr(report.ledger, name)) for name in TOTALS} == {name: last[name] for name in TOTALS}
    assert (500.0, 0.0) == (last["written"], last["pending"])


def test_every_reading_is_there_once_there_is_something_to_read(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """Rates, latencies, CPU, memory, and on a stream the backlog."""
    run_load(LoadSettings(count=500), scripted_lane.bus)
    consume(scripted_lane, health=60.0)
    (line,) = health_lines(scripted)
    fields = fields_of(line)
    assert {*TOTALS, *READINGS, "pending", "backlog"} == set(fields)
    assert all(math.isfinite(value) for value in fields.values())
    assert fields["stored_p99_ms"] >= fields["stored_p50_ms"] >= fields["e2e_p50_ms"] > 0
    assert fields["stored_per_s"] > 0
    assert fields["backlog"] == 0


def test_pubsub_has_no_backlog(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """What is sent while nobody listens is gone: there is nothing to count."""
    with consuming(scripted_lane, health=60.0, transport="pubsub") as (consumer, running):
        run_load(LoadSettings(count=10, transport="pubsub"), scripted_lane.bus)
        finish(consumer, running)
    (line,) = health_lines(scripted)
    assert "backlog" not in fields_of(line)
    assert fields_of(line)["written"] == 10


def test_the_backlog_is_what_the_group_was_not_given(lane: Lane) -> None:
    """Nothing is known of a stream that is not there; then entries count until they are read, trimmed or not."""
    lag = Lag(lane.bus, 1.0)
    assert lag.ask() is None
    lane.publish([b"%d" % n for n in range(250)])
    assert lag.ask() is None
    receiver = open_receiver("socket-reads", lane.bus, ConsumerSettings(name="c1", read_count=100))
    assert 250 == lag.ask()
    read = None
    while read is None:
        read = receiver.read(0.1)
    assert (100, 150) == (len(read.payloads), lag.ask())
    receiver.acknowledge(read.ids)
    receiver.maintain()
    lane.publish([b"more"])
    assert 151 == lag.ask()
    receiver.close()
    lag.close()


def test_a_consumer_that_is_measured_says_nothing(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """Without `health` the store gets the points and nothing else."""
    run_load(LoadSettings(count=50), scripted_lane.bus)
    consume(scripted_lane)
    assert [] == health_lines(scripted)


@pytest.mark.parametrize("kind", [LATENCY, CAPACITY, MEMORY, PROFILE])
def test_a_trials_consumer_says_nothing(embedded: Stack, tmp_path: Path, kind: str) -> None:
    """What is measured has nothing beside it: every kind of trial starts its consumer with `--health off`."""
    commands: list[list[str]] = []

    class Starts:
        """Takes down what would be started."""

        def start(self, name: str, command: list[str], **_: Any) -> Child:
            """As Supervisor."""
            commands.append(command)
            if name == "consumer":
                raise TrialError("seen")
            return Done()  # type: ignore[return-value]

    class Done:
        """A load that has ended well."""

        def poll(self) -> int:
            """As Child."""
            return 0

        def wait(self, _: float) -> int:
            """As Child."""
            return 0

        def stop(self) -> int:
            """As Child."""
            return 0

    plan = Plan(1, kind, "optimised", "optimised", LoadSettings(count=10))
    outcome = Trial(plan, embedded, tmp_path / "trial", Starts(), "run").run()  # type: ignore[arg-type]
    assert "seen" in outcome.problems
    assert "off" == commands[-1][commands[-1].index("--health") + 1]


def test_health_that_cannot_be_written_costs_no_point(
    scripted_lane: Lane, scripted: ScriptedStore, caplog: pytest.LogCaptureFixture
) -> None:
    """Every point is stored; the failures are said once and counted, and the next report covers the time of all."""
    away = [True]
    scripted.on_write = lambda asked: Answer(503 if away[0] and is_health(asked) else 204)

    def refused() -> int:
        return sum(given.status == 503 for _, _, given in scripted.writes)

    with caplog.at_level(logging.WARNING), consuming(scripted_lane, health=0.05) as (consumer, running):
        run_load(LoadSettings(count=300), scripted_lane.bus)
        wait_until("two reports are refused", lambda: refused() >= 2)
        away[0] = False
        wait_until("a report gets through", lambda: health_lines(scripted))
        report = finish(consumer, running)
    assert (300, 0) == (report.ledger.written, report.ledger.retries)
    (logged,) = [message for message in caplog.messages if "health could not be written" in message]
    assert "answered 503" in logged
    fields = fields_of(health_lines(scripted)[0])
    assert fields["health_failed"] == refused()
    assert fields["received_per_s"] > 0
    assert "stored_p99_ms" in fields


def test_a_store_that_hangs_on_health_holds_up_neither_points_nor_the_stop(
    scripted_lane: Lane, scripted: ScriptedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report waits for its own short time, and is not tried again at the stop."""
    monkeypatch.setattr(reporter, "TIMEOUT", 0.2)

    def hang(asked: Asked) -> Answer:
        time.sleep(3.0 if is_health(asked) else 0.0)
        return Answer()

    scripted.on_write = hang
    with consuming(scripted_lane, health=0.05) as (consumer, running):
        run_load(LoadSettings(rate=500, duration=1.5), scripted_lane.bus)
        wait_until("all is stored", lambda: consumer.ledger.written == 750, 5)
        begun = time.monotonic()
        report = finish(consumer, running)
    assert time.monotonic() - begun < 2.5
    assert (750, 0) == (report.ledger.written, report.ledger.retries)


def test_real_stores_take_the_line(lane: Lane) -> None:
    """InfluxDB 1.6.7 and the embedded store keep every field of it, under its own measurement and tags."""
    run_load(LoadSettings(count=200), lane.bus)
    consume(lane, health=60.0, host=f"host {lane.run}", name="c=1")
    assert lane.stored() == 200
    (row,) = rows(lane.store, CONSUMER, f"host {lane.run}")
    assert ("c=1", 200.0, 0.0) == (row["consumer"], row["written"], row["pending"])
    assert {*TOTALS, *READINGS, "pending", "backlog", "consumer", "host", "time"} == set(row)


def rows(settings: StoreSettings, measurement: str, host: str) -> list[dict[str, Any]]:
    """What the store holds of one host under a measurement, without what is not there."""
    connection = store.StoreClient(settings)
    try:
        actual = connection.query(f"SELECT * FROM {measurement} WHERE host = '{host}'")
    finally:
        connection.close()
    every = [dict(zip(s["columns"], values, strict=True)) for s in actual for values in s["values"]]
    return [{name: value for name, value in row.items() if value is not None} for row in every]


def test_victoria_metrics_takes_the_line(embedded: Stack, victoria: StoreSettings) -> None:
    """Through `/api/v2/write`, a series for each field, and no count turned into 1."""
    lane = Lane.on(embedded.bus, victoria)
    run_load(LoadSettings(count=200), lane.bus)
    consume(lane, health=60.0, host=lane.run)
    assert [200.0] == exported(victoria, f'sentinel_consumer_written{{host="{lane.run}"}}', 1)
    assert [0.0] == exported(victoria, f'sentinel_consumer_backlog{{host="{lane.run}"}}', 1)
    bus.remove(lane.bus)


def exported(settings: StoreSettings, selector: str, count: int) -> list[float]:
    """The values of a series in VictoriaMetrics, which shows them a little after it took them."""
    connection = store.StoreClient(settings)
    values: list[float] = []

    def shown() -> bool:
        connection.request("GET", "/internal/force_flush")
        actual = connection.request("GET", "/api/v1/export", {"match[]": selector})
        values[:] = [value for line in actual.body.splitlines() for value in json.loads(line)["values"]]
        return len(values) >= count

    wait_until(f"{selector} is shown", shown)
    connection.close()
    return values


# The agent's ---------------------------------------------------------------------------------------------------------


def run_agent(lane: Lane, count: int, **settings: Any) -> Any:
    """An agent of this host that takes so many samples, quickly."""
    options = AgentSettings(**({"interval": 0.02, "host": f"host {lane.run}", "health": 0.05} | settings))
    return Agent(options, open_publisher(lane.bus, "stream")).run(count)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_an_agents_health_goes_the_way_of_its_samples(lane: Lane, configuration: str) -> None:
    """Sent = received = written, over all messages; the store holds samples and health apart, each once."""
    sent = run_agent(lane, 12)
    got = consume(lane, configuration)
    assert sent.health >= 2
    assert ([], []) == (sent.ledger.problems(), got.ledger.problems())
    assert 12 + sent.health == sent.ledger.sent == got.ledger.received == got.ledger.written
    assert (0, 0) == (got.ledger.lost, got.ledger.rejected)
    assert lane.stored() == 12
    actual = rows(lane.store, AGENT, f"host {lane.run}")
    assert len(actual) == sent.health
    assert {"rss_bytes", "backlog", "collect_ms", "scheduled", "sent", "unsent", "cpu", "mem"} <= set(actual[-1])
    assert "source" not in actual[-1]
    assert actual[-1]["scheduled"] < sent.ledger.scheduled
    assert 0 < actual[-1]["mem"] < 100


def test_victoria_metrics_takes_an_agents_health(embedded: Stack, victoria: StoreSettings) -> None:
    """The same under its names: measurement and field."""
    lane = Lane.on(embedded.bus, victoria)
    sent = run_agent(lane, 12)
    consume(lane)
    for series, count in ((f"{AGENT}_scheduled", sent.health), (f"{MEASUREMENT}_cpu", 12)):
        assert count == len(exported(victoria, f'{series}{{host="host {lane.run}"}}', count))
    bus.remove(lane.bus)


@pytest.mark.parametrize("health", [0.0, 60.0])
def test_an_agent_says_nothing_before_it_is_time(embedded_lane: Lane, health: float) -> None:
    """Switched off, or not due yet: samples only, and the account is of samples only."""
    sent = run_agent(embedded_lane, 3, health=health)
    assert (3, 0) == (sent.ledger.sent, sent.health)


def test_health_takes_no_samples_place(embedded_lane: Lane) -> None:
    """While Redis is away the buffer is the samples': health is not made once half of it is taken."""
    away = Lane(embedded_lane.bus.__class__(url="redis://127.0.0.1:1/0"), embedded_lane.store, embedded_lane.run)
    sent = run_agent(away, 20, buffer=4, health=0.001)
    assert sent.ledger.problems() == []
    assert sent.health <= 2
    assert 20 + sent.health == sent.ledger.scheduled == sent.ledger.unsent
