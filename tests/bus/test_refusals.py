"""A Redis that refuses: full, read-only, or without a right. What can go on goes on, and one line names the reason."""

from __future__ import annotations

import json
import logging
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.choices import open_receiver
from support.servers import Lane, Restartable, consume, consuming, durable_bus, finish, loading, wait_until

from sentinel.bus import DeadLetters, Sender, unread
from sentinel.bus.byte_counter import ByteCounter
from sentinel.bus.receiving import upkeep
from sentinel.bus.refusals import ADVICE
from sentinel.consumer import rejects
from sentinel.errors import BusError, BusRefusedError
from sentinel.lab.stack import native, servers
from sentinel.load.processes import run_load
from sentinel.runtime.outage import Outage
from sentinel.runtime.stop import StopSignal
from sentinel.settings import BusSettings, ConsumerSettings, LoadSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.commandline import Result

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

KINDS = ["redis-py", "socket-reads"]
NOW = time.time_ns()


def message(number: int, padding: str = "") -> bytes:
    """A sound one; no two are the same point."""
    sent = NOW + number
    values = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent}
    return json.dumps({**values, "host": "h" + padding}).encode()


@pytest.fixture
def server(supervisor: Supervisor, tmp_path: Path, native_stack: Stack) -> Iterator[Restartable]:
    """A Redis of a test's own, to be filled, forbidden and killed."""
    program = native.find("redis-server") or tmp_path
    started, _ = durable_bus(supervisor, tmp_path, program, ("--enable-protected-configs", "yes"))
    yield started
    started.end(signal.SIGTERM)


@pytest.fixture
def own(server: Restartable, embedded: Stack) -> Lane:
    """A lane on it."""
    return Lane.on(servers.bus_on(server.ports[0]), embedded.store)


def user(lane: Lane, *rules: str, name: str = "limited") -> Lane:
    """The lane as a user with exactly these rights; called again it changes them."""
    with lane.redis() as client:
        client.execute_command("ACL", "SETUSER", name, "reset", "on", ">pw", *rules)
    url = lane.bus.url.replace("redis://", f"redis://{name}:pw@")
    return Lane(BusSettings(**{**vars(lane.bus), "url": url}), lane.store, lane.run)


def join(lane: Lane) -> None:
    """Make the group, as a consumer's first start does."""
    with lane.redis() as client:
        client.xgroup_create(lane.bus.stream, lane.bus.group, id="0", mkstream=True)


def fill(lane: Lane) -> int:
    """Sound messages until Redis has no memory for another; returns how many it took."""
    with lane.redis() as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", int(client.info("memory")["used_memory"]) + 200_000)
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
    monkeypatch.setattr(upkeep, "CLAIM_EVERY", 4)
    run_load(LoadSettings(count=12_000), embedded_lane.bus)
    dead = open_receiver("socket-reads", embedded_lane.bus, ConsumerSettings(name="dead", read_count=12_000))
    wait_until("all is read", lambda: dead.read(0.01) is None and not unread(embedded_lane.bus))
    dead.close()
    with consuming(embedded_lane, name="heir", claim_idle=0.05) as (consumer, running):
        wait_until("all is stored", lambda: consumer.ledger.written == 12_000, 9)
        ledger = finish(consumer, running).ledger
    assert (12_000, 12_000, 0) == (ledger.received, ledger.taken_over, ledger.duplicated)


# Rejected messages are in nobody's way -------------------------------------------------------------------------------


def hinder(lane: Lane, how: str) -> Lane:
    """The lane, where no dead letter can be kept."""
    if how == "a key of another type":
        with lane.redis() as client:
            client.set(lane.bus.dead_letters, "x")
        return lane
    return user(lane, f"~{lane.bus.stream}", f"&{lane.bus.channel}", "+@all")


@pytest.mark.parametrize("how", ["a key of another type", "no right"])
@pytest.mark.parametrize(
    ("transport", "configuration"), [("stream", "baseline"), ("stream", "optimised"), ("pubsub", "optimised")]
)
def test_a_refused_dead_letter_holds_nothing_up(
    own: Lane, transport: str, configuration: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Sound messages are stored, the rejected one stays pending, one line says why, and a stop is quick."""
    lane = hinder(own, how)
    with consuming(lane, configuration, transport=transport) as (consumer, running):
        for n in range(20):
            own.publish([b"not json", message(n)], transport)
        wait_until("the sound ones are stored", lambda: consumer.ledger.written == 20)
        consumer.stop.request(20.0)
        before = time.monotonic()
        running.result(5)
        ledger = consumer.close().ledger
        assert time.monotonic() - before < 5.0
    left = (20, 0) if transport == "stream" else (0, 20)
    assert ([], 20, *left) == (ledger.problems(), ledger.written, ledger.pending, ledger.letters_dropped)
    assert sum("dead letters wait" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_full_redis_is_emptied_behind_a_bad_message(
    own: Lane, configuration: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A dead letter that is refused is dropped after a while and counted, and the memory behind it is freed."""
    monkeypatch.setattr(rejects, "PATIENCE", 1.0)
    lane = hinder(own, "no right")
    join(own)
    own.publish([b"not json"])
    kept = fill(own)
    with consuming(lane, configuration, max_age=0.001) as (consumer, running), own.redis() as client:
        wait_until("the bad one is dropped", lambda: consumer.ledger.letters_dropped == 1, 20)
        # Whole nodes of 100 entries are trimmed.
        wait_until("memory is free again", lambda: client.xlen(own.bus.stream) < 200, 20)
        ledger = finish(consumer, running, 60).ledger
        assert ([], kept, 1) == (ledger.problems(), ledger.written, ledger.rejected)
        assert client.xpending(own.bus.stream, own.bus.group)["pending"] == 0
    assert sum("are dropped" in line for line in caplog.messages) == 1


def test_dead_letters_are_kept_once_redis_takes_them(own: Lane) -> None:
    """What waited is kept and acknowledged as soon as what stood in the way is gone, without a restart."""
    hinder(own, "a key of another type")
    own.publish([b"not json", message(1)])
    with consuming(own) as (consumer, running), own.redis() as client:
        wait_until("the sound one is stored", lambda: consumer.ledger.written == 1)
        client.delete(own.bus.dead_letters)
        wait_until("the bad one is kept", lambda: consumer.ledger.rejected == 1)
        ledger = finish(consumer, running).ledger
        assert client.xpending(own.bus.stream, own.bus.group)["pending"] == 0
    assert ([], 0, 0) == (ledger.problems(), ledger.pending, ledger.letters_dropped)
    assert [b"not json"] == [payload for payload, _, _ in own.dead_letters()]


# Refusals that must be heard -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_channel_that_may_not_be_read_is_an_error_at_the_start(own: Lane, kind: str) -> None:
    """A refused SUBSCRIBE is no subscription: the error names the refusal."""
    limited = user(own, "~*", "resetchannels", "+@all")
    with pytest.raises(BusRefusedError, match="NOPERM"):
        open_receiver(kind, limited.bus, ConsumerSettings(transport="pubsub"))
    with pytest.raises(BusRefusedError, match="NOPERM"):
        ByteCounter(limited.bus)


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_channel_withdrawn_in_mid_run_is_said_and_tried_again(
    own: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Messages arrive again once the right is back; meanwhile the log has the reason."""
    granted = ("~*", f"&{own.bus.channel}", "+@all")
    lane = user(own, *granted)
    with consuming(lane, configuration, transport="pubsub") as (consumer, running):
        own.publish([message(1)], "pubsub")
        wait_until("the first is stored", lambda: consumer.ledger.written == 1)
        user(own, "~*", "resetchannels", "+@all")
        wait_until("the reason is said", lambda: "NOPERM" in caplog.text)
        user(own, *granted)
        wait_until("it is heard again", lambda: own.publish([message(2)], "pubsub") == 1)
        assert finish(consumer, running).ledger.written == 2


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_stop_without_the_right_to_unsubscribe_says_what_it_cannot(
    own: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All that came is stored, the stop is quick, and one line says that what is published meanwhile is not counted."""
    limited = user(own, "~*", f"&{own.bus.channel}", "+@all", "-unsubscribe")
    with consuming(limited, configuration, transport="pubsub") as (consumer, running):
        own.publish([message(n) for n in range(100)], "pubsub")
        consumer.stop.request(20.0)
        running.result(5)
        ledger = consumer.close().ledger
    assert ([], 100, 100) == (ledger.problems(), ledger.received, ledger.written)
    assert sum("unsubscribe" in line and "is not counted" in line for line in caplog.messages) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_right_that_housekeeping_lacks_is_said_once(own: Lane, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each missing right is one warning that names it, and keeps nothing else from being done."""
    join(own)
    for right in ("xtrim", "xinfo", "xclaim"):
        caplog.clear()
        own.publish([message(1)])
        taken = open_receiver("redis-py", own.bus, ConsumerSettings(name="dead"))
        assert [taken.read(0.01) for _ in range(2)][-1] is not None
        taken.close()
        limited = user(own, "~*", "+@all", f"-{right}")
        receiver = open_receiver(kind, limited.bus, ConsumerSettings(claim_idle=0.0))
        for _ in range(2):
            receiver.maintain()
            receiver.claim()
        receiver.close()
        logged = [line for line in caplog.messages if f"'{right}" in line]
        assert len(logged) == len(caplog.messages)
        assert len(logged) == (2 if right == "xinfo" else 1)  # it serves two purposes


def rights(lane: Lane, program: str) -> list[str]:
    """What README lists for a program, on the lane's names."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (row,) = (line for line in readme.splitlines() if line.startswith(f"| {program} |"))
    words = [word for part in row.split("`")[1::2] for word in part.split() if word[0] in "~&+"]
    return [word.replace("metrics", lane.bus.stream) for word in words]


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_each_program_works_with_the_rights_that_readme_lists(
    own: Lane, configuration: str, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Exactly those rights are enough for consumer and senders, and no warning is due."""
    consumes = "`consume`, stream" if transport == "stream" else "`consume --transport pubsub`"
    reading = user(own, *rights(own, consumes), name="reader")
    sending = user(own, *rights(own, "`agent`, `load`"), name="writer")
    with consuming(reading, configuration, transport=transport, claim_idle=0.0) as (consumer, running):
        load = run_load(LoadSettings(rate=100.0, duration=0.5, transport=transport), sending.bus)
        sending.publish([b"not json", message(1)], transport)
        wait_until("all is received", lambda: consumer.ledger.received == load.ledger.sent + 2)
        consumer._receiver.maintain()
        assert consumer._receiver.claim() is None
        ledger = finish(consumer, running).ledger
    assert ([], 51, 1, 0) == (ledger.problems(), ledger.written, ledger.rejected, ledger.letters_dropped)
    assert caplog.messages == [line for line in caplog.messages if "refuse" not in line and "NOPERM" not in line]


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_those_rights_are_enough_to_reconnect(
    own: Lane, configuration: str, transport: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Connections of reader and sender that are cut in mid-run are made anew, with no other command."""
    consumes = "`consume`, stream" if transport == "stream" else "`consume --transport pubsub`"
    reading = user(own, *rights(own, consumes), name="reader")
    sending = user(own, *rights(own, "`agent`, `load`"), name="writer")
    with (
        consuming(reading, configuration, transport=transport) as (consumer, running),
        loading(sending, rate=200.0, duration=1.5, transport=transport) as load,
        own.redis() as client,
    ):
        wait_until("messages flow", lambda: consumer.ledger.written > 20)
        for kind in ("normal", "pubsub"):
            client.client_kill_filter(_type=kind, skipme=True)
        before = consumer.ledger.written
        wait_until("they flow again", lambda: consumer.ledger.written > before + 20)
        assert [] == load.result(10).ledger.problems()
        assert [] == finish(consumer, running).ledger.problems()
    assert "answers again" in caplog.text
    assert "NOPERM" not in caplog.text


def run_as(sentinel: Callable[..., Result], lane: Lane, *words: str) -> Result:
    """A command of ours on the lane, as the user that its URL names."""
    env = {"REDIS_URL": lane.bus.url, "INFLUX_URL": lane.store.url, "INFLUX_BUCKET": lane.store.bucket}
    return sentinel(*words, "--key", lane.bus.stream, **env)


def test_dead_letters_work_with_the_rights_that_readme_lists(own: Lane, sentinel: Callable[..., Result]) -> None:
    """Exactly those rights are enough to list, replay on both transports, and purge."""
    limited = user(own, *rights(own, "`dead-letters`"))
    letters = DeadLetters(own.bus)
    letters.put([(message(n), "time", "") for n in range(3)])
    letters.close()
    assert run_as(sentinel, limited, "dead-letters", "list").out.startswith("3 dead letters")
    assert run_as(sentinel, limited, "dead-letters", "replay", "--limit", "1").code == 0
    with consuming(own, transport="pubsub") as (consumer, running):
        words = ("dead-letters", "replay", "--limit", "1", "--transport", "pubsub")
        assert run_as(sentinel, limited, *words).code == 0
        wait_until("it came", lambda: consumer.ledger.written == 1)
        finish(consumer, running)
    assert "removed 1 dead letter " in run_as(sentinel, limited, "dead-letters", "purge", "--yes").out
    assert [] == own.dead_letters()


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
@pytest.mark.parametrize(
    ("program", "row"),
    [("consume", "`consume`, stream"), ("consume", "`consume --transport pubsub`"), ("send", "`agent`, `load`")],
)
def test_check_knows_everything_with_the_rights_that_readme_lists(
    own: Lane, sentinel: Callable[..., Result], program: str, row: str, transport: str
) -> None:
    """A program's rights and check's own leave no question open and none missing; those of another are ✗."""
    join(own)
    limited = user(own, *rights(own, row), *rights(own, "`check`"))
    result = run_as(sentinel, limited, "check", "--program", program, "--transport", transport)
    fits = program == "send" or ("pubsub" in row) == (transport == "pubsub")
    assert (0 if fits else 1) == result.code, result.out
    lines = [line for line in result.out.splitlines() if f"rights to {program}" in line]
    if not fits:
        assert ["✗"] == [line[0] for line in lines]
    elif (program, transport) == ("send", "pubsub"):
        assert "! rights to send: PUBLISH cannot be tried without" in lines[0]
    else:
        assert [f"✓ rights to {program}: all, {transport} {own.bus.stream!r}"] == lines
    assert "may not ask" not in result.out


# Retries that end, and lines that are few ----------------------------------------------------------------------------


@pytest.mark.parametrize("right", ["xack", "xreadgroup"])
def test_a_missing_right_is_said_and_not_hammered(own: Lane, right: str, caplog: pytest.LogCaptureFixture) -> None:
    """Where reconnecting does not cure, the pauses grow and one line names the right; granted, the work goes on."""
    join(own)
    limited = user(own, "~*", "&*", "+@all")
    with consuming(limited) as (consumer, running):
        user(own, "~*", "&*", "+@all", f"-{right}")
        own.publish([message(n) for n in range(5)])
        wait_until("the refusal is met", lambda: right in caplog.text)
        time.sleep(1.5)
        assert consumer.ledger.reconnects < 10
        assert sum(right in line for line in caplog.messages) == 1
        user(own, "~*", "&*", "+@all")
        wait_until("all is stored", lambda: consumer.ledger.written >= 5)
        assert finish(consumer, running).ledger.problems() == []
    with own.redis() as client:
        assert client.xpending(own.bus.stream, own.bus.group)["pending"] == 0


@pytest.mark.parametrize("loop", ["constant", "closed"])
def test_a_load_whose_redis_stays_away_ends_in_time(
    own: Lane, server: Restartable, loop: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends at duration + grace, what was not answered is unsent, and the log has a few lines with the reason."""
    with loading(own, rate=200.0, duration=1.5, grace=1.0, loop=loop, workers=4) as load:
        time.sleep(0.7)
        server.end(signal.SIGKILL)
        ledger = load.result(10).ledger
    server.start()
    assert [] == ledger.problems()
    assert ledger.unsent > 0
    assert "descriptor" not in caplog.text
    assert 1 <= len(caplog.messages) <= 4
    assert sum("stayed away" in line for line in caplog.messages) == 1


def test_a_load_that_is_stopped_while_redis_is_away_ends_at_once(
    own: Lane, server: Restartable, caplog: pytest.LogCaptureFixture
) -> None:
    """A stop waits for no connection, and each payload left is no line of its own."""
    stop = StopSignal()
    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(run_load, LoadSettings(rate=2000.0, duration=60.0, workers=4), own.bus, stop=stop)
        wait_until("it sends", lambda: unread(own.bus) > 0)
        server.end(signal.SIGKILL)
        wait_until("it reconnects", lambda: "reconnecting" in caplog.text)
        stop.request(5.0)
        assert load.result(5).ledger.problems() == []
    server.start()
    assert len(caplog.messages) <= 4
    assert "descriptor" not in caplog.text


# In words --------------------------------------------------------------------------------------------------------


def attempts(lane: Lane) -> Iterator[tuple[str, Callable[[], object]]]:
    """The key, and what each program first asks of a stream's Redis: to read, to send, to keep a dead letter."""
    for kind in KINDS:
        yield lane.bus.stream, partial(open_receiver, kind, lane.bus, ConsumerSettings())
    yield lane.bus.stream, partial(lane.publish, [message(1)])
    yield lane.bus.dead_letters, partial(DeadLetters(lane.bus).put, [(b"payload", "json", "detail")])


def text_of(attempt: Callable[[], object]) -> str:
    """The error's one line."""
    with pytest.raises(BusError) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_key_of_another_type_is_named(own: Lane) -> None:
    """Every program says which key is in its way, and does not ask whether Redis is running."""
    with own.redis() as client:
        client.set(own.bus.stream, "x")
        client.set(own.bus.dead_letters, "x")
    for key, attempt in attempts(own):
        line = text_of(attempt)
        assert f"WRONGTYPE Operation against a key holding the wrong kind of value for the key {key!r} (" in line
        assert "running" not in line


@pytest.mark.parametrize("how", ["OOM", "MISCONF", "READONLY"])
def test_an_answer_is_not_asked_whether_redis_runs(own: Lane, how: str) -> None:
    """Who refuses is there: the line has its words and what to do about them."""
    join(own)
    with refusing(own, how) if how != "OOM" else full(own):
        for _, attempt in [*attempts(own)][2:]:
            line = text_of(attempt)
            assert f": {how} " in line
            assert ADVICE[how] in line
            assert "running" not in line
        sender = Sender(own.bus, "stream", 1)
        sender.send(0, [message(1)])
        answers = sender.collect(2.0)
        assert (1, True) == (answers.refused, ADVICE[how] in answers.reason)
        sender.close()


@contextmanager
def full(lane: Lane) -> Iterator[None]:
    """Redis has no memory for another message."""
    fill(lane)
    yield


def test_a_password_that_is_missing_or_wrong_is_named_as_such(own: Lane) -> None:
    """The line says what REDIS_URL lacks, without the password that it has."""
    with own.redis() as client:
        client.config_set("requirepass", "s3cret")
        client.auth("s3cret")
        wrong = Lane(replace(own.bus, url=own.bus.url.replace("redis://", "redis://:wr0ng@")), own.store, own.run)
        for lane, advice in ((own, ADVICE["NOAUTH"]), (wrong, ADVICE["WRONGPASS"])):
            for _, attempt in attempts(lane):
                line = text_of(attempt)
                assert advice in line
                assert not [word for word in ("running", "s3cret", "wr0ng") if word in line]
        client.config_set("requirepass", "")


def test_a_cluster_is_refused_in_one_line(
    supervisor: Supervisor, tmp_path: Path, native_stack: Stack, embedded: Stack
) -> None:
    """Where another node has the key, every program says that it is a cluster, and what REDIS_URL must name."""
    program = native.find("redis-server") or tmp_path
    # By itself a node takes its own port and 10,000 more, which somebody may have.
    own = dict(zip(("one", "two"), servers.free_ports(2), strict=True))
    nodes = [
        durable_bus(supervisor, tmp_path / name, program, ("--cluster-enabled", "yes", "--cluster-port", str(port)))
        for name, port in own.items()
    ]
    here, there = (Lane.on(bus, embedded.store) for _, bus in nodes)
    with here.redis() as first, there.redis() as two:
        two.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        first.execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[1][0].ports[0], own["two"])
        wait_until("they know each other", lambda: first.execute_command("CLUSTER", "SLOTS"))
        wait_until("the cluster works", lambda: "cluster_state:ok" in str(first.execute_command("CLUSTER", "INFO")))
    for _, attempt in attempts(here):
        line = text_of(attempt)
        assert "MOVED " in line
        assert "not supported: REDIS_URL must name a Redis or Valkey that stands alone" in line
    for started, _ in nodes:
        started.end(signal.SIGTERM)


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_subscriber_that_redis_cut_off_says_so(
    own: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line when it is cut off, and one when it listens again, with what is lost and who counts it."""
    with own.redis() as client:
        client.config_set("client-output-buffer-limit", "pubsub 100kb 0 0")
        with consuming(own, configuration, transport="pubsub") as (consumer, running):
            # One message alone is beyond what Redis keeps for a subscriber.
            assert own.publish([message(1, "x" * 5_000_000)], "pubsub") == 1
            wait_until("it listens again", lambda: "answers again" in caplog.text)
            assert own.publish([message(2)], "pubsub") == 1
            wait_until("it is stored", lambda: consumer.ledger.written == 1)
            ledger = finish(consumer, running).ledger
    assert ([], 1) == (ledger.problems(), ledger.received)
    assert sum("reconnecting" in line for line in caplog.messages) == 1
    (line,) = [line for line in caplog.messages if "answers again" in line]
    assert "is lost to this consumer" in line
    assert "client-output-buffer-limit" in line


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_poisonous_message_leaves_a_line(
    embedded_lane: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The first rejected message is said with its reason, and no more than one a minute."""
    embedded_lane.publish([b"not json", b"nor this", message(1)])
    consume(embedded_lane, configuration)
    lines = [line for line in caplog.messages if "rejected" in line]
    assert len(lines) == 1
    assert lines[0].startswith("a message was rejected (json): ")


def test_an_outage_is_said_at_its_start_each_minute_and_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """One line with the reason, one when it changes, one a minute, one at the end with how long; none in between."""
    now = [0.0]
    outage = Outage("Redis", logging.getLogger("test"), lambda: now[0])
    outage.failed(OSError("refused on port 1"), "trying again")
    for second in range(1, 125):
        now[0] = float(second)
        outage.failed(OSError(f"refused on port {second}"), "trying again")
    outage.failed(OSError("no route"), "trying again")
    outage.over("7 wait")
    now[0] += 1.0
    outage.failed(OSError("no route"), "trying again")
    outage.over()
    assert outage.attempts == 127
    now[0] += 60.0
    outage.failed(OSError("no route"), "trying again")
    assert outage.attempts == 1
    assert caplog.messages == [
        "refused on port 1; trying again",
        "refused on port 60; trying again (for 60 s, 61 attempts)",
        "refused on port 120; trying again (for 120 s, 121 attempts)",
        "no route; trying again (for 124 s, 126 attempts)",
        "Redis answers again after 124.0 s and 126 failed attempts; 7 wait",
        "no route; trying again",
    ]
