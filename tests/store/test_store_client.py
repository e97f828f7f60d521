"""The store's edge: who it is, what its answers mean, and what is posted where."""

from __future__ import annotations

import gzip
import json
import socket
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest
from support.servers import Answer, Lane, ScriptedStore, consume, first

from sentinel import store
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.errors import SettingsError, StackError, StoreAccessError, StoreError, StoreRefusedError
from sentinel.settings import StoreSettings
from sentinel.store import Server, StoreClient
from sentinel.store.client import check
from sentinel.store.http import Response
from sentinel.store.influxdb_client import SynchronousApi, mapped, open_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.stack import Stack

INFLUX_2 = Server("InfluxDB", "2.7.12", "2")


# Which server is it --------------------------------------------------------------------------------------------------

VICTORIA = b'# HELP\nvm_app_version{version="victoria-metrics-20220101-tags-v1.79.5-0", short_version="v1.79.5"} 1\n'
UNSET = b'flag{name="dedup.minScrapeInterval", value="0s", is_set="false"} 1\n'
SERVERS = [
    (
        {"/ping": Answer(headers={"X-Influxdb-Version": "1.6.7~rc0"})},
        Server("InfluxDB", "1.6.7~rc0", "1"),
        "/write",
        False,
    ),
    ({"/ping": Answer(headers={"X-Influxdb-Version": "1.8.10"})}, Server("InfluxDB", "1.8.10", "1"), "/write", True),
    ({"/ping": Answer(headers={"X-Influxdb-Version": "1.12.4"})}, Server("InfluxDB", "1.12.4", "1"), "/write", True),
    ({"/ping": Answer(headers={"X-Influxdb-Version": "v2.7.12"})}, INFLUX_2, "/api/v2/write", True),
    (
        {"/ping": Answer(headers={"X-Influxdb-Version": "2.9.1"})},
        Server("InfluxDB", "2.9.1", "2"),
        "/api/v2/write",
        True,
    ),
    (
        {"/ping": Answer(200, b'{"version":"3.4.1","revision":"x"}', {"x-influxdb-version": "3.4.1"})},
        Server("InfluxDB", "3.4.1", "3"),
        "/api/v3/write_lp",
        True,
    ),
    (
        {"/ping": Answer(), "/health": Answer(200, b"OK"), "/metrics": Answer(200, VICTORIA)},
        Server("VictoriaMetrics", "1.79.5", "victoria"),
        "/api/v2/write",
        True,
    ),
    (
        {"/ping": Answer(), "/health": Answer(200, b"OK"), "/metrics": Answer(200, VICTORIA + UNSET)},
        Server("VictoriaMetrics", "1.79.5", "victoria", "0s"),
        "/api/v2/write",
        True,
    ),
]


@pytest.mark.parametrize(("answers", "server", "path", "serves_client"), SERVERS, ids=lambda part: str(part)[:20])
def test_servers_are_told_apart_by_what_they_answer(
    scripted: ScriptedStore, answers: dict[str, Answer], server: Server, path: str, serves_client: bool
) -> None:
    """`/ping` and `/health` say which server it is, and so where points go and whether the client's path exists."""
    scripted.answers = answers
    actual = store.identify(scripted.settings)
    assert server == actual
    assert (path, serves_client) == (actual.write_path, actual.serves_client)


def test_real_servers_are_recognised(real: Stack, victoria: StoreSettings) -> None:
    """The real ones are what they are."""
    server = store.identify(real.store)
    assert server.dialect == ("embedded" if real.kind == "embedded" else server.version[0])
    assert store.identify(victoria).dialect == "victoria"


@pytest.mark.parametrize(
    "answers", [{}, {"/ping": Answer(200, b"<html>")}, {"/ping": Answer(200, b"{no")}, {"/ping": Answer(204)}]
)
def test_a_stranger_is_no_store(scripted: ScriptedStore, answers: dict[str, Answer]) -> None:
    """What is none of the known servers is an error that lists them."""
    scripted.answers = answers
    with pytest.raises(
        StoreError, match=r"is no store that is known here \(/ping: \d+\): expected InfluxDB 1\.x, 2\.x"
    ):
        store.identify(scripted.settings)


def test_questdb_is_refused_by_name(scripted: ScriptedStore) -> None:
    """It answers as InfluxDB 2.7.4 would (these are 9.3.4's headers): the error says who it is and why not."""
    scripted.answers["/ping"] = Answer(204, headers={"Server": "questDB/1.0", "X-Influxdb-Version": "v2.7.4"})
    with pytest.raises(StoreError, match=r"is QuestDB: not supported, since .*; use InfluxDB or VictoriaMetrics$"):
        store.identify(scripted.settings)


def test_a_redirect_is_said_with_where_it_leads(scripted: ScriptedStore) -> None:
    """Already of the first question, as a proxy that wants https or a login gives it."""
    scripted.answers["/ping"] = Answer(301, b"moved", {"Location": "https://elsewhere/ping?token=x"})
    with pytest.raises(StoreAccessError, match=r"answered 301: moved \(it points to https://elsewhere/ping; redirects"):
        store.identify(scripted.settings)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_redirect_in_mid_run_is_waited_out_with_the_reason(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """As with a token that no longer lets us in: nothing is lost, and one line says where it leads."""
    scripted.on_write = first(*[Answer(307, headers={"Location": "https://elsewhere/login"})] * 2)
    sent = time.time_ns()
    record = {"timestamp": sent // 10**9, "cpu_usage": 1.5, "mem_usage": 2, "send_time_unix_nano": sent, "host": "h"}
    scripted_lane.publish([json.dumps(record).encode()])
    ledger = consume(scripted_lane, configuration).ledger
    assert ([], 1) == (ledger.problems(), ledger.written)
    assert len(scripted.lines()) == 1
    assert 1 == sum("it points to https://elsewhere/login; redirects" in line for line in caplog.messages)


def test_an_answer_that_is_no_text_is_a_store_error(scripted: ScriptedStore) -> None:
    """influxdb-client takes every body for UTF-8: what is none is an error that may pass, and ends no thread."""
    scripted.on_write = lambda _: Answer(500, b"\xff\xfe")
    api = SynchronousApi(scripted.settings, INFLUX_2)
    with pytest.raises(StoreError, match="did not answer: its answer is no text"):
        api.write(["m f=1"])
    api.close()


# What its answers mean -----------------------------------------------------------------------------------------------


ACCESS = "does INFLUX_TOKEN allow writing to bucket 'lab'?"
STATUSES = [
    (Answer(400), StoreRefusedError, None, ""),
    (Answer(413), StoreRefusedError, None, ""),
    (Answer(422), StoreRefusedError, None, ""),
    (Answer(401), StoreAccessError, None, ACCESS),
    (Answer(403), StoreAccessError, None, ACCESS),
    (Answer(404), StoreAccessError, None, "does bucket 'lab' exist? INFLUX_BUCKET names it"),
    (Answer(429, headers={"Retry-After": "7"}), StoreError, 7.0, ""),
    (Answer(429, headers={"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), StoreError, None, ""),
    (Answer(503, headers={"Retry-After": "0"}), StoreError, 0.0, ""),
    (Answer(500), StoreError, None, ""),
    (Answer(302), StoreAccessError, None, "(it points to nowhere; redirects are not followed: INFLUX_URL must name"),
    (
        Answer(308, headers={"Location": "https://u:pw@h/write?db=lab&p=pw"}),
        StoreAccessError,
        None,
        "(it points to https://h/write; redirects",
    ),
    (Answer(300), StoreError, None, ""),
]


@pytest.mark.parametrize(("answer", "kind", "retry_after", "remedy"), STATUSES)
def test_a_status_becomes_the_error_that_it_stands_for(
    scripted: ScriptedStore, answer: Answer, kind: type[StoreError], retry_after: float | None, remedy: str
) -> None:
    """Refused for good, refused until somebody acts, or worth another try; with address, status and words."""
    scripted.on_write = lambda _: replace(answer, body=b"said so")
    connection = StoreClient(scripted.settings)
    with pytest.raises(StoreError) as caught:
        connection.write(store.write_target(scripted.settings, INFLUX_2), b"m f=1")
    connection.close()
    assert (kind, retry_after) == (type(caught.value), caught.value.retry_after)
    assert f"the store at {scripted.settings.url} answered {answer.status}: said so" in str(caught.value)
    assert remedy in str(caught.value)
    assert "t0k3n" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 429, 503])
def test_the_clients_errors_are_the_same_as_ours(scripted: ScriptedStore, status: int) -> None:
    """Whether influxdb-client or we posted: one table decides what an answer means, and none follows a redirect."""
    headers = {"Retry-After": "3", "Location": "/write", "Content-Encoding": "gzip"}
    scripted.on_write = lambda _: Answer(status, gzip.compress(b"said so"), headers)
    own, api = StoreClient(scripted.settings), SynchronousApi(scripted.settings, INFLUX_2)
    with pytest.raises(StoreError, match="said so") as ours:
        own.write("/api/v2/write", b"m f=1")
    own.close()
    assert len(scripted.writes) == 1
    with pytest.raises(StoreError) as theirs:
        api.write([b"m f=1"])
    api.close()
    assert len(scripted.writes) == 2
    assert (type(ours.value), ours.value.args, ours.value.retry_after) == (
        type(theirs.value),
        theirs.value.args,
        theirs.value.retry_after,
    )


@pytest.mark.parametrize(
    ("asked", "seconds"), [("3", 3.0), ("9" * 400, 300.0), ("²", None), ("٣", None), ("-1", None), ("1.5", None)]
)
def test_a_retry_after_is_seconds_or_nothing(asked: str, seconds: float | None) -> None:
    """Other digits than 0 to 9 are none, and no store can ask for an hour."""
    with pytest.raises(StoreError) as caught:
        check(Response(503, {"retry-after": asked}, b""), StoreSettings())
    assert seconds == caught.value.retry_after


@pytest.mark.parametrize("answer", [Answer(200, b"<html>Sign in</html>"), Answer(200), Answer(201), Answer(202)])
@pytest.mark.parametrize("path", ["own", "client"])
def test_only_the_known_acknowledgement_is_a_success(scripted: ScriptedStore, answer: Answer, path: str) -> None:
    """A 2xx that no store documents, such as a proxy's page, wrote nothing: it may pass, and its words are said."""
    scripted.on_write = lambda _: answer
    own, client = StoreClient(scripted.settings), SynchronousApi(scripted.settings, INFLUX_2)
    write = {"own": partial(own.write, "/api/v2/write", b"a b=1 1"), "client": partial(client.write, ["a b=1 1"])}[path]
    with pytest.raises(StoreError, match=rf"answered {answer.status}: .*no answer of a store") as caught:
        write()
    own.close()
    client.close()
    assert type(caught.value) is StoreError
    assert answer.body.decode() in str(caught.value)


def test_an_answer_that_is_no_json_is_a_store_error(scripted: ScriptedStore) -> None:
    """A page in place of a query's result is said in words."""
    scripted.answers |= {"/query": Answer(200, b"<html>"), "/api/v1/export": Answer(200, b"<html>")}
    for server in (Server("InfluxDB", "1.8", "1"), Server("VictoriaMetrics", "1.79", "victoria")):
        with pytest.raises(StoreError, match="answered 200: <html>"):
            store.count(scripted.settings, server)


def test_no_answer_is_a_store_error_that_says_what_to_check() -> None:
    """Refused and timed out: the address, the cause and the setting."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for address, cause in ((url, "timed out"), ("http://127.0.0.1:1", "Connection refused")):
            with pytest.raises(StoreError) as caught:
                store.identify(StoreSettings(url=address, timeout=0.2))
            message = str(caught.value)
            assert message.startswith(f"the store at {address} did not answer: ")
            assert cause in message
            assert message.endswith("(is it running, and does INFLUX_URL name it?)")
    with mapped(StoreSettings()), pytest.raises(ValueError, match="ours"):
        raise ValueError("ours")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:8086",
        "ftp://localhost",
        "http://",
        "http://host:port",
        "http://h:99999",
        "http://[::1",
    ],
)
def test_an_address_that_is_none_is_a_settings_error(url: str) -> None:
    """A mistyped INFLUX_URL is shown, with what was expected; never a traceback."""
    with pytest.raises(SettingsError) as caught:
        StoreClient(StoreSettings(url=url))
    assert f"INFLUX_URL={url!r} is not an address: expected http://host:port" == str(caught.value)


@pytest.mark.parametrize(
    ("url", "port"), [("http://h", 80), ("https://h", 443), ("http://h:8086", 8086), ("https://h:8086/path", 8086)]
)
def test_an_address_means_the_same_to_both_writers(url: str, port: int) -> None:
    """Without a port influxdb-client takes the scheme's own: so do we, or two configurations met two servers."""
    connection = StoreClient(StoreSettings(url=url))
    assert port == connection._link.port


def test_a_path_in_the_address_is_kept(scripted: ScriptedStore) -> None:
    """A store behind a proxy's path is asked below it."""
    below = replace(scripted.settings, url=f"{scripted.settings.url}/influx/")
    scripted.answers = {"/influx/ping": Answer(headers={"X-Influxdb-Version": "2.7.1"})}
    assert store.identify(below).version == "2.7.1"


def test_a_connection_that_the_store_closed_is_made_anew(scripted: ScriptedStore) -> None:
    """After an error the same StoreClient works again."""
    scripted.on_write = first(Answer(204, headers={"Connection": "close"}))
    connection = StoreClient(scripted.settings)
    for _ in range(3):
        connection.write(store.write_target(scripted.settings, INFLUX_2), b"m f=1")
    connection.close()
    assert len(scripted.writes) == 3


# What is posted where ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "target"),
    [
        ("1", "/write?db=a+b"),
        ("embedded", "/write?db=a+b"),
        ("2", "/api/v2/write?org=o&bucket=a+b&precision=ns"),
        ("3", "/api/v3/write_lp?db=a+b&precision=nanosecond&accept_partial=false"),
        ("victoria", "/api/v2/write?org=o&bucket=a+b&precision=ns"),
    ],
)
def test_points_go_where_nanoseconds_are_understood(dialect: str, target: str) -> None:
    """Without a precision, with `ns`, with `nanosecond`: the only spelling for each path that no server misreads."""
    assert target == store.write_target(StoreSettings(org="o", bucket="a b"), Server("", "", dialect))


def test_the_client_is_moved_to_the_path_that_an_old_server_has(scripted: ScriptedStore) -> None:
    """InfluxDB 1.6 does not serve the client's path: the same client then posts to `/write`, in nanoseconds."""
    api = SynchronousApi(scripted.settings, Server("InfluxDB", "1.6.7", "1"))
    api.write([b"m f=1 1", b"m f=2 2"])
    api.close()
    ((_, asked, _),) = scripted.writes
    assert ("/write", {"db": "lab"}, b"m f=1 1\nm f=2 2") == (asked.path, asked.query, asked.body)
    client = open_client(scripted.settings, INFLUX_2)
    client.close()


@pytest.mark.parametrize("status", [204, 400])
def test_verifying_writes_no_point(scripted: ScriptedStore, status: int) -> None:
    """Before anything is read, an empty write proves token and bucket; a server that wants a point proves them too."""
    scripted.answers["/api/v2/write"] = Answer(status, b"no points")
    store.verify(scripted.settings, INFLUX_2)


@pytest.mark.parametrize("status", [401, 404])
def test_verifying_finds_a_wrong_token_or_bucket(scripted: ScriptedStore, status: int) -> None:
    """A wrong token or bucket is found at the start, not at the first batch."""
    scripted.answers["/api/v2/write"] = Answer(status, b"no")
    with pytest.raises(StoreAccessError):
        store.verify(scripted.settings, INFLUX_2)


def test_a_fresh_server_is_set_up_with_our_token(scripted: ScriptedStore) -> None:
    """The first set-up of InfluxDB 2 names user, organisation, bucket and token; a refusal says why."""
    seen: list[bytes] = []
    original = scripted.answer

    def answer(asked: object) -> Answer:
        seen.append(asked.body)  # type: ignore[attr-defined]
        return Answer(201) if len(seen) == 1 else Answer(422, b"already done")

    scripted.answer = answer  # type: ignore[assignment, method-assign]
    store.setup(scripted.settings, "me", "pass")
    expected = {"username": "me", "password": "pass", "org": "our org", "bucket": "lab", "token": "t0k3n"}
    assert expected == json.loads(seen[0])
    with pytest.raises(StackError, match=r"could not be set up: 422 b'already done'"):
        store.setup(scripted.settings, "me", "pass")
    scripted.answer = original  # type: ignore[method-assign]


# Asking it -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def connection(lane: Lane) -> Iterator[StoreClient]:
    """A connection to a real store."""
    connection = StoreClient(lane.store)
    yield connection
    connection.close()


def test_the_count_is_of_one_run(lane: Lane, connection: StoreClient) -> None:
    """Points of other runs are not counted, nor one point twice; an empty run has none."""
    server = store.identify(lane.store)
    target = store.write_target(lane.store, server)
    assert store.count(lane.store, server, lane.run) == 0
    lines = [b"system_stats,run=%b,source=1 cpu=%d,mem=1 %d" % (lane.run.encode(), n, n % 7 + 1) for n in range(20)]
    connection.write(target, b"\n".join([*lines, b"system_stats,run=another cpu=1,mem=1 1"]))
    assert store.count(lane.store, server, lane.run) == 7
    assert store.count(lane.store, server) >= 8


def test_a_query_that_fails_is_an_error_with_its_text(connection: StoreClient) -> None:
    """InfluxQL that the store does not understand, or cannot answer, comes back with the store's words."""
    words = "failed to parse query" if store.identify(connection.settings).dialect == "2" else "error parsing query"
    with pytest.raises(StoreError, match=rf"answered 400: .*{words}"):
        connection.query("SELECT nothing")
    connection.settings = replace(connection.settings, bucket="nowhere")
    with pytest.raises(StoreError, match=r"could not answer 'SELECT count.*database not found: nowhere"):
        connection.query("SELECT count(cpu) FROM system_stats")


def test_preparing_twice_does_no_harm(real: Stack) -> None:
    """The bucket is made if it is not there."""
    server = store.identify(real.store)
    if server.dialect == "2":
        pytest.skip("buckets of InfluxDB 2 are made by who sets it up")
    fresh = replace(real.store, bucket="made by a test")
    for _ in range(2):
        store.prepare(fresh, server)
        store.verify(fresh, server)


def put(settings: StoreSettings, server: Server, line: bytes) -> None:
    """Write one point."""
    connection = StoreClient(settings)
    connection.write(store.write_target(settings, server), line)
    connection.close()


def test_a_cleared_bucket_is_empty_and_takes_points(real: Stack) -> None:
    """What was there is gone, of this bucket alone; what comes next is kept."""
    server = store.identify(real.store)
    if server.dialect == "2":
        pytest.skip("buckets of InfluxDB 2 are made by who sets it up")
    own, other = (replace(real.store, bucket=f"cleared {name}") for name in ("mine", "other"))
    for settings in (own, other):
        store.prepare(settings, server)
        put(settings, server, b"system_stats,run=before cpu=1,mem=2 1")
    store.clear(own, server)
    assert [store.count(settings, server) for settings in (own, other)] == [0, 1]
    put(own, server, b"system_stats,run=after cpu=1,mem=2 2")
    assert (store.count(own, server), store.count(own, server, "before")) == (1, 0)
    for settings in (own, other):
        store.clear(settings, server)


def test_a_server_without_such_statements_is_left_as_it_is(scripted: ScriptedStore) -> None:
    """InfluxDB 2 and 3 and VictoriaMetrics are asked nothing; this one would refuse."""
    for dialect in ("2", "3", "victoria"):
        store.clear(scripted.settings, Server("a store", "", dialect))
    with pytest.raises(StoreError):
        store.clear(scripted.settings, Server("a store", "", "1"))


def test_a_bucket_that_is_missing_is_an_access_error(real: Stack) -> None:
    """Writing into nowhere says which setting names the bucket."""
    server = store.identify(real.store)
    with pytest.raises(StoreAccessError, match=r"does bucket 'nowhere' exist\? INFLUX_BUCKET names it"):
        store.verify(replace(real.store, bucket="nowhere"), server)
