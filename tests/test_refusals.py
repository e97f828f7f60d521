"""A Redis that refuses: full, read-only, or without a right. What can go on goes on, and one line names the reason."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from servers import Lane, consuming, durable_bus, finish, wait_until

from sentinel import consumer as consumer_module
from sentinel.bus import Sender, open_receiver, unread
from sentinel.errors import BusRefusedError
from sentinel.lab.stack import native
from sentinel.loads import run_load
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentinel.lab.stack import Stack
    from sentinel.lab.warden import Warden

KINDS = ["redis-py", "socket-reads"]
NOW = time.time_ns()


def message(number: int, padding: str = "") -> bytes:
    """A sound one; no two are the same point."""
    sent = NOW + number
    values = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent}
    return json.dumps({**values, "host": "h" + padding}).encode()


@pytest.fixture
def bus(keeper: Warden, tmp_path: Path, native_stack: Stack) -> Iterator[BusSettings]:
    """A Redis of a test's own, to be filled and forbidden."""
    program = native.find("redis-server") or tmp_path
    server, settings = durable_bus(keeper, tmp_path, program, ("--enable-protected-configs", "yes"))
    yield settings
    server.end(signal.SIGTERM)


@pytest.fixture
def own(bus: BusSettings, embedded: Stack) -> Lane:
    """A lane on it."""
    return Lane.on(bus, embedded.store)


def user(lane: Lane, *rules: str) -> Lane:
    """The lane as a user with exactly these rights; called again it changes them."""
    with lane.redis() as client:
        client.execute_command("ACL", "SETUSER", "limited", "reset", "on", ">pw", *rules)
    url = lane.bus.url.replace("redis://", "redis://limited:pw@")
    return Lane(BusSettings(**{**vars(lane.bus), "url": url}), lane.store, lane.run)


def join(lane: Lane) -> None:
    """Make the group, as a consumer's first start does."""
    with lane.redis() as client:
        client.xgroup_create(lane.bus.stream, lane.bus.group, id="0", mkstream=True)


def fill(lane: Lane) -> int:
    """Sound messages until Redis has no memory for another; returns how many it took."""
    with lane.redis() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 2_000_000)
        number = 0
        while True:
            with client.pipeline(transaction=False) as pipeline:
                for _ in range(100):
                    number += 1
                    pipeline.xadd(lane.bus.stream, {b"d": message(number, "x" * 200)})
                if refused := sum(not isinstance(reply, bytes) for reply in pipeline.execute(raise_on_error=False)):
                    return number - refused


@contextmanager
def refusing(lane: Lane, how: str) -> Iterator[None]:
    """Redis refuses all that changes something, for a while."""
    with lane.redis() as client:
        if how == "READONLY":
            client.replicaof("127.0.0.1", "1")
        else:
            client.config_set("save", "1 1")
            client.config_set("dir", "/proc")
            client.bgsave()
            wait_until("saving fails", lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
        yield
        if how == "READONLY":
            client.replicaof("NO", "ONE")
        else:
            client.config_set("save", "")


# The way back needs no more than the way -----------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_full_redis_is_emptied(own: Lane, configuration: str) -> None:
    """With no memory left an existing group is used, at the start and after a broken connection; the stream drains."""
    join(own)
    kept = fill(own)
    with consuming(own, configuration, max_age=0.001) as (consumer, running), own.redis() as client:
        wait_until("reading has begun", lambda: consumer.ledger.received > 0)
        client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        ledger = finish(consumer, running, 60).ledger
        assert ([], kept) == (ledger.problems(), ledger.written)
        assert client.xpending(own.bus.stream, own.bus.group)["pending"] == 0
    assert own.stored() == kept


@pytest.mark.parametrize("how", ["READONLY", "MISCONF"])
@pytest.mark.parametrize("kind", KINDS)
def test_reading_starts_once_redis_takes_writes_again(
    own: Lane, kind: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A group that is there is used although Redis refuses writes at the start; the reason is said."""
    join(own)
    own.publish([message(1)])
    with refusing(own, how):
        receiver = open_receiver(kind, own.bus, ConsumerSettings())
        with pytest.raises(BusRefusedError, match=how):
            receiver.read(0.01)
    assert how in caplog.text
    receiver.reconnect()
    receiver.read(0.01)
    read = receiver.read(0.01)
    assert read is not None
    assert list(read.payloads) == [message(1)]
    receiver.close()


@pytest.mark.parametrize("kind", KINDS)
def test_coming_back_needs_no_right_of_its_own(own: Lane, kind: str) -> None:
    """A user who may only read and acknowledge joins a group that is there, and joins it again after a break."""
    join(own)
    own.publish([message(1)])
    limited = user(own, f"~{own.bus.stream}", "+xreadgroup", "+xack")
    receiver = open_receiver(kind, limited.bus, ConsumerSettings())
    receiver.reconnect()
    reads = [receiver.read(0.01) for _ in range(3)]
    assert [message(1)] == [payload for read in reads if read for payload in read.payloads]
    receiver.close()


def test_a_sender_comes_back_with_the_right_to_send(own: Lane) -> None:
    """What was not answered is sent again by a user who may do nothing but send."""
    limited = user(own, f"~{own.bus.stream}", "+xadd")
    sender = Sender(limited.bus, "stream", 1)
    sender.send(0, [message(1)])
    assert sender.collect(1.0).accepted == 1
    sender.reconnect()
    sender.send(0, [message(2)])
    assert sender.collect(1.0).accepted == 1
    sender.close()


@pytest.mark.parametrize("kind", KINDS)
def test_no_group_and_no_right_to_make_it_is_an_error_at_the_start(own: Lane, kind: str) -> None:
    """Where the group is not there and cannot be made, the refusal is the consumer's error, without `is it running`."""
    limited = user(own, f"~{own.bus.stream}", "+xreadgroup", "+xack")
    with pytest.raises(BusRefusedError, match=r"NOPERM.*xgroup") as caught:
        open_receiver(kind, limited.bus, ConsumerSettings())
    assert "running" not in str(caught.value)


# What is taken over --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_one_has_in_hand_is_not_taken_over_from_oneself(own: Lane, kind: str) -> None:
    """Entries that were read and not acknowledged yet, however long ago, are neither claimed nor read again."""
    own.publish([message(n) for n in range(10)])
    receiver = open_receiver(kind, own.bus, ConsumerSettings(claim_idle=0.01))
    reads = [receiver.read(0.01) for _ in range(12)]
    assert sum(len(read.payloads) for read in reads if read) == 10
    time.sleep(0.02)
    assert receiver.claim() is None
    receiver.reconnect()
    assert [None, None] == [receiver.read(0.01) for _ in range(2)]
    receiver.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_broken_connection_was_given_is_read_again(own: Lane, kind: str) -> None:
    """Entries that Redis delivered and that never arrived come after a reconnect, those in hand do not."""
    own.publish([message(0)])
    receiver = open_receiver(kind, own.bus, ConsumerSettings(name="c1"))
    reads = [receiver.read(0.01) for _ in range(2)]
    own.publish([message(1)])
    with own.redis() as client:
        client.xreadgroup(own.bus.group, "c1", {own.bus.stream: ">"})
    receiver.reconnect()
    reads += [receiver.read(0.01) for _ in range(2)]
    assert [message(0), message(1)] == [payload for read in reads if read for payload in read.payloads]
    receiver.close()


def test_a_dead_consumers_entries_come_as_fast_as_they_are_read(
    embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once they are idle for long enough, all are taken over one claim after the other, not one every ten seconds."""
    monkeypatch.setattr(consumer_module, "CLAIM_EVERY", 4)
    run_load(LoadSettings(count=12_000), embedded_lane.bus)
    dead = open_receiver("socket-reads", embedded_lane.bus, ConsumerSettings(name="dead", read_count=12_000))
    wait_until("all is read", lambda: dead.read(0.01) is None and not unread(embedded_lane.bus))
    dead.close()
    with consuming(embedded_lane, name="heir", claim_idle=0.05) as (consumer, running):
        wait_until("all is stored", lambda: consumer.ledger.written == 12_000, 9)
        ledger = finish(consumer, running).ledger
    assert (12_000, 12_000, 0) == (ledger.received, ledger.taken_over, ledger.duplicated)
