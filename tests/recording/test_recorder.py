"""Recording from a real bus: all that passes, nothing that others would notice, and an end that says why."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.recordings import contents, message
from support.servers import Lane, wait_until

from sentinel.bus.receiving.observed import observe
from sentinel.errors import BusError, RecordingError
from sentinel.load.processes import run_load
from sentinel.model.codecs import MAX_PAYLOAD
from sentinel.recording import recorder as module
from sentinel.recording.format import MESSAGES, Header
from sentinel.recording.mask import Mask
from sentinel.recording.reader import Reader
from sentinel.recording.recorder import Limits, Recorder
from sentinel.recording.writer import DiskFullError, Writer
from sentinel.runtime.stop import StopSignal
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from sentinel.recording.format import Trailer

LONG = Limits(1 << 30, 30.0)


@contextmanager
def recorded(
    lane: Lane, path: Path, transport: str = "stream", limits: Limits = LONG, mask: Mask | None = None
) -> Iterator[tuple[StopSignal, Future[Trailer]]]:
    """A recording under way, which ends with the block at the latest."""
    stop, source = StopSignal(), observe(lane.bus, transport)
    recorder = Recorder(source, Writer(path, Header()), limits, stop, mask)
    with ThreadPoolExecutor(1) as pool:
        try:
            yield stop, pool.submit(recorder.run)
        finally:
            stop.request(0.0)
    source.close()


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_all_that_passes_is_in_it(lane: Lane, transport: str, tmp_path: Path) -> None:
    """Every message of a load, in its order, with times that never decrease; on Redis nothing has changed."""
    path = tmp_path / "a.rec"
    lane.publish([message(seq=0)])  # what is there already does not come again
    with recorded(lane, path, transport) as (stop, running):
        report = run_load(LoadSettings(transport=transport, rate=2000, duration=0.5), lane.bus)
        time.sleep(0.3)
        stop.request(0.0)
        trailer = running.result(10)
    assert 1000 == report.ledger.sent == trailer.messages
    times, payloads = contents(path)
    assert (sorted(times), report.ledger.bytes) == (times, sum(map(len, payloads)))
    assert 0.3e9 < times[-1] - times[0] < 5e9
    assert "stop" == trailer.ended
    with lane.redis() as redis:
        assert 1 + 1000 * (transport == "stream") == redis.xlen(lane.bus.stream)
        assert [] == redis.xinfo_groups(lane.bus.stream)


@pytest.mark.parametrize(("limits", "why"), [(Limits(1000, 30.0), "bytes"), (Limits(1 << 30, 0.4), "duration")])
def test_it_ends_with_whichever_comes_first(embedded_lane: Lane, tmp_path: Path, limits: Limits, why: str) -> None:
    """Bytes are never more than allowed, and the trailer says what ended it."""
    path = tmp_path / "a.rec"
    with recorded(embedded_lane, path, limits=limits) as (_, running):
        embedded_lane.publish([message(seq=n) for n in range(50)])
        trailer = running.result(10)
    assert why == trailer.ended
    assert trailer.size <= limits.size
    assert (trailer.messages < 50) == (why == "bytes")


def test_nothing_came(embedded_lane: Lane, tmp_path: Path) -> None:
    """One line, and no file."""
    with (
        recorded(embedded_lane, tmp_path / "a.rec", limits=Limits(1000, 0.2)) as (_, running),
        pytest.raises(RecordingError, match="nothing was recorded: of messages there came none"),
    ):
        running.result(10)
    assert [] == list(tmp_path.iterdir())


def test_a_message_that_is_too_long_is_left_out(embedded_lane: Lane, tmp_path: Path) -> None:
    """And counted; those around it are kept."""
    path = tmp_path / "a.rec"
    with recorded(embedded_lane, path) as (stop, running):
        embedded_lane.publish([message(seq=1), b"x" * (MAX_PAYLOAD + 1), message(seq=2)])
        time.sleep(0.3)
        stop.request(0.0)
        trailer = running.result(10)
    assert (2, 1) == (trailer.messages, trailer.left_out)
    assert [message(seq=1), message(seq=2)] == contents(path)[1]


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_a_bus_that_breaks_off_is_come_back_to(embedded_lane: Lane, transport: str, tmp_path: Path) -> None:
    """The gap is counted; on a stream nothing is missed."""
    path, lane = tmp_path / "a.rec", embedded_lane
    with recorded(lane, path, transport) as (stop, running), lane.redis() as redis:
        lane.publish([message(seq=1)], transport)
        time.sleep(0.3)
        redis.client_kill_filter(_type="pubsub" if transport == "pubsub" else "normal", skipme=True)
        if transport == "stream":
            lane.publish([message(seq=2)], transport)
        wait_until("it listens again", lambda: lane.publish([message(seq=3)], transport), 10)
        time.sleep(0.3)
        stop.request(0.0)
        trailer = running.result(10)
    assert 1 == trailer.interruptions
    assert [message(seq=n) for n in ((1, 2, 3) if transport == "stream" else (1, 3))] == contents(path)[1]


def test_a_bus_that_stays_away_ends_with_what_there_is(embedded_lane: Lane, tmp_path: Path) -> None:
    """What was taken is kept once time is up, and for how long the bus was away is in the trailer."""

    class Gone:
        missed = ""

        def __init__(self) -> None:
            self.source = observe(embedded_lane.bus, "stream")
            self.reads = 0

        def read(self, timeout: float) -> object:
            embedded_lane.publish([message(seq=self.reads)])
            self.reads += 1
            if self.reads > 3:
                raise BusError("gone")
            return self.source.read(timeout)

        def reconnect(self) -> None:
            raise BusError("still gone")

    path = tmp_path / "a.rec"
    recorder = Recorder(Gone(), Writer(path, Header()), Limits(1000, 0.6), StopSignal())  # type: ignore[arg-type]
    trailer = recorder.run()
    assert (3, 1, "duration") == (trailer.messages, trailer.interruptions, trailer.ended)
    assert 0.1e9 < trailer.away < 2e9
    assert 3 == len(contents(path)[0])


def test_names_and_values_never_reach_the_file(embedded_lane: Lane, tmp_path: Path) -> None:
    """A recording that is masked while it is made."""
    path = tmp_path / "a.rec"
    with recorded(embedded_lane, path, mask=Mask()) as (stop, running):
        embedded_lane.publish([message(host="secret", cpu_usage=77.77), b"secret and foreign"])
        wait_until("all came", lambda: path.with_name("a.rec.part").exists())
        time.sleep(0.3)
        stop.request(0.0)
        trailer = running.result(10)
    (payload,) = contents(path)[1]
    assert (1, 1) == (trailer.messages, trailer.left_out)
    assert b"host-0001" in payload
    assert b"secret" not in payload
    assert b"77.77" not in payload


def test_a_mask_that_cannot_go_on_keeps_what_it_had(embedded_lane: Lane, tmp_path: Path) -> None:
    """The error says how many messages came before it, and where they are."""
    path = tmp_path / "a.rec"
    letters = [chr(33 + n) for n in range(60) if chr(33 + n) not in '"\\']
    with recorded(embedded_lane, path, mask=Mask()) as (_, running):
        embedded_lane.publish([message(host="h")])
        time.sleep(0.2)
        embedded_lane.publish([message(run=letter) for letter in letters])
        with pytest.raises(RecordingError, match=r"would join two sources: .*; the \d+ messages before that are in "):
            running.result(10)
    assert b"host-0001" in contents(path)[1][0]
    with Reader(path) as reader:
        list(reader.blocks())
    assert reader.trailer is not None
    assert "mask" == reader.trailer.ended


def test_a_full_disk_ends_it_and_keeps_what_came(
    embedded_lane: Lane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says how many messages came before, and where they are."""
    append = Writer._append

    def full(writer: Writer, tag: bytes, body: bytes, *counts: int) -> None:
        if tag == MESSAGES and writer._marks[-1].blocks:
            raise DiskFullError("a.rec cannot be written on: No space left on device")
        append(writer, tag, body, *counts)

    monkeypatch.setattr(Writer, "_append", full)
    monkeypatch.setattr(module, "FLUSH", 0.05)
    with recorded(embedded_lane, tmp_path / "a.rec") as (_, running):
        embedded_lane.publish([message(seq=1)])
        time.sleep(0.7)
        embedded_lane.publish([message(seq=2)])
        with pytest.raises(RecordingError, match=r"No space left on device; the 1 messages before that are in "):
            running.result(10)
    assert [message(seq=1)] == contents(tmp_path / "a.rec")[1]


def test_a_refusal_that_no_waiting_mends_ends_it(embedded_lane: Lane, tmp_path: Path) -> None:
    """A key of another type is named: before anything is recorded, or with what was recorded kept."""
    lane = embedded_lane
    with recorded(lane, tmp_path / "a.rec") as (_, running):
        lane.publish([message()])
        time.sleep(0.3)
        with lane.redis() as redis:
            redis.set(lane.bus.stream, "text")
        with pytest.raises(RecordingError, match=r"WRONGTYPE.*; the 1 messages before that are in "):
            running.result(10)
    assert [message()] == contents(tmp_path / "a.rec")[1]
    with pytest.raises(BusError, match="WRONGTYPE"):
        observe(lane.bus, "stream")
