"""`sentinel dead-letters`: rejected messages are looked at, tried again and removed, and none is lost on the way."""

from __future__ import annotations

import json
import sys
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.commandline import Result, assert_one_line
from support.servers import Lane, consume, consuming, finish, wait_until

from sentinel import bus, store
from sentinel.bus import DeadLetters
from sentinel.bus import dead_letters as kept
from sentinel.bus.dead_letters import DeadLetterReader
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.errors import BusError
from sentinel.operations.replay import Replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sentinel.lab.stack import Stack

    Run = Callable[..., Result]

NOW = time.time_ns()


def message(number: int, **more: object) -> bytes:
    """A sound one, with a time of its own."""
    sent = NOW + number
    record = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent}
    return json.dumps(record | more).encode()


@pytest.fixture
def own(native_stack: Stack) -> Iterator[Lane]:
    """A lane into a database of its own on the real InfluxDB."""
    lane = Lane.on(native_stack.bus, replace(native_stack.store, bucket=f"own_{uuid.uuid4().hex}"))
    store.prepare(lane.store, store.identify(lane.store))
    yield lane
    bus.remove(lane.bus)
    connection = store.StoreClient(lane.store)
    connection.query(f'DROP DATABASE "{lane.store.bucket}"', method="POST")
    connection.close()


def run(sentinel: Run, lane: Lane, *words: str) -> Result:
    """`sentinel dead-letters` with these words on the lane."""
    env = {"REDIS_URL": lane.bus.url, "INFLUX_URL": lane.store.url, "INFLUX_BUCKET": lane.store.bucket}
    command, *options = words
    return sentinel("dead-letters", command, "--key", lane.bus.stream, *options, **env)


def put(lane: Lane, *letters: bus.Letter) -> None:
    """Dead letters onto the lane."""
    supervisor = DeadLetters(lane.bus)
    supervisor.put(letters)
    supervisor.close()


def spoil(lane: Lane, mend: bool = False) -> None:
    """Make the field `clash` an integer in the store, or forget it."""
    connection = store.StoreClient(lane.store)
    if mend:
        connection.query("DROP MEASUREMENT system_stats", method="POST")
    else:
        target = store.write_target(lane.store, store.identify(lane.store))
        connection.write(target, b"system_stats clash=1i")
    connection.close()


# list ----------------------------------------------------------------------------------------------------------------


def test_list_counts_by_reason_and_shows_the_newest_first(embedded_lane: Lane, sentinel: Run) -> None:
    """A summary of all, then so many letters with time, reason, payload and detail, in printable text."""
    put(embedded_lane, *((b"payload %d" % n, "json", f"detail {n}") for n in range(30)))
    put(embedded_lane, (bytes(32), "time", "zeros"), (b"esc \x1b[2J", "type", "forged\nline"))
    result = run(sentinel, embedded_lane, "list", "--limit", "3")
    lines = result.out.splitlines()
    assert (0, "") == (result.code, result.err)
    assert f"32 dead letters on {embedded_lane.bus.dead_letters!r}:" == lines[0]
    assert ["30  json", "1  time", "1  type"] == [line.strip() for line in lines[1:4]]
    rest = "\n".join(lines[4:])
    assert (
        rest.index("esc \\x1b[2J") < rest.index("32 bytes 00 00") < rest.index("payload 29") < rest.index("detail 29")
    )
    assert "payload 28" not in rest
    assert "forged\\nline" in rest
    assert rest.count("Z  ") == 3


def test_list_filters_by_reason_and_speaks_json(embedded_lane: Lane, sentinel: Run) -> None:
    """`--json` holds the counts and whole letters; `--reason` leaves the others out of both."""
    put(embedded_lane, (b"a", "json", "one"), (b"\xff", "type", "two"), (b"x" * 5000, "size", "three"))
    collected: dict[str, Any] = json.loads(run(sentinel, embedded_lane, "list", "--json").out)
    assert (3, {"json": 1, "type": 1, "size": 1}) == (collected["letters"], collected["reasons"])
    assert [True, False, False] == [letter["cut"] for letter in collected["newest"]]
    only: dict[str, Any] = json.loads(run(sentinel, embedded_lane, "list", "--json", "--reason", "type").out)
    assert [("type", "two", "\\xff")] == [(x["reason"], x["detail"], x["payload"]) for x in only["newest"]]
    assert only["letters"] == 1


def test_list_says_that_there_are_none(embedded_lane: Lane, sentinel: Run) -> None:
    """An empty or absent stream is no error."""
    result = run(sentinel, embedded_lane, "list")
    assert (0, f"no dead letters on {embedded_lane.bus.dead_letters!r}\n") == (result.code, result.out)


@pytest.mark.parametrize("command", [["list"], ["replay"], ["purge", "--yes"]])
def test_what_stands_in_the_way_is_one_line(embedded_lane: Lane, sentinel: Run, command: list[str]) -> None:
    """Redis away, or another program's key of that name: the cause and what to do."""
    with embedded_lane.redis() as client:
        client.set(embedded_lane.bus.dead_letters, "x")
    assert_one_line(run(sentinel, embedded_lane, *command), "WRONGTYPE", "--key")
    assert_one_line(sentinel("dead-letters", *command), "redis://127.0.0.1:1", "REDIS_URL")


# replay --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_what_the_store_refused_is_stored_by_a_replay(own: Lane, configuration: str, sentinel: Run) -> None:
    """Its line goes to the store as the consumer made it; until the store is mended the letters stay."""
    spoil(own)
    own.publish([message(n, fields={"clash": 1.5}) if n % 10 == 0 else message(n, host=f"h{n}") for n in range(50)])
    ledger = consume(own, configuration).ledger
    assert (45, 5) == (ledger.written, ledger.rejected)
    refused = run(sentinel, own, "replay")
    assert_one_line(refused, "field type conflict", "kept 5 that the store refuses still")
    assert len(own.dead_letters()) == 5
    spoil(own, mend=True)
    result = run(sentinel, own, "replay")
    assert (0, "replayed 0 messages on stream") == (result.code, result.out[:29])
    assert "5 lines to the store" in result.out
    assert ({NOW + n for n in range(0, 50, 10)}, []) == ({row["time"] for row in own.rows()}, own.dead_letters())


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_messages_go_back_on_the_bus(embedded_lane: Lane, transport: str, sentinel: Run) -> None:
    """A rejected message that a consumer can take by now is stored, and its letter is gone; a cut one is kept."""
    put(embedded_lane, *((message(n), "time", "too far ahead") for n in range(20)), (b"x" * 5000, "size", "long"))
    with consuming(embedded_lane, transport=transport) as (consumer, running):
        result = run(sentinel, embedded_lane, "replay", "--transport", transport)
        wait_until("all is stored", lambda: consumer.ledger.written == 20)
        assert finish(consumer, running).ledger.rejected == 0
    assert (0, "") == (result.code, result.err)
    assert "replayed 20 messages" in result.out
    assert "kept 1 whose payload was cut" in result.out
    assert [b"x" * DeadLetters.LONGEST] == [payload for payload, _, _ in embedded_lane.dead_letters()]


def test_replay_takes_the_oldest_of_a_reason_and_only_says_so_when_dry(embedded_lane: Lane, sentinel: Run) -> None:
    """`--reason` and `--limit` choose, oldest first; `--dry-run` changes nothing."""
    put(embedded_lane, *((b"%d" % n, "json" if n % 2 else "type", "") for n in range(10)))
    chosen = ["replay", "--reason", "json", "--limit", "2"]
    result = run(sentinel, embedded_lane, *chosen, "--dry-run")
    assert result.out.startswith("would have replayed 2 messages")
    assert len(embedded_lane.dead_letters()) == 10
    assert run(sentinel, embedded_lane, *chosen).code == 0
    with embedded_lane.redis() as client:
        assert [b"1", b"3"] == [fields[b"d"] for _, fields in client.xrange(embedded_lane.bus.stream)]
    assert len(embedded_lane.dead_letters()) == 8


def test_a_channel_that_nobody_reads_gets_nothing(embedded_lane: Lane, sentinel: Run) -> None:
    """On Pub/Sub a letter is removed only once somebody has received its message."""
    put(embedded_lane, (message(1), "time", ""))
    result = run(sentinel, embedded_lane, "replay", "--transport", "pubsub")
    assert_one_line(result, embedded_lane.bus.channel, "start the consumer first")
    assert len(embedded_lane.dead_letters()) == 1


def test_an_interrupted_replay_loses_nothing(embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off between sending and removing, what was under way is sent again by the next; all arrives."""
    monkeypatch.setattr(kept, "PAGE", 10)
    put(embedded_lane, *((b"%d" % n, "json", "") for n in range(45)))
    original, calls = DeadLetterReader.remove, 0

    def remove(box: DeadLetterReader, letters: Sequence[kept.DeadLetter]) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise BusError("gone")
        original(box, letters)

    monkeypatch.setattr(DeadLetterReader, "remove", remove)
    for _ in range(2):
        box = DeadLetterReader(embedded_lane.bus)
        replay = Replay(box, embedded_lane.store, "stream")
        try:
            replay.run(box.pages(), lambda _: None)
        except BusError:
            assert len(embedded_lane.dead_letters()) == 25
        box.close()
    with embedded_lane.redis() as client:
        sent = [int(fields[b"d"]) for _, fields in client.xrange(embedded_lane.bus.stream)]
    assert (set(range(45)), 55, []) == (set(sent), len(sent), embedded_lane.dead_letters())


def test_a_replay_does_not_meet_what_comes_back(embedded_lane: Lane, sentinel: Run) -> None:
    """Messages that a running consumer rejects again are new letters, and one replay ends all the same."""
    put(embedded_lane, *((b"no json", "json", "") for _ in range(30)))
    with consuming(embedded_lane) as (consumer, running):
        result = run(sentinel, embedded_lane, "replay")
        wait_until("all came back", lambda: consumer.ledger.rejected == 30)
        finish(consumer, running)
    assert "replayed 30 messages" in result.out
    assert len(embedded_lane.dead_letters()) == 30


# purge ---------------------------------------------------------------------------------------------------------------


def test_purge_removes_what_is_chosen(embedded_lane: Lane, sentinel: Run) -> None:
    """By reason, by age, or all."""
    put(embedded_lane, *((b"%d" % n, "json" if n < 5 else "type", "") for n in range(600)))
    assert "removed 5 dead letters" in run(sentinel, embedded_lane, "purge", "--yes", "--reason", "json").out
    assert "removed 0 dead letters" in run(sentinel, embedded_lane, "purge", "--yes", "--older-than", "1h").out
    time.sleep(0.01)
    assert "removed 595 dead letters" in run(sentinel, embedded_lane, "purge", "--yes", "--older-than", "1ms").out
    assert embedded_lane.dead_letters() == []


@pytest.mark.parametrize(("answer", "left"), [("y\n", 0), ("n\n", 2)])
def test_purge_asks(
    embedded_lane: Lane, sentinel: Run, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    """In a terminal it asks, with how many there are; no other answer than yes removes anything."""
    put(embedded_lane, (b"1", "json", ""), (b"2", "json", ""))
    monkeypatch.setattr(sys, "stdin", Terminal([answer]))
    result = run(sentinel, embedded_lane, "purge")
    assert "Remove 2 dead letters" in result.out
    assert left == len(embedded_lane.dead_letters())


def test_purge_without_a_terminal_wants_yes(embedded_lane: Lane, sentinel: Run) -> None:
    """Where nobody can answer nothing is removed, and the option is named."""
    put(embedded_lane, (b"1", "json", ""))
    assert_one_line(run(sentinel, embedded_lane, "purge"), "Remove 1 dead letter", "--yes")
    assert len(embedded_lane.dead_letters()) == 1


class Terminal:
    """Somebody who answers."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def isatty(self) -> bool:
        """As a terminal."""
        return True

    def readline(self, *_: int) -> str:
        """The next answer."""
        return self._lines.pop(0)
