"""Memory has bounds: reads, batches and single messages of any size, on both transports, in a small address space."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from support.servers import ConsumerProcess, Lane, ScriptedStore, consume, consuming, finish, wait_until

from sentinel.bus import open_publisher
from sentinel.bus.receiving import upkeep

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.model.ledger import ConsumerLedger

NOW = time.time_ns()
LARGE = b'{"timestamp":1,"cpu_usage":1,"mem_usage":1,"host":"%b"}' % (b"x" * 8_000_000)
GIANT = b'{"timestamp":1,"cpu_usage":1,"mem_usage":1,"host":"%b"}' % (b"x" * 34_000_000)


class Confined(ConsumerProcess):
    """With 600 MB of address space: less than the large entries of one test, and all that a consumer needs."""

    launcher = ("sh", "-c", 'ulimit -v 600000; exec "$@"', "sh")


def sound(number: int) -> bytes:
    """A message; no two are the same point."""
    sent = NOW + number
    return json.dumps(
        {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent, "host": "h"}
    ).encode()


def publish(lane: Lane, payloads: Sequence[bytes], transport: str = "stream") -> int:
    """One command at a time: a pipeline would hold copies of all; returns the receivers."""
    publisher = open_publisher(lane.bus, transport)
    try:
        return sum(publisher.publish([payload]) for payload in payloads)
    finally:
        publisher.close()


def among_sound(payload: bytes, count: int) -> list[bytes]:
    """So many of this payload, each between two sound messages."""
    return [part for number in range(count) for part in (sound(number), payload)] + [sound(count)]


def assert_judged(ledger: ConsumerLedger, lane: Lane, bad: int, size: str) -> None:
    """The bad ones are rejected for their size, the sound ones around them stored; nothing is left."""
    assert [] == ledger.problems()
    assert ({"size": bad}, 0) == (ledger.reasons, ledger.pending)
    assert bad + 1 == ledger.written == lane.stored()
    assert all(f"{size}: expected at most 1,048,576" == detail for _, _, detail in lane.dead_letters())
    assert len(lane.dead_letters()) == bad


def leave_pending(lane: Lane, name: str) -> None:
    """Read all as a consumer that then dies."""
    with lane.redis() as client:
        client.xgroup_create(lane.bus.stream, lane.bus.group, id="0", mkstream=True)
        while client.xreadgroup(lane.bus.group, name, {lane.bus.stream: ">"}, count=1):
            pass


@pytest.mark.parametrize(
    ("real", "crashed"),
    [("embedded", False), ("native_stack", True)],
    indirect=["real"],
    ids=["fresh", "after a crash"],
)
def test_hundreds_of_megabytes_in_large_entries_fit_a_small_address_space(
    lane: Lane, crashed: bool, supervisor: Supervisor, tmp_path: Path
) -> None:
    """60 entries of 8 MB are rejected in 600 MB, new ones as well as those pending of a crash."""
    publish(lane, among_sound(LARGE, 60))
    if crashed:
        leave_pending(lane, "c1")
    process = Confined(supervisor, lane, tmp_path, "--until-empty")
    assert process.ends() == 0, process.log
    assert_judged(process.ledger, lane, 60, f"{len(LARGE):,} bytes")
    assert process.ledger.taken_over == (121 if crashed else 0)


def read_all(lane: Lane) -> None:
    """Wait until Redis holds nothing for a subscriber: it cuts one off that is 32 MB behind."""
    with lane.redis() as client:
        wait_until("all is read", lambda: not sum(int(c["omem"]) for c in client.client_list(_type="pubsub")))


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_large_messages_on_pubsub_fit_a_small_address_space(
    lane: Lane, configuration: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    """Published no faster than they are read, they are all rejected, and the sound ones between them stored."""
    process = Confined(supervisor, lane, tmp_path, configuration=configuration, transport="pubsub")
    for payload in among_sound(LARGE, 10):
        assert publish(lane, [payload], "pubsub") == 1
        read_all(lane)
    process.child.signal(signal.SIGTERM)
    assert process.ends() == 0, process.log
    assert_judged(process.ledger, lane, 10, f"{len(LARGE):,} bytes")


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
@pytest.mark.parametrize("whose", ["new", "our own", "a dead consumer's"])
def test_an_entry_too_long_for_any_read_is_rejected(embedded_lane: Lane, configuration: str, whose: str) -> None:
    """Of 34 MB only the beginning is kept; the entry is acknowledged, and the next ones are read."""
    publish(embedded_lane, among_sound(GIANT, 1))
    if whose != "new":
        leave_pending(embedded_lane, "c1" if whose == "our own" else "dead")
    with (
        patch.object(upkeep, "CLAIM_EVERY", 1),
        consuming(embedded_lane, configuration, claim_idle=0.001) as (consumer, running),
    ):
        wait_until("all is settled", lambda: consumer.ledger.written >= 2 and consumer.ledger.rejected >= 1)
        ledger = finish(consumer, running).ledger
    assert [] == ledger.problems()
    assert (2, {"size": 1}) == (embedded_lane.stored(), ledger.reasons)
    (letter,) = embedded_lane.dead_letters()
    assert (GIANT[:4096], "size", "more than 33,554,432 bytes: expected at most 1,048,576") == letter
    with embedded_lane.redis() as client:
        assert client.xpending(embedded_lane.bus.stream, embedded_lane.bus.group)["pending"] == 0


def test_a_request_body_has_a_limit_too(scripted_lane: Lane, scripted: ScriptedStore) -> None:
    """Sound messages of 0.9 MB leave for the store in bodies of 8 MB and one message at most, though 5,000 may."""
    fields = {f"{number:04d}{'x' * 250}": 1.5 for number in range(3300)}
    payloads = [json.dumps(json.loads(sound(number)) | {"fields": fields}).encode() for number in range(30)]
    publish(scripted_lane, payloads)
    ledger = consume(scripted_lane, max_age=30.0).ledger
    assert ([], 30) == (ledger.problems(), ledger.written)
    assert 3 <= len(scripted.writes) <= 5
    assert max(len(asked.body) for _, asked, _ in scripted.writes) < 9_000_000
