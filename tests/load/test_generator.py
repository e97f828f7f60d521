"""The load generator: what was scheduled is sent or counted as unsent, at the times that were fixed beforehand."""

from __future__ import annotations

import json
import re
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st
from support.choices import DECODERS, open_receiver
from support.servers import Lane, SteppedClock, loading, wait_until

from sentinel.bus import Sender
from sentinel.errors import BusError, SettingsError
from sentinel.load import dispatch, generator, recording
from sentinel.load.generator import LoadGenerator
from sentinel.load.payloads import encoder
from sentinel.load.processes import run_load
from sentinel.load.report import LoadReport
from sentinel.load.schedule import Schedule, shares
from sentinel.model.codecs import CODECS
from sentinel.model.histogram import Recorder
from sentinel.model.ledger import SenderLedger
from sentinel.model.sample import RUN
from sentinel.runtime.record import INTERVALS, LEDGER, READY
from sentinel.runtime.stop import StopSignal
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.stack import Stack
    from sentinel.model.sample import Sample


@pytest.fixture
def another(embedded: Stack) -> Lane:
    """A second lane."""
    return Lane.on(embedded.bus, embedded.store)


def play(lane: Lane, processes: int = 1, **settings: Any) -> tuple[LoadReport, list[Sample]]:
    """Play a load onto a stream; its report, and the messages in the order of their times."""
    report = run_load(LoadSettings(**settings), lane.bus, processes=processes)
    return report, messages(lane)


def messages(lane: Lane) -> list[Sample]:
    """What is on the stream, by time."""
    with lane.redis() as redis:
        payloads = [fields[b"d"] for _, fields in redis.xrange(lane.bus.stream)]
    samples, rejected, _ = DECODERS["msgspec"](payloads)
    assert rejected == []
    return sorted(samples, key=lambda sample: (sample.sent, sample.source))


def numbers(samples: Sequence[Sample]) -> dict[int | None, list[int | None]]:
    """Sequence numbers of each source, from the first of their run, in the order of their times."""
    collected: dict[int | None, list[int | None]] = {}
    for sample in samples:
        collected.setdefault(sample.source, []).append(None if sample.seq is None else sample.seq % RUN)
    return collected


def assert_gapless(samples: Sequence[Sample], sources: range) -> None:
    """Every source counts from 0 without gaps, and its times strictly increase."""
    actual = numbers(samples)
    assert set(sources) == set(actual)
    for source, seqs in actual.items():
        assert list(range(len(seqs))) == seqs
        times = [sample.sent for sample in samples if sample.source == source]
        assert all(earlier < later for earlier, later in pairwise(times))


# The schedule is what is sent ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["json", "binary"])
@pytest.mark.parametrize("loop", ["constant", "poisson", "bursts"])
def test_messages_carry_their_intended_times(embedded_lane: Lane, loop: str, codec: str) -> None:
    """Every message of the schedule is sent, with the schedule's time and source, whenever it really left."""
    report, samples = play(embedded_lane, loop=loop, codec=codec, workers=3, rate=2000, duration=0.3, seed=7)
    schedule = Schedule(loop, 3, 2000, 0.3, 7)
    times, sources = (np.concatenate(part) for part in zip(*map(schedule.until, schedule.slices()), strict=True))
    assert [] == report.ledger.problems()
    assert (len(times), 0, 0) == (report.ledger.sent, report.ledger.unsent, report.ledger.failed)
    assert (times + report.started).tolist() == [sample.sent for sample in samples]
    assert sources.tolist() == [sample.source for sample in samples]
    assert [sample.sent // 10**9 for sample in samples] == [sample.timestamp for sample in samples]
    assert_gapless(samples, range(3))


@pytest.mark.parametrize("loop", ["constant", "poisson"])
def test_the_same_seed_plays_the_same_load(embedded_lane: Lane, another: Lane, loop: str) -> None:
    """Readings, sources and times from the start are the seed's; another seed plays another load."""

    def played(lane: Lane, **settings: Any) -> list[tuple[Any, ...]]:
        with lane.redis() as redis:
            redis.delete(lane.bus.stream)
        report, samples = play(lane, loop=loop, workers=4, rate=2000, duration=0.1, **settings)
        return [(s.source, (s.seq or 0) % RUN, s.cpu, s.mem, s.sent - report.started) for s in samples]

    first = played(embedded_lane, seed=5)
    assert first == played(another, seed=5)
    assert first == played(another, seed=5, codec="binary")
    assert first != played(another, seed=6)


def test_readings_look_like_readings(embedded_lane: Lane) -> None:
    """Percentages, and not all the same."""
    _, samples = play(embedded_lane, count=500, workers=1)
    assert all(0 <= sample.cpu <= 100 and 0 <= sample.mem <= 100 for sample in samples)
    assert len({sample.cpu for sample in samples}) > 300


UNSIGNED = st.integers(0, 2**32 - 1)


@given(
    codec=st.sampled_from(sorted(CODECS)),
    seed=st.integers(0, 9),
    rows=st.lists(st.tuples(UNSIGNED, UNSIGNED, st.integers(0, 2**63 - 2))),
)
def test_payloads_made_at_once_are_the_codecs_own(codec: str, seed: int, rows: list[tuple[int, int, int]]) -> None:
    """A message's bytes are what the codec makes of its sample, whatever messages are made along with it."""
    encode = encoder(LoadSettings(codec=codec, seed=seed))
    together = encode(*np.array(rows, dtype=np.int64).reshape(-1, 3).T)
    alone = [encode(*np.array([row], dtype=np.int64).T)[0] for row in rows]
    samples, rejected, _ = DECODERS["json.loads"](together)
    assert not rejected
    assert rows == [(s.source, s.seq, s.sent) for s in samples]
    assert [sent // 1_000_000_000 for _, _, sent in rows] == [s.timestamp for s in samples]
    assert together == alone == [CODECS[codec].encode(sample) for sample in samples]


@given(
    fields=st.integers(2, 200),
    tags=st.integers(0, 20),
    seed=st.integers(0, 9),
    rows=st.lists(st.tuples(UNSIGNED, UNSIGNED, st.integers(1, 2**63 - 2)), min_size=1, max_size=5),
)
@limits(max_examples=40, deadline=None)
def test_a_message_holds_the_fields_and_tags_asked_for(
    fields: int, tags: int, seed: int, rows: list[tuple[int, int, int]]
) -> None:
    """So many different numbers and tags, in the codec's own bytes; a source keeps its tags; two fields change none."""
    arrays = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    payloads = encoder(LoadSettings(fields=fields, tags=tags, seed=seed))(*arrays)
    samples, rejected, _ = DECODERS["json.loads"](payloads)
    assert not rejected
    assert payloads == [CODECS["json"].encode(sample) for sample in samples]
    assert {(fields - 2, tags)} == {(len(s.fields or ()), len(s.tags or ())) for s in samples}
    assert len({s.source for s in samples}) >= len({(s.source, str(s.tags)) for s in samples})
    bare = encoder(LoadSettings(seed=seed))(*arrays)
    assert all(payload.startswith(two[:-1]) for payload, two in zip(payloads, bare, strict=True))


def test_the_account_is_what_redis_has(embedded_lane: Lane) -> None:
    """Sent messages and bytes are those on the stream."""
    report, samples = play(embedded_lane, workers=2, rate=1000, duration=0.2)
    with embedded_lane.redis() as redis:
        sizes = [len(fields[b"d"]) for _, fields in redis.xrange(embedded_lane.bus.stream)]
    assert (200, sum(sizes)) == (len(samples), report.ledger.bytes)
    assert report.rate == pytest.approx(report.ledger.sent / report.elapsed)
    assert 0.15 < report.elapsed < 5


def test_receivers_are_counted(embedded_lane: Lane) -> None:
    """On Pub/Sub the ledger tells how many heard: nobody, or each of two subscribers."""
    for listeners in (0, 2):
        opened = [
            open_receiver("socket-reads", embedded_lane.bus, ConsumerSettings(transport="pubsub"))
            for _ in range(listeners)
        ]
        ledger = run_load(LoadSettings(transport="pubsub", count=100), embedded_lane.bus).ledger
        assert (100, 100 * listeners) == (ledger.sent, ledger.receivers)
        for receiver in opened:
            receiver.close()


# A wall clock that is set --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0], ids=["back", "ahead"])
@pytest.mark.parametrize("settings", [{"rate": 500.0}, {"loop": "closed", "workers": 2}], ids=["open", "closed"])
def test_a_clock_set_in_mid_load_changes_nothing(
    embedded_lane: Lane, settings: dict[str, Any], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load ends after its duration, whole, at its rate, with increasing times and no delay of an hour."""
    clock = SteppedClock()
    for module in (generator, dispatch, recording):
        monkeypatch.setattr(module, "time", clock)
    load = LoadGenerator(LoadSettings(duration=0.6, **settings), embedded_lane.bus)
    timer = threading.Timer(0.3, lambda: setattr(clock, "seconds", seconds))
    timer.start()
    report = load.run()
    timer.join()
    assert (clock.seconds, 0) == (seconds, report.ledger.unsent)
    assert 0.5 < report.elapsed < 3600
    delays = Recorder.from_dict(report.delay)
    assert -1 <= delays.quantile(0.0) <= delays.quantile(1.0) < 3600e9
    sent = messages(embedded_lane)
    assert sent[-1].sent - sent[0].sent < 3600e9


# Filling a stream ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "workers"), [(1, 16), (499, 7), (1001, 3), (12_345, 16)])
def test_count_fills_exactly(embedded_lane: Lane, count: int, workers: int) -> None:
    """As many messages as asked for, in turn over the sources, each with a time of its own."""
    report, samples = play(embedded_lane, count=count, workers=workers)
    assert (count, count, 0) == (report.ledger.scheduled, report.ledger.sent, report.ledger.unsent)
    assert count == len(samples) == len({sample.sent for sample in samples})
    assert count == len({(sample.source, sample.sent // 1_000_000) for sample in samples})  # what some stores keep
    assert all(sample.sent <= time.time_ns() for sample in samples)
    assert_gapless(samples, range(min(count, workers)))
    assert len(Recorder.from_dict(report.delay)) == 0  # nothing was intended for a time


# Several processes ---------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 500),
    st.integers(1, 64),
    st.integers(0, 10_000),
    st.floats(1e-3, 1e7, allow_nan=False),
    st.integers(0, 1000),
)
def test_shares_are_the_whole(workers: int, processes: int, count: int, rate: float, first: int) -> None:
    """Sources are split without overlap or gap; rate and count add up; no process is idle, or told to send nothing."""
    settings = LoadSettings(workers=workers, count=count, rate=rate, first_source=first)
    parts = shares(settings, processes)
    numbered = [source for part in parts for source in range(part.first_source, part.first_source + part.workers)]
    assert count == sum(part.count for part in parts)
    assert all(part.workers >= 1 and bool(part.count) == bool(count) for part in parts)
    if not count:
        assert min(workers, processes) == len(parts)
        assert list(range(first, first + workers)) == numbered
        assert rate == pytest.approx(sum(part.rate for part in parts))
    assert len(numbered) == len(set(numbered))
    assert set(numbered) <= set(range(first, first + workers))


@given(st.integers(1, 90), st.integers(1, 500), st.integers(1, 64))
def test_shares_split_workers_and_sources_alike(workers: int, sources: int, processes: int) -> None:
    """Where sources are not as many as workers, each process has its part of both, and no worker is lost."""
    parts = shares(LoadSettings(workers=workers, sources=sources), processes)
    assert min(sources, processes) == len(parts)
    assert sources == sum(part.emitters for part in parts)
    assert all(part.workers >= 1 for part in parts)
    assert workers <= sum(part.workers for part in parts) < workers + len(parts)


@pytest.mark.parametrize("how", [{"rate": 3000.0, "duration": 0.5}, {"count": 1500}])
def test_processes_share_the_sources(embedded_lane: Lane, how: dict[str, Any], tmp_path: Path) -> None:
    """Two processes play one load: sources numbered through, sequences gapless, one account, a record of each."""
    settings = LoadSettings(workers=5, **how)
    report = run_load(settings, embedded_lane.bus, processes=2, record=tmp_path)
    samples = messages(embedded_lane)
    assert ([], 1500, 1500) == (report.ledger.problems(), report.ledger.scheduled, report.ledger.sent)
    assert 1500 == len(samples)
    assert_gapless(samples, range(5))
    saved = [json.loads((tmp_path / str(n) / LEDGER).read_text()) for n in range(2)]
    assert [2, 3] == [item["settings"]["workers"] for item in saved]
    assert report.ledger.sent == sum(item["ledger"]["sent"] for item in saved)
    assert report.started == min(item["started"] for item in saved)
    if "rate" in how:
        assert 1500 == len(Recorder.from_dict(report.delay))


def test_a_stop_reaches_every_process(embedded_lane: Lane) -> None:
    """A load of several processes ends when it is told to, and still accounts for everything."""
    stop = StopSignal()

    def some_are_sent_then_stop() -> None:
        wait_until("some are sent", lambda: len(messages(embedded_lane)) > 10, 20)
        stop.request(5.0)

    stopper = threading.Thread(target=some_are_sent_then_stop)
    stopper.start()
    start = time.monotonic()
    report = run_load(LoadSettings(workers=4, rate=200, duration=30.0), embedded_lane.bus, processes=2, stop=stop)
    stopper.join()
    assert time.monotonic() - start < 15
    assert [] == report.ledger.problems()
    assert (6000, len(messages(embedded_lane))) == (report.ledger.scheduled, report.ledger.sent)


# What is late, or never leaves ---------------------------------------------------------------------------------------


def test_send_delay_is_recorded_of_every_message(embedded_lane: Lane, tmp_path: Path) -> None:
    """Actual minus intended send, of each message; the intervals of the record add up to the whole."""
    report = run_load(LoadSettings(rate=1000, duration=0.8), embedded_lane.bus, record=tmp_path)
    delay = Recorder.from_dict(report.delay)
    assert 800 == len(delay)
    assert (0, 0) == (delay.negative, delay.zero)
    folder = tmp_path / "0"
    assert (folder / READY).exists()
    lines = [json.loads(line) for line in (folder / INTERVALS).read_text().splitlines()]
    assert 800 == sum(len(Recorder.from_dict(line["delay"])) for line in lines) == lines[-1]["sent"]
    assert re.search(r" send_delay_p50_us=\d+ .* send_delay_max_us=\d+$", str(report))


def test_a_stall_shows_as_send_delay(embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generator that was held up sends what fell due meanwhile, late, and says how late; no message vanishes."""
    load = LoadGenerator(LoadSettings(rate=1000, duration=0.6), embedded_lane.bus)
    send, calls = Sender.send, iter(range(10**9))

    def held_up(sender: Sender, connection: int, commands: Sequence[bytes]) -> None:
        if next(calls) == 20:
            time.sleep(0.3)
        send(sender, connection, commands)

    monkeypatch.setattr(Sender, "send", held_up)
    report = load.run()
    assert (600, 600) == (report.ledger.scheduled, report.ledger.sent)
    delay = Recorder.from_dict(report.delay)
    assert delay.quantile(0.99) > 200e6
    assert np.mean([delay.quantile(q / 100) > 50e6 for q in range(100)]) > 0.3  # not one late message, but all of them


def test_a_stop_leaves_the_rest_unsent(embedded_lane: Lane) -> None:
    """Asked to stop, the generator ends soon; what it had scheduled and not sent is unsent."""
    stop = StopSignal()
    threading.Timer(0.3, stop.request, [1.0]).start()
    start = time.monotonic()
    report = run_load(LoadSettings(rate=500, duration=3.0), embedded_lane.bus, stop=stop)
    assert time.monotonic() - start < 2.0
    assert [] == report.ledger.problems()
    assert 1500 == report.ledger.scheduled
    assert 0 < report.ledger.unsent < 1500
    assert len(messages(embedded_lane)) == report.ledger.sent


def test_a_rate_that_cannot_be_kept_leaves_unsent_messages(embedded_lane: Lane) -> None:
    """What is not sent within the grace after the schedule's end is unsent, not sent later under another name."""
    settings = LoadSettings(rate=4_000_000, duration=0.2, grace=0.1)
    report = run_load(settings, embedded_lane.bus)
    assert [] == report.ledger.problems()
    assert 800_000 == report.ledger.scheduled
    assert report.ledger.unsent > 0
    with embedded_lane.redis() as redis:
        assert redis.xlen(embedded_lane.bus.stream) >= report.ledger.sent


def test_what_redis_refuses_is_failed(embedded_lane: Lane, caplog: pytest.LogCaptureFixture) -> None:
    """Messages that Redis answers with an error are unsent, and its words are logged."""
    with embedded_lane.redis() as redis:
        redis.set(embedded_lane.bus.stream, "in the way")
        ledger = run_load(LoadSettings(count=100), embedded_lane.bus).ledger
        redis.delete(embedded_lane.bus.stream)
    assert (100, 0, 100, 100) == (ledger.scheduled, ledger.sent, ledger.unsent, ledger.failed)
    assert "WRONGTYPE" in caplog.text


def test_a_broken_connection_loses_no_message(embedded_lane: Lane) -> None:
    """Redis hangs up in the middle: what it had not answered is sent again."""
    with loading(embedded_lane, rate=2000, duration=0.6, workers=4) as load:
        wait_until("some are sent", lambda: len(messages(embedded_lane)) > 200)
        with embedded_lane.redis() as redis:
            redis.execute_command("CLIENT", "KILL", "SKIPME", "yes")
        ledger = load.result(10).ledger
    assert ([], 1200, 0) == (ledger.problems(), ledger.sent, ledger.unsent)
    actual = numbers(messages(embedded_lane))
    assert all(set(range(300)) == set(seqs) for seqs in actual.values())


# The original's closed loop ------------------------------------------------------------------------------------------


def test_the_closed_loop_sends_when_redis_has_answered(embedded_lane: Lane) -> None:
    """Rounds over all sources for the duration: everything sent, sequences gapless, times increasing."""
    report, samples = play(embedded_lane, loop="closed", workers=8, duration=0.3)
    assert [] == report.ledger.problems()
    assert report.ledger.scheduled == report.ledger.sent == len(samples)
    assert report.ledger.sent % 8 == 0
    assert report.ledger.sent > 8
    assert 0 < samples[-1].sent - samples[0].sent < 1e9
    assert_gapless(samples, range(8))


def test_a_closed_loop_of_few_workers_plays_many_sources(embedded_lane: Lane) -> None:
    """Two senders at a time take turns with five sources; each source numbers its own messages."""
    report, samples = play(embedded_lane, loop="closed", workers=2, sources=5, duration=0.2)
    assert [] == report.ledger.problems()
    assert (0, True) == (report.ledger.sent % 2, report.ledger.sent > 20)
    assert_gapless(samples, range(5))


def test_a_million_sources_are_ready_at_once(embedded_lane: Lane) -> None:
    """Each of the first messages is another source's, and the generator spends no second on those that follow."""
    begun = time.process_time()
    report, samples = play(embedded_lane, sources=1_000_000, count=2000)
    assert time.process_time() - begun < 1
    assert (2000, list(range(2000))) == (report.ledger.sent, sorted(s.source or 0 for s in samples))


# Settings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("transport", "kafka", "pubsub, stream"),
        ("codec", "xml", "json, binary"),
        ("loop", "open", "constant, poisson, bursts, ramp, closed"),
        ("fields", 0, "from 2 to 200"),
        ("fields", 1, "from 2 to 200"),
        ("fields", 201, "from 2 to 200"),
        ("tags", -1, "from 0 to 20"),
        ("tags", 21, "from 0 to 20"),
        ("sources", -1, "from 0 to 1,000,000"),
        ("workers", 0, "above 0"),
        ("rate", -1.0, "above 0"),
        ("rate", float("nan"), "above 0"),
        ("rate", float("inf"), "above 0"),
        ("duration", 0.0, "above 0"),
        ("duration", float("inf"), "above 0"),
        ("connections", 0, "above 0"),
        ("tick", 0.0, "above 0"),
        ("count", -1, "a number of messages"),
    ],
)
def test_a_setting_that_cannot_be_played_is_refused(embedded: Stack, name: str, value: Any, expected: str) -> None:
    """The error names the setting, its value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        run_load(LoadSettings(**{name: value}), embedded.bus)
    assert str(caught.value).startswith(f"{name}={value!r}: expected ")
    assert expected in str(caught.value)


@pytest.mark.parametrize("more", [{"fields": 3}, {"tags": 1}])
def test_the_binary_codec_holds_the_originals_message(embedded: Stack, more: dict[str, int]) -> None:
    """Its layout has no room for more, and one line says so."""
    with pytest.raises(
        SettingsError, match=r"^codec='binary' with fields=\d and tags=\d: expected json, since .* 2 num"
    ):
        run_load(LoadSettings(codec="binary", **more), embedded.bus)


def test_more_processes_than_sources_are_refused(embedded: Stack) -> None:
    """A process without a source would have nothing to play."""
    with pytest.raises(SettingsError, match=r"^processes=3: expected at most one a source, of which there are 2$"):
        run_load(LoadSettings(sources=2), embedded.bus, processes=3)


def test_no_processes_are_refused(embedded: Stack) -> None:
    """At least one."""
    with pytest.raises(SettingsError, match="processes=0: expected 1 or more"):
        run_load(LoadSettings(), embedded.bus, processes=0)


@pytest.mark.parametrize("processes", [1, 2])
def test_an_absent_redis_is_an_error_at_the_start(processes: int) -> None:
    """Nothing is played against nobody; also where the players are other processes."""
    with pytest.raises(BusError, match=r"Redis at redis://127\.0\.0\.1:1/0: .*refused"):
        run_load(LoadSettings(), BusSettings(url="redis://127.0.0.1:1/0"), processes=processes)


def test_a_report_is_one_line() -> None:
    """The ledger, the rate, and the send delay if there was any."""
    report = LoadReport(SenderLedger(scheduled=10, sent=10), 0, 2.0, Recorder().to_dict())
    assert "load scheduled=10 sent=10 unsent=0 rate=5/s" == str(report)
    assert 0.0 == LoadReport(SenderLedger(), 0, 0.0, {}).rate
