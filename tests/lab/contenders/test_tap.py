"""The tap and its notes: bytes pass unchanged, and what passed is read back whatever way HTTP framed it."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import urllib3
from support.servers import wait_until

from sentinel import store
from sentinel.errors import StoreError
from sentinel.lab.contenders.wire import delivered, messages
from sentinel.lab.contenders.wire.messages import Exchange, Message, Parser
from sentinel.lab.contenders.wire.opened import OpenTap
from sentinel.model.histogram import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Lane

    from sentinel.lab.process.supervisor import Supervisor

HEAD = b"HTTP/1.1 204 No Content\r\nX-Influxdb-Version: 1.6\r\n\r\n"
S = 1_795_000_000 * 10**9


@pytest.fixture
def tap(lane: Lane, tmp_path: Path, supervisor: Supervisor) -> Iterator[OpenTap]:
    """A tap to each real store in turn."""
    opened = OpenTap(tmp_path / "tap", lane.store, supervisor)
    yield opened
    opened.close()


def test_what_passes_is_stored_and_noted(lane: Lane, tap: OpenTap) -> None:
    """A client sees the store's own answers; the notes give back the points, with times in between."""
    before, server = time.time_ns(), store.identify(tap.store)
    connection = store.StoreClient(tap.store)
    lines = [f"system_stats,run={lane.run},source={n % 3} cpu={n} {S + n}" for n in range(5000)]
    for first in (0, 2500):
        connection.write(store.write_target(tap.store, server), "\n".join(lines[first : first + 2500]).encode())
    connection.close()
    wait_until("the last answer is noted, which is forwarded before", lambda: delivered.read(tap.folder).requests == 2)
    actual = delivered.read(tap.folder)
    assert 5000 == lane.stored()
    assert (2, [2500, 2500], 5000) == (actual.requests, actual.sizes, actual.points)
    assert list(range(S, S + 5000)) == actual.times.tolist()
    assert before < actual.answered[0] < actual.answered[1] < time.time_ns()
    assert all(0 < taken < 60 * 10**9 for taken in actual.taken)
    assert {lane.store.bucket} == actual.places
    assert (5000, 0, 0) == actual.distinct()


@pytest.mark.parametrize("how", ["chunked", "gzip", "close"])
def test_every_framing_of_a_body_passes(how: str, embedded_lane: Lane, tmp_path: Path, supervisor: Supervisor) -> None:
    """Chunks, packed bodies and connections that end with their answer; chunks get the store's refusal (411)."""
    tap = OpenTap(tmp_path / "tap", embedded_lane.store, supervisor)
    body = f"system_stats,run={embedded_lane.run},source=1 cpu=1 {S}\n".encode()
    url = f"{tap.store.url}/api/v2/write?org=o&bucket={embedded_lane.store.bucket}&precision=ns"
    more: dict[str, Any] = {"chunked": {"chunked": True}, "gzip": {"headers": {"Content-Encoding": "gzip"}}}.get(
        how, {}
    )
    more = more or {"headers": {"Connection": "close"}}
    with urllib3.PoolManager() as pool:
        answer = pool.request("POST", url, body=gzip.compress(body) if how == "gzip" else body, retries=False, **more)
    tap.close()
    (exchange,) = messages.exchanges(tap.folder)
    assert body == exchange.request.content()
    assert exchange.answer is not None
    assert answer.status == exchange.answer.status == (411 if how == "chunked" else 204)


def test_a_held_tap_lets_nothing_more_through(embedded_lane: Lane, tmp_path: Path, supervisor: Supervisor) -> None:
    """What a consumer writes then is not stored, not even after its end."""
    tap = OpenTap(tmp_path / "tap", embedded_lane.store, supervisor)
    server = store.identify(tap.store)
    tap.hold()
    time.sleep(0.05)
    connection = store.StoreClient(tap.store)
    line = f"system_stats,run={embedded_lane.run} cpu=1 {S}".encode()
    target = store.write_target(tap.store, server)

    def write() -> None:
        with suppress(StoreError):
            connection.write(target, line)

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.2)
    connection.cut_off()
    writer.join()
    tap.close()
    assert 0 == embedded_lane.stored()
    assert 0 == delivered.read(tap.folder).points


def test_a_store_that_is_away_looks_away(tmp_path: Path, supervisor: Supervisor, embedded_lane: Lane) -> None:
    """The tap breaks a connection that it cannot carry on, as the store's absence would."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    tap = OpenTap(tmp_path / "tap", replace(embedded_lane.store, url=f"http://127.0.0.1:{port}"), supervisor)
    with pytest.raises(StoreError):
        store.identify(tap.store)
    tap.close()


def parsed(whole: bytes, size: int, *, answers: bool) -> list[Message]:
    """The messages of one direction that comes in pieces of this size."""
    parser, collected = Parser(answers=answers), list[Message]()
    for start in range(0, len(whole), size):
        collected += parser.feed(whole[start : start + size], (start, start))
    return [*collected, *parser.close((len(whole), len(whole)))]


REQUESTS = (
    b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /write?db=a HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello"
    b"POST /write?db=a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
)
ANSWERS = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    + HEAD
    + b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    + b"HTTP/1.0 400 Bad Request\r\n\r\nup to the end"
)


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_messages_are_found_wherever_they_are_cut(size: int) -> None:
    """Whole, byte by byte, or in between: the same messages, each with the moment of its last byte."""
    requests, answers = parsed(REQUESTS, size, answers=False), parsed(ANSWERS, size, answers=True)
    assert [b"", b"hello", b"abcde"] == [request.content() for request in requests]
    assert ["/ping", "/write?db=a", "/write?db=a"] == [request.target for request in requests]
    assert [(204, b""), (200, b"body"), (400, b"up to the end")] == [(a.status, a.content()) for a in answers]
    assert all(request.began <= request.ended for request in requests)


def exchange(body: str, at: int, target: str = "/write?db=lab", status: int = 204) -> Exchange:
    """A write and its answer `at` ns."""
    request = Message(f"POST {target} HTTP/1.1".encode(), {}, (at, at), (at, at), bytearray(body.encode()))
    return Exchange(request, Message(f"HTTP/1.1 {status} X".encode(), {}, (at, at), (at + 5, at + 5)))


def point(n: int, cpu: int = 1, tags: str = "run=r,source=1") -> str:
    """A line of a point n ns after `S`."""
    return f"system_stats,{tags} cpu={cpu},mem=2 {S + n}\n"


def test_duplicates_and_overwritten_points_are_told_apart() -> None:
    """The same point again is a duplicate; another one on its key overwrites it; another series is another point."""
    written = [point(1) + point(2), point(1), point(2, cpu=9), point(1, tags="run=r,source=2")]
    actual = delivered.delivered(exchange(body, n) for n, body in enumerate(written))
    assert (3, 1, 1) == actual.distinct()


def test_only_what_the_store_took_counts() -> None:
    """Refused and unanswered writes, other requests and comments hold no points."""
    request = exchange(point(1), 1).request
    others = [
        exchange(point(1), 1, status=400),
        Exchange(request, None),
        exchange("", 1, "/query?q=x"),
        exchange("# x", 2),
    ]
    actual = delivered.delivered([*others, exchange(point(2), 3)])
    assert (1, 1, 1, 1) == (actual.requests, actual.refused, actual.unanswered, actual.points)


@pytest.mark.parametrize(
    ("precision", "unit"), [("", 1), ("&precision=ns", 1), ("&precision=us", 10**3), ("&precision=s", 10**9)]
)
def test_times_are_read_in_the_writes_own_precision(precision: str, unit: int) -> None:
    """Whatever unit a client chose, a point's time is in ns."""
    actual = delivered.delivered([exchange("system_stats,source=1 cpu=1 1795000001\n", 1, f"/write?db=x{precision}")])
    assert [1_795_000_001 * unit] == actual.times.tolist()


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (point(123), ""),
        (point(0), "its points carry whole seconds"),
        (point(10**6), "its points carry whole milliseconds"),
        (point(123, tags="run=r"), "1 of its 1 points do not name their source and run"),
        (point(123, tags="source=1"), "1 of its 1 points do not name their source and run"),
        ("system_stats,run=r,source=1 cpu=1\n", "1 of its points carry no time of their own"),
        ("", "no point was acknowledged"),
    ],
)
def test_points_that_tell_no_latency_say_why(line: str, why: str) -> None:
    """Latency is not guessed from points whose times or tags are not what was sent."""
    text = delivered.delivered([exchange(line, S)]).unmeasurable("r")
    assert text.startswith(why)
    assert bool(text) == bool(why)


def test_escapes_in_a_series_end_no_series() -> None:
    """A blank behind a backslash belongs to the tag."""
    actual = delivered.delivered([exchange(point(1, tags="host=a\\ b\\,c,run=r"), 1)])
    assert [b"system_stats,host=a\\ b\\,c,run=r"] == actual.series


def test_intervals_hold_latency_from_the_points_time_to_the_answer() -> None:
    """Each point of a write is as old as its answer; counts grow over the intervals."""
    writes = [exchange(point(1) + point(2), S + 10**6), exchange(point(3), S + 10**9)]
    first, last = delivered.delivered(writes).intervals(measured=True)
    assert (2, 3) == (first["written"], last["written"])
    expected = Recorder()
    expected.record(np.array([10**6 + 4, 10**6 + 3]))
    assert expected.to_dict() == first["stored"]
    assert "stored" not in delivered.delivered(writes).intervals(measured=False)[0]
