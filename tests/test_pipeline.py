"""The whole way on real servers: what was sent is what the store holds, whatever is chosen on every axis."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from support.servers import Lane, consume, consuming, finish, wait_until

from sentinel import bus
from sentinel.consumer.choices import CHOICES
from sentinel.consumer.configurations import CONFIGURATIONS, parse
from sentinel.load.processes import run_load
from sentinel.model.codecs import CODECS
from sentinel.model.lineprotocol import visible
from sentinel.model.sample import Sample
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from sentinel.consumer.consumer import Consumer
    from sentinel.lab.stack import Stack
    from sentinel.load.report import LoadReport
    from sentinel.model.ledger import ConsumerReport
    from sentinel.settings import StoreSettings

MESSAGES, FEW = 300, 100
"""Of a load; few where each message is a request of its own."""
SWITCHES = [
    f"{name},{axis}={choice}"
    for name in ("optimised", "baseline")
    for axis, choices in CHOICES.items()
    for choice in choices
    if CONFIGURATIONS[name].axes()[axis] != choice
]


def messages(configuration: str) -> int:
    """How many such a configuration is to carry."""
    return FEW if parse(configuration).write == "client-synchronous" else MESSAGES


def carry(lane: Lane, configuration: str, transport: str, **load: object) -> tuple[LoadReport, ConsumerReport]:
    """Play a load while a consumer listens; both reports."""
    settings = LoadSettings(transport=transport, workers=4, **load)  # type: ignore[arg-type]
    with consuming(lane, configuration, transport=transport) as (consumer, running):
        return run_load(settings, lane.bus), finish(consumer, running)


def assert_all_arrived(lane: Lane, sent: LoadReport, got: ConsumerReport, messages: int) -> None:
    """Both ledgers add up, and the store says the same."""
    assert (sent.ledger.problems(), got.ledger.problems()) == ([], [])
    assert (messages, messages, 0) == (sent.ledger.scheduled, sent.ledger.sent, sent.ledger.unsent)
    written = (got.ledger.received, got.ledger.written, got.ledger.rejected, got.ledger.pending)
    assert (messages, messages, 0, 0) == written
    assert (0, 0) == (got.ledger.lost, got.ledger.duplicated)
    wait_until(f"the store holds {messages} points", lambda: lane.stored() >= messages, 5)
    assert messages == lane.stored()


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
@pytest.mark.parametrize("codec", ["json", "binary"])
@pytest.mark.parametrize("transport", ["pubsub", "stream"])
def test_what_was_sent_is_stored(lane: Lane, transport: str, codec: str, configuration: str) -> None:
    """On every stack, bus, codec and configuration: sent = written = stored, and nothing else happened."""
    count = messages(configuration)
    sent, got = carry(lane, configuration, transport, codec=codec, count=count)
    assert_all_arrived(lane, sent, got, count)


@pytest.mark.parametrize("configuration", SWITCHES)
def test_every_axis_switched_alone_carries_all(embedded_lane: Lane, configuration: str) -> None:
    """An ablation is a whole pipeline too: one axis switched, and everything still arrives."""
    count = messages(configuration)
    sent, got = carry(embedded_lane, configuration, "stream", count=count)
    assert_all_arrived(embedded_lane, sent, got, count)


@pytest.mark.parametrize("load", [{"rate": 800.0, "duration": 0.5}, {"count": 400}])
@pytest.mark.parametrize("configuration", ["client-batching", "optimised"])
def test_victoria_metrics_takes_it_too(
    embedded: Stack, victoria: StoreSettings, configuration: str, load: dict[str, float]
) -> None:
    """Through `/api/v2/write`, to the millisecond and without duplicates: messages on time and a full stream's."""
    lane = Lane.on(embedded.bus, victoria)
    sent, got = carry(lane, configuration, "stream", **load)
    assert_all_arrived(lane, sent, got, 400)
    bus.remove(lane.bus)


# The same points, whoever writes them --------------------------------------------------------------------------------

NOW = time.time_ns() // 1_000_000_000
HOSTS = [
    "plain",
    "with space",
    "comma,equals=both",
    " leads and trails ",
    "back\\slash",
    "trailing\\",
    "back\\ slash space",
    "new\nline\r\ttab",
    "\"quoted\" and 'so'",
    "ünïcödé 主机 🖥",
    "",
]


def awkward_samples() -> list[Sample]:
    """Everything that a line has trouble with, each at a time of its own."""
    named = [Sample(NOW, 12.5, 40.0, NOW * 10**9 + n, host=host, source=n, seq=0) for n, host in enumerate(HOSTS)]
    fields = {"load1": 0.25, "disk,used=%": 71.0, "net rx\\": 1e-7, "größe": -3.0, "new\nline": 12345678901234.0}
    more = Sample(NOW, 1 / 3, 1e300, NOW * 10**9 + 100, host="fields", source=2**32 - 1, seq=1, fields=fields)
    more.tags = {"rack": "r 7", "zone,=": "a\\b", "straße": "é\n", "none": ""}
    tagged = Sample(NOW, 1.0, 2.0, NOW * 10**9 + 102, source=5, tags=more.tags)
    return [*named, more, tagged, Sample(NOW, -0.0, 5e-324, NOW * 10**9 + 101), Sample(NOW - 7, 100.0, 0.0)]


def test_points_are_the_same_in_every_configuration(real: Stack) -> None:
    """The three configurations, and each axis switched, leave the very same points in the store."""
    payloads = [CODECS["json"].encode(sample) for sample in awkward_samples()]
    collected = {}
    for configuration in [*CONFIGURATIONS, "optimised,point=influxdb-client", "baseline,point=line-bytes"]:
        lane = Lane.on(real.bus, real.store)
        lane.publish(payloads)
        report = consume(lane, configuration)
        assert (len(payloads), 0) == (report.ledger.written, report.ledger.rejected)
        collected[configuration] = lane.rows()
        bus.remove(lane.bus)
    assert len(payloads) == len(collected["optimised"])
    for configuration, rows in collected.items():
        assert collected["optimised"] == rows, configuration


def test_points_say_what_the_messages_said(lane: Lane) -> None:
    """Host, source, readings, further fields and time come back from the store as they were sent."""
    samples = awkward_samples()
    lane.publish([CODECS["json"].encode(sample) for sample in samples])
    consume(lane)
    expected = [
        {"time": s.time, "cpu": s.cpu, "mem": s.mem}
        | ({"host": visible(s.host)} if s.host else {})
        | ({} if s.source is None else {"source": str(s.source)})
        | {visible(name): value for name, value in (s.fields or {}).items()}
        | {visible(name): visible(value) for name, value in (s.tags or {}).items() if value}
        for s in samples
    ]
    assert sorted(expected, key=lambda row: (row["time"], row.get("host", ""))) == lane.rows()


# The original's messages ---------------------------------------------------------------------------------------------

SENT = NOW * 10**9 + 123_456_789


def original_json(sent: int | None) -> bytes:
    """The original's four keys, or three where it gave no send time."""
    record = {"timestamp": NOW, "cpu_usage": 12.5, "mem_usage": 40.25, "send_time_unix_nano": sent}
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode()


def original_binary(sent: int | None) -> bytes:
    """The original's 32 bytes."""
    return struct.pack("<qddq", NOW, 12.5, 40.25, sent or 0)


def publish_from_outside(lane: Lane, payload: bytes) -> int:
    """PUBLISH as a stranger does it, with redis-cli where there is one; returns the receivers."""
    address = urlsplit(lane.bus.url)
    host, port = address.hostname or "", address.port or 0
    if program := shutil.which("redis-cli"):
        command = [program, "-h", host, "-p", str(port), "-x", "PUBLISH", lane.bus.channel]
        done = subprocess.run(command, input=payload, capture_output=True, check=True, timeout=10)
        return int(done.stdout.split()[-1])
    with socket.create_connection((host, port), timeout=10) as connection:
        words = [b"PUBLISH", lane.bus.channel.encode(), payload]
        connection.sendall(b"*3\r\n" + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words))
        return int(connection.recv(100)[1:])


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
@pytest.mark.parametrize("make", [original_json, original_binary], ids=["json", "binary"])
def test_the_originals_messages_become_points(
    lane: Lane, make: Callable[[int | None], bytes], configuration: str
) -> None:
    """A generator that knows only the original's formats is understood: send time if given, else its seconds."""
    with consuming(lane, configuration, transport="pubsub") as (consumer, running):
        assert [1, 1] == [publish_from_outside(lane, make(sent)) for sent in (SENT, None)]
        report = finish(consumer, running)
    assert (2, 2, 0) == (report.ledger.received, report.ledger.written, report.ledger.lost)
    assert [{"time": at, "cpu": 12.5, "mem": 40.25} for at in (NOW * 10**9, SENT)] == lane.rows()


# At once -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(embedded_lane: Lane) -> Iterator[list[tuple[Consumer, Future[None]]]]:
    """Two consumers of one group."""
    with (
        consuming(embedded_lane, name="left", read_count=20) as left,
        consuming(embedded_lane, "baseline", name="right") as right,
    ):
        yield [left, right]


def test_two_consumers_of_a_group_share_the_stream(
    embedded_lane: Lane, pair: list[tuple[Consumer, Future[None]]]
) -> None:
    """Each message goes to one of them, and together they store them all once."""
    sent = run_load(LoadSettings(workers=4, rate=1000, duration=0.5), embedded_lane.bus)
    reports = [finish(consumer, running) for consumer, running in pair]
    written = [report.ledger.written for report in reports]
    assert all(written)
    assert sent.ledger.sent == sum(written) == embedded_lane.stored()
