"""Replays: a recording's messages in its order and spacing, numbered so that every ledger holds."""

from __future__ import annotations

import json
import struct
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.commandline import Result, assert_one_line
from support.recordings import AT, MILLISECOND, message, recording
from support.servers import Lane, consuming, finish

from sentinel.errors import RecordingError, SettingsError
from sentinel.load import replay
from sentinel.load.processes import run_load
from sentinel.load.replay import Replay, own_rate
from sentinel.model.codecs import MSGSPEC
from sentinel.model.sample import RUN
from sentinel.recording.survey import playable
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.model.sample import Sample

PLAIN = struct.pack("<qddq", AT // 10**9, 33.5, 44.5, AT)
TRACED = struct.pack("<qddqII", AT // 10**9, 55.5, 66.5, AT, 9, 9)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two hosts, a numbered source of another run, two binary senders, and what nobody can read."""
    payloads = [
        message(host="web", seq=5, fields={"load": 0.25}, tags={"rack": "r1"}),
        message(host="db", run="elsewhere"),
        b"foreign",
        PLAIN,
        message(host="web", seq=6, cpu_usage=1e-7),
        TRACED,
        message(host="db", run="elsewhere", measurement="sentinel_agent"),
        message(source=3, seq=1),
    ]
    return recording(tmp_path_factory.mktemp("mixed") / "mixed.rec", payloads)


def opened(path: Path, rate: float | None = None, **settings: Any) -> Replay:
    """A replay of all sources."""
    whole = {"workers": playable(path).sources, "rate": rate or own_rate(path), "duration": 1.0} | settings
    return Replay(LoadSettings(replay=str(path), **whole))


def times(played: Replay) -> list[int]:
    """All of its schedule, made slice by slice."""
    return [int(time) for end in played.slices() for time in played.until(end).times]


def test_messages_keep_what_is_theirs(mixed: Path) -> None:
    """Other members stay to the letter, binary stays binary; source, number and times are new, run and kind gone."""
    played = opened(mixed)
    sources = played.turns(7)
    assert [0, 1, 2, 0, 3, 4, 5] == sources.tolist()
    sent = np.arange(7) + AT + 10**9
    payloads = played.encode(sources, np.arange(7) + 100, sent)
    assert [False, False, True, False, True, False, False] == [len(payload) == 40 for payload in payloads]
    first, agent = json.loads(payloads[0]), json.loads(payloads[5])
    own = {"timestamp": AT // 10**9 + 1, "send_time_unix_nano": AT + 10**9, "source": 0, "seq": 100}
    theirs = {"cpu_usage": 12.5, "mem_usage": 61.25, "host": "web", "fields": {"load": 0.25}, "tags": {"rack": "r1"}}
    assert own | theirs == first
    assert {"run", "measurement"}.isdisjoint(agent)
    assert b'"cpu_usage":1e-7' in payloads[3]
    samples: list[Sample] = MSGSPEC(payloads).samples
    assert [(s, n + 100) for n, s in enumerate(sources.tolist())] == [(s.source, s.seq) for s in samples]
    assert (33.5, 44.5, 55.5) == (samples[2].cpu, samples[2].mem, samples[4].cpu)
    again = played.encode(played.turns(1), np.array([107]), sent[:1])
    assert "web" == MSGSPEC(again).samples[0].host  # round and round


def test_the_spacing_is_the_recordings_own(tmp_path: Path) -> None:
    """Gaps stay as they were, over the seam too; at another rate they are stretched alike."""
    offsets = [0, 1, 1, 50, 90]
    path = recording(tmp_path / "a.rec", [message(seq=n) for n in range(5)], [o * MILLISECOND for o in offsets])
    own = times(opened(path, duration=0.3))
    period = 90 * MILLISECOND * 5 // 4
    expected = [k * period + o * MILLISECOND + (n == 2) for k in range(3) for n, o in enumerate(offsets)]
    assert [time for time in expected if time < 300 * MILLISECOND] == own
    half = times(opened(path, rate=own_rate(path) / 2, duration=0.3))
    assert np.allclose([2 * time for time in own[: len(half)]], half, atol=2)


@given(
    st.lists(st.integers(0, 10**9), min_size=2, max_size=30),
    st.floats(0.5, 1e6),
    st.floats(0.001, 0.5),
    st.integers(1, 5),
)
def test_a_schedule_is_fixed_and_whole(
    tmp_path_factory: pytest.TempPathFactory, gaps: list[int], rate: float, duration: float, senders: int
) -> None:
    """Strictly increasing, as many as rate times duration, the same in slices as at once, split or not."""
    offsets = np.cumsum(gaps).tolist()
    path = tmp_path_factory.mktemp("schedules") / "a.rec"
    recording(path, [message(source=n % senders) for n in range(len(gaps))], [o - offsets[0] for o in offsets])
    if not playable(path).rate:
        return
    duration = min(duration, 2000 / rate)
    played = times(opened(path, rate, duration=duration))
    assert all(earlier < later for earlier, later in pairwise(played))
    assert abs(len(played) - rate * duration) <= len(gaps)
    assert played == opened(path, rate, duration=duration).until(round(duration * 1e9)).times.tolist()
    total = playable(path).sources
    share = {"workers": 1, "rate": rate / total, "duration": duration}
    parts = [opened(path, first_source=n, **share) for n in range(total)]
    assert sorted(time for part in parts for time in times(part)) == pytest.approx(played, abs=2)


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_a_load_recorded_and_replayed_is_stored_to_the_last_message(lane: Lane, transport: str, tmp_path: Path) -> None:
    """What was recorded of agents and generators alike is played, consumed and stored, and every ledger balances."""
    hosts = [message(host=f"h{n % 3}", fields={"load": n / 8}, seq=n) for n in range(150)]
    path = recording(tmp_path / "a.rec", [*hosts, PLAIN, TRACED, b"foreign"], [2 * MILLISECOND * n for n in range(153)])
    with consuming(lane, transport=transport) as (consumer, running):
        settings = LoadSettings(transport=transport, replay=str(path), rate=own_rate(path), duration=0.5)
        report = run_load(settings, lane.bus)
        account = finish(consumer, running).ledger
    sent = report.ledger.sent
    assert ([], []) == (report.ledger.problems(), account.problems())
    assert sent == report.ledger.scheduled == pytest.approx(250, abs=3)
    assert (sent, sent, 0) == (account.received, account.written, account.rejected)
    assert (0, 0, 0) == (account.lost, account.duplicated, account.overwritten)
    assert sent == lane.stored()
    assert {"h0", "h1", "h2", None} == {row.get("host") for row in lane.rows()}


def test_processes_share_a_recording(embedded_lane: Lane, mixed: Path) -> None:
    """Two processes play each message once, sources numbered through, each sequence without gaps."""
    settings = LoadSettings(replay=str(mixed), rate=own_rate(mixed), duration=0.5)
    report = run_load(settings, embedded_lane.bus, processes=2)
    with embedded_lane.redis() as redis:
        samples = MSGSPEC([fields[b"d"] for _, fields in redis.xrange(embedded_lane.bus.stream)]).samples
    assert ([], len(samples)) == (report.ledger.problems(), report.ledger.sent)
    assert set(range(6)) == {s.source for s in samples}
    for source in range(6):
        numbers = [(s.seq or 0) % RUN for s in samples if s.source == source]
        assert list(range(len(numbers))) == numbers


def test_a_stream_is_filled_from_a_recording(embedded_lane: Lane, mixed: Path) -> None:
    """In its order, again and again, each source numbered without gaps and with a time of its own."""
    report = run_load(LoadSettings(replay=str(mixed), count=1000), embedded_lane.bus, processes=2)
    assert (1000, 1000) == (report.ledger.scheduled, report.ledger.sent)
    with embedded_lane.redis() as redis:
        payloads = [fields[b"d"] for _, fields in redis.xrange(embedded_lane.bus.stream)]
    samples = MSGSPEC(payloads).samples
    assert [0, 1, 2, 0, 3, 4, 5] * 142 == [s.source for s in samples[:994]]
    for source in range(6):
        own = [s for s in samples if s.source == source]
        assert list(range(len(own))) == [(s.seq or 0) % RUN for s in own]
        assert all(later.sent - earlier.sent >= MILLISECOND for earlier, later in pairwise(own))
    assert 1000 == len({(s.source, s.sent) for s in samples})


@pytest.fixture
def here(mixed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder with a recording, and one that was cut off."""
    (tmp_path / "mixed.rec").write_bytes(mixed.read_bytes())
    (tmp_path / "cut.rec").write_bytes(mixed.read_bytes()[:-5])
    monkeypatch.chdir(tmp_path)


# Bad input -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_played_is_refused(tmp_path: Path, mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Foreign throughout, without spacing, too large, or with another loop: one line each."""
    foreign = recording(tmp_path / "foreign.rec", [b"{}", b"x"])
    with pytest.raises(RecordingError, match=r"foreign\.rec has no message that can be played: .*\(1 type, 1 json\)"):
        run_load(LoadSettings(replay=str(foreign)), None)  # type: ignore[arg-type]
    at_once = recording(tmp_path / "once.rec", [message(), message()], [0, 0])
    with pytest.raises(RecordingError, match="no spacing of its own, as all its messages came at once: give a rate"):
        own_rate(at_once)
    assert 10 == len(times(opened(at_once, 10.0, duration=1.0)))
    with pytest.raises(SettingsError, match="loop='poisson' goes with no replay"):
        run_load(LoadSettings(replay=str(mixed), loop="poisson"), None)  # type: ignore[arg-type]
    monkeypatch.setattr(replay, "MOST", 100)
    with pytest.raises(RecordingError, match="bytes of messages: a replay holds 100 at most"):
        opened(mixed)


@pytest.mark.parametrize(
    "mistake",
    [
        (["absent.rec"], "absent.rec", "No such file"),
        (["cut.rec"], "cut.rec is cut off behind block 1", "--repair"),
        (["mixed.rec", "--loop", "closed"], "loop='closed'", "a recording has its own spacing"),
        (["mixed.rec", "--fields", "50", "--tags", "2"], "fields=50, tags=2", "its own spacing, sources and messages"),
        (["mixed.rec", "--sources", "9"], "sources=9", "its own spacing, sources and messages"),
        (["mixed.rec"], "redis://127.0.0.1:1/0", "does REDIS_URL name it?"),
        (["mixed.rec", "--processes", "2", "--rate", "10"], "redis://127.0.0.1:1/0", "does REDIS_URL name it?"),
    ],
    ids=lambda mistake: " ".join(mistake[0]),
)
@pytest.mark.usefixtures("here")
def test_a_mistake_is_one_line(sentinel: Callable[..., Result], mistake: tuple[list[str], str, str]) -> None:
    """Before anything is sent."""
    words, value, remedy = mistake
    assert_one_line(sentinel("load", "--replay", *words), value, remedy)
