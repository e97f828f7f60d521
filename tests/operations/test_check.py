"""`sentinel check`: what is in the way of the pipeline is found before it starts, and nothing is left behind."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.choices import open_receiver
from support.servers import Answer, Lane, ScriptedStore, durable_bus

from sentinel import bus, store
from sentinel.bus.policy import persistence
from sentinel.lab.stack import native, servers
from sentinel.operations.findings import BAD, GOOD, WARNING, clock, duration
from sentinel.settings import BusSettings, ConsumerSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.commandline import Result

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.lab.stack import Stack

    Run = Callable[..., Result]


@pytest.fixture
def own(native_stack: Stack) -> Iterator[Lane]:
    """A lane with a database of its own on the real servers."""
    lane = Lane.on(native_stack.bus, replace(native_stack.store, bucket=f"own_{uuid.uuid4().hex}"))
    store.prepare(lane.store, store.identify(lane.store))
    yield lane
    bus.remove(lane.bus)
    ask(lane, f'DROP DATABASE "{lane.store.bucket}"')


@pytest.fixture
def fresh(supervisor: Supervisor, tmp_path: Path, native_stack: Stack) -> Iterator[Lane]:
    """A lane on a Redis of a test's own, whose policy it may change."""
    server, settings = durable_bus(supervisor, tmp_path, native.find("redis-server") or tmp_path)
    yield Lane.on(settings, native_stack.store)
    server.end(15)


def ask(lane: Lane, statement: str) -> None:
    """A statement to the lane's store."""
    connection = store.StoreClient(lane.store)
    connection.query(statement, method="POST")
    connection.close()


def checked(sentinel: Run, lane: Lane, *words: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Exit code, and state and words by subject."""
    env = {"REDIS_URL": lane.bus.url, "INFLUX_URL": lane.store.url, "INFLUX_BUCKET": lane.store.bucket}
    token = {"INFLUX_TOKEN": lane.store.token} if lane.store.token else {}
    result = sentinel("check", "--json", "--key", lane.bus.stream, *words, **env, **token)
    findings: list[dict[str, Any]] = json.loads(result.out)
    return result.code, {each["subject"]: (each["state"], f"{each['found']} → {each['remedy']}") for each in findings}


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_it_leaves_nothing_behind(own: Lane, sentinel: Run, transport: str) -> None:
    """No key, no consumer, no message, no point and no database, whether or not the stream and its group are there."""
    with own.redis() as client, client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe(own.bus.channel)
        listener.get_message(timeout=5)
        code, findings = checked(sentinel, own, "--transport", transport)
        assert (0, 0) == (code, client.exists(own.bus.stream, own.bus.dead_letters)), findings
        client.xgroup_create(own.bus.stream, own.bus.group, mkstream=True)
        client.xadd(own.bus.stream, {"d": "x"})
        before = client.dump(own.bus.stream)
        assert checked(sentinel, own, "--transport", transport)[0] == 0
        assert before == client.dump(own.bus.stream)
        assert client.xinfo_consumers(own.bus.stream, own.bus.group) == []
        assert not client.exists(own.bus.dead_letters)
        assert listener.get_message(timeout=0.05) is None
    assert own.rows() == []
    missing = replace(own, store=replace(own.store, bucket=f"none_{own.run}"))
    assert checked(sentinel, missing)[1]["right to write"][0] == WARNING
    assert checked(sentinel, missing)[1]["right to write"][0] == WARNING


def test_real_servers_are_named_and_in_order(own: Lane, sentinel: Run) -> None:
    """Versions, rights, clocks, retention and field types, in about a second; the lines begin with their marks."""
    env = {"REDIS_URL": own.bus.url, "INFLUX_URL": own.store.url, "INFLUX_BUCKET": own.store.bucket}
    result = sentinel("check", "--key", own.bus.stream, **env)
    assert (0, "") == (result.code, result.err)
    lines = result.out.splitlines()
    assert {"✓", "!"} == {line[0] for line in lines}
    for words in ("✓ bus: Redis 7.", "✓ store: InfluxDB 1.6.7", "✓ rights to consume: all", "✓ rights to send: all"):
        assert any(line.startswith(words) for line in lines), words
    for words in ("✓ Redis's clock: the same", "✓ the store's clock: the same", "✓ retention: keeps points for ever"):
        assert any(line.startswith(words) for line in lines), words


def test_valkey_and_the_embedded_store_are_known(embedded_lane: Lane, sentinel: Run) -> None:
    """They go by their own names."""
    code, findings = checked(sentinel, embedded_lane)
    assert (0, GOOD, GOOD) == (code, findings["rights to consume"][0], findings["rights to send"][0])
    assert "Valkey" in findings["bus"][1]
    assert "embedded store (not InfluxDB)" in findings["store"][1]


def test_victoriametrics_is_known_with_what_its_answer_is_worth(
    embedded: Stack, victoria: StoreSettings, sentinel: Run
) -> None:
    """Its retention, that it drops older points in silence, and that it acknowledges from memory."""
    code, findings = checked(sentinel, Lane.on(embedded.bus, victoria))
    assert code == 0
    assert "keeps points 1 day and drops older points without a word" in findings["retention"][1]
    assert (WARNING, True) == (findings["durability"][0], "from memory" in findings["durability"][1])


def test_nobody_answering_is_two_lines_and_exit_1(sentinel: Run) -> None:
    """Redis and the store each have their line, with the setting that names them."""
    before = time.monotonic()
    result = sentinel("check")
    assert time.monotonic() - before < 10.0
    assert (1, ["✗ bus", "✗ store"]) == (result.code, [line.partition(":")[0] for line in result.out.splitlines()])
    assert "REDIS_URL" in result.out
    assert "INFLUX_URL" in result.out


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"maxmemory-policy": "allkeys-lru", "maxmemory": "100mb"},
            ("memory", WARNING, "allkeys-lru: it removes keys"),
        ),
        ({"maxmemory": "0"}, ("memory", WARNING, "no maxmemory")),
        ({"maxmemory-policy": "noeviction", "maxmemory": "1gb"}, ("memory", GOOD, "of 1,024 MiB used, noeviction")),
        ({"maxmemory-policy": "noeviction", "maxmemory": "1kb"}, ("memory", BAD, "refuses every message")),
        ({"appendonly": "no", "save": ""}, ("persistence", WARNING, "off")),
        ({"appendonly": "no", "save": "60 1"}, ("persistence", WARNING, "since the last snapshot")),
        ({"appendonly": "yes"}, ("persistence", GOOD, "append-only file")),
    ],
)
def test_a_policy_that_costs_messages_is_said(
    fresh: Lane, sentinel: Run, settings: dict[str, str], expected: tuple[str, str, str]
) -> None:
    """Eviction, no limit, no memory left, nothing on disk: each with what to do."""
    subject, state, words = expected
    with fresh.redis() as client:
        for name, value in settings.items():
            client.config_set(name, value)
        _, findings = checked(sentinel, fresh)
        client.config_set("maxmemory", "0")
    assert (state, True) == (findings[subject][0], words in findings[subject][1]), findings[subject]
    if state == BAD:
        assert "OOM" in findings["rights to send"][1]


def test_a_replica_and_a_key_of_another_type_are_in_the_way(fresh: Lane, sentinel: Run) -> None:
    """What takes no message is ✗, with what to do."""
    with fresh.redis() as client:
        client.set(fresh.bus.dead_letters, "x")
        code, findings = checked(sentinel, fresh)
        assert (1, BAD) == (code, findings[f"key {fresh.bus.dead_letters!r}"][0])
        client.replicaof("127.0.0.1", "1")
        code, findings = checked(sentinel, fresh)
        client.replicaof("NO", "ONE")
    assert (1, BAD, BAD) == (code, findings["role"][0], findings["rights to send"][0])


@pytest.mark.parametrize("right", ["xack", "xreadgroup", "xadd", "xtrim", "xclaim"])
def test_a_missing_right_is_named(fresh: Lane, sentinel: Run, right: str) -> None:
    """What a program cannot do without is ✗, what it does less without is !; each by name and key."""
    with fresh.redis() as client:
        client.execute_command("ACL", "SETUSER", "limited", "reset", "on", ">pw", "~*", "&*", "+@all", f"-{right}")
    lane = replace(fresh, bus=replace(fresh.bus, url=fresh.bus.url.replace("redis://", "redis://limited:pw@")))
    code, findings = checked(sentinel, lane, "--program", "consume")
    essential = right in {"xack", "xreadgroup"}
    assert (int(essential), BAD if essential else WARNING) == (code, findings["rights to consume"][0])
    key = lane.bus.dead_letters if right == "xadd" else lane.bus.stream
    assert f"{right} on {key!r}" in findings["rights to consume"][1]
    code, findings = checked(sentinel, lane, "--program", "send")
    assert (int(right == "xadd"), right == "xadd") == (code, findings["rights to send"][0] == BAD)


@pytest.mark.parametrize("transport", ["stream", "pubsub"])
def test_a_user_who_may_not_ask_is_told_what_is_not_known(fresh: Lane, sentinel: Run, transport: str) -> None:
    """A channel without a right is ✗; what INFO and TIME would say is !, and nothing breaks off."""
    rules = ("~*", "resetchannels", "+xadd", "+xreadgroup", "+xack", "+xgroup", "+subscribe")
    with fresh.redis() as client:
        client.execute_command("ACL", "SETUSER", "narrow", "reset", "on", ">pw", *rules)
    lane = replace(fresh, bus=replace(fresh.bus, url=fresh.bus.url.replace("redis://", "redis://narrow:pw@")))
    code, findings = checked(sentinel, lane, "--transport", transport, "--program", "consume")
    state = BAD if transport == "pubsub" else WARNING
    assert (int(state == BAD), state) == (code, findings["rights to consume"][0]), findings
    assert (WARNING, WARNING) == (findings["memory, persistence"][0], findings["Redis's clock"][0])
    assert findings["store"][0] == GOOD


def test_a_wrong_password_is_one_line(fresh: Lane, sentinel: Run) -> None:
    """And no secret stands in it."""
    lane = replace(fresh, bus=BusSettings(url=fresh.bus.url.replace("redis://", "redis://who:s3cret@")))
    code, findings = checked(sentinel, lane)
    assert (1, BAD) == (code, findings["bus"][0])
    assert "s3cret" not in str(findings)


# The store -----------------------------------------------------------------------------------------------------------


def test_a_store_that_will_refuse_every_message_is_found(own: Lane, sentinel: Run) -> None:
    """A field of ours that the store holds as another type is ✗ before the first message is refused."""
    connection = store.StoreClient(own.store)
    connection.write(store.write_target(own.store, store.identify(own.store)), b"system_stats cpu=1i,mem=2")
    connection.close()
    code, findings = checked(sentinel, own)
    assert (1, BAD) == (code, findings["field types"][0])
    assert "holds cpu as integer: it refuses every message" in findings["field types"][1]


def test_a_short_retention_is_said(own: Lane, sentinel: Run) -> None:
    """Where a backlog would outlive the store's retention, the line says how long that is."""
    ask(own, f'CREATE RETENTION POLICY "short" ON "{own.store.bucket}" DURATION 2h REPLICATION 1 DEFAULT')
    state, words = checked(sentinel, own)[1]["retention"]
    assert (WARNING, True) == (state, "keeps points 2 hours and refuses older points" in words)


@pytest.mark.parametrize(("status", "words"), [(401, "INFLUX_TOKEN"), (404, "INFLUX_BUCKET")])
def test_a_wrong_token_or_bucket_is_in_the_way(
    scripted_lane: Lane, scripted: ScriptedStore, sentinel: Run, status: int, words: str
) -> None:
    """With the store's words, and the setting that names it; the token stands nowhere."""
    scripted.answers["/api/v2/write"] = Answer(status, b"no: t0k3n")
    code, findings = checked(sentinel, scripted_lane)
    assert (1, BAD) == (code, findings["right to write"][0])
    assert words in findings["right to write"][1]
    assert "t0k3n" not in str(findings)


def test_the_retention_of_a_bucket_is_read_where_the_token_may(
    scripted_lane: Lane, scripted: ScriptedStore, sentinel: Run
) -> None:
    """InfluxDB 2 tells it by the bucket; where it does not, that is said and no guess made."""
    assert "not known" in checked(sentinel, scripted_lane)[1]["retention"][1]
    body = {"buckets": [{"retentionRules": [{"type": "expire", "everySeconds": 604_800}]}]}
    scripted.answers["/api/v2/buckets"] = Answer(200, json.dumps(body).encode())
    assert "keeps points 7 days" in checked(sentinel, scripted_lane)[1]["retention"][1]


# Judgements ----------------------------------------------------------------------------------------------------------


def test_clocks_are_compared_no_finer_than_they_are_known() -> None:
    """Within what the question took nothing is said; beyond a second more, which way and by how much."""
    assert clock("c", 1.4, 0.5).state == GOOD
    assert (WARNING, "3 s ahead of this host's (± 0.5 s)") == clock("c", 3.0, 0.5)[::2]
    assert "3.6e+03 s behind" in clock("c", -3600.0, 0.5).found


def test_durations_have_one_unit() -> None:
    """The largest that fits."""
    assert ["31 days", "1 day", "12 hours", "1.5 minutes", "30 s"] == [
        duration(seconds) for seconds in (31 * 86_400, 86_400, 43_200, 90, 30)
    ]


def test_a_save_that_failed_is_in_the_way() -> None:
    """Redis refuses every write then, with MISCONF."""
    assert persistence({"rdb_last_bgsave_status": "err", "aof_enabled": 1}, None).state == BAD
    assert persistence({"aof_last_write_status": "err", "aof_enabled": 1}, None).state == BAD


# At the start of a consumer ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["redis-py", "socket-reads"])
def test_a_consumer_warns_of_a_redis_that_may_evict_its_stream(
    fresh: Lane, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line at its start, with the policy and what to do; none on Pub/Sub, where nothing is kept, nor otherwise."""

    def opened(transport: str) -> int:
        caplog.clear()
        open_receiver(kind, fresh.bus, ConsumerSettings(transport=transport)).close()
        return sum("allkeys-lru" in line and "noeviction" in line for line in caplog.messages)

    with fresh.redis() as client:
        assert opened("stream") == 0
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert (1, 0) == (opened("stream"), opened("pubsub"))
    assert servers.bus_on(1).url not in caplog.text
