"""What a hostile sender, store or name can do: nothing but be counted, and no secret is ever shown."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import uuid
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redis
from support.servers import Answer, ConsumerProcess, Lane, Restartable, ScriptedStore, consume, first, wait_until

from sentinel import bus, store
from sentinel.consumer.configurations import CONFIGURATIONS
from sentinel.errors import BusError, StoreError
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.experiments.benchmark.trials import BenchmarkLab
from sentinel.lab.run.trial_record import CAPACITY, LATENCY, Plan
from sentinel.lab.stack import Stack, native
from sentinel.lab.stack.stack import stack_behind
from sentinel.lab.trials import plans
from sentinel.lab.trials.trial import Trial
from sentinel.model.lineprotocol import visible
from sentinel.runtime.logs import PrintableFormatter, printable
from sentinel.settings import BusSettings, LoadSettings, StoreSettings
from sentinel.store import Server
from sentinel.store.influxdb_client import SynchronousApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.process.supervisor import Supervisor

SECRET = "s3cr3t-t0k3n"
NOW = time.time_ns()

HOSTILE = {
    "a second line": "h\nsystem_stats,host=forged cpu=1,mem=1 1",
    "a second line by carriage return": "h\r\nsystem_stats cpu=1 1",
    "further tags": "h,host=forged,run=forged",
    "fields": "h cpu=0,mem=0 1",
    "quotes": 'h" OR "a"=\'a\'; DROP DATABASE sentinel; --',
    "a query": "h'; DROP MEASUREMENT system_stats; --",
    "backslashes": "h\\,run=forged\\",
    "only backslashes": "\\\\\\",
    "an escape sequence": "\x1b[2J\x1b]0;owned\x07",
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f\x85\x9b31m",
    "nothing": "\0",
    "line separators": "h\u2028system_stats cpu=1\u2029\x0b\x0c",
    "another direction": "h\u202e1=upc\u2066",
    "a comment": "# h",
    "very long": "h" * 255,
    "very long in UTF-8": "😀" * 255,
    "a number": "1i",
    "a template": "{{7*7}}${7*7}<script>alert(1)</script>",
}


def message(number: int, **more: Any) -> bytes:
    """A sound message with a time of its own."""
    record = {"timestamp": NOW // 10**9, "cpu_usage": 1.5, "mem_usage": 2.5, "send_time_unix_nano": NOW + number}
    return json.dumps(record | more).encode()


# A hostile sender ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_hostile_name_stays_a_name(lane: Lane, configuration: str) -> None:
    """As host, field or tag, whatever it holds, a name makes one point, with that name, and nothing else."""
    texts = list(HOSTILE.values())
    lane.publish(
        [message(n, host=text, fields={text: 4.5}, tags={f"t{text[:254]}": text}) for n, text in enumerate(texts)]
    )
    report = consume(lane, configuration)
    assert (len(texts), 0) == (report.ledger.written, report.ledger.rejected)
    wait_until("all are stored", lambda: lane.stored() >= len(texts), 5)
    expected = [
        {"time": NOW + n, "cpu": 1.5, "mem": 2.5, "host": visible(text), visible(text): 4.5}
        | {visible(f"t{text[:254]}"): visible(text)}
        for n, text in enumerate(texts)
    ]
    assert expected == lane.rows()


@pytest.mark.parametrize(
    "text", ["h'; DROP MEASUREMENT system_stats; --", "a' OR 'a'='a", "\\' OR run != '", "a\nb", 'b"}']
)
def test_a_hostile_run_is_asked_for_by_its_name(real: Stack, victoria: StoreSettings, text: str) -> None:
    """A `run` is data in every query that is made of it: only its own points are counted, and nothing is dropped."""
    for settings in (real.store, victoria):
        other = Lane.on(real.bus, settings)
        own = replace(other, run=f"{other.run}{text}")
        other.publish([message(1, run=other.run), message(2_000_000, run=own.run), message(4_000_000, run=own.run)])
        consume(other)
        wait_until("they are stored", lambda own=own: own.stored() == 2, 5)
        assert other.stored() == 1
        bus.remove(other.bus)


@pytest.mark.parametrize(
    "more",
    [
        {"host": "h" * 256},
        {"fields": {"f" * 256: 1.0}},
        {"run": "r" * 256},
        {"tags": {"t" * 256: "x"}},
        {"tags": {"host": "forged"}},
        {"tags": {"swap": "x"}, "fields": {"swap": 1.0}},
        {"measurement": "sentinel_consumer", "host": "h"},
        {"measurement": "_internal", "host": "h"},
        {"fields": {"time": 1.0}},
        {"fields": {"f": "text"}},
        {"fields": {"": 1.0}},
    ],
)
def test_what_no_point_can_hold_is_rejected(embedded_lane: Lane, more: dict[str, Any]) -> None:
    """Names beyond 255 characters, measurements of others, our own field names and text for a number."""
    embedded_lane.publish([message(1), message(2, **more)])
    report = consume(embedded_lane)
    assert (1, 1) == (report.ledger.written, report.ledger.rejected)


def test_a_flood_of_garbage_is_kept_within_bounds(embedded_lane: Lane, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large garbage is counted to the last message; of the letters a bounded number is kept, each cut."""
    monkeypatch.setattr(bus.DeadLetters, "KEEP", 50)
    embedded_lane.publish([b"x" * 100_000] * 400 + [message(1)])
    report = consume(embedded_lane)
    assert (1, {"json": 400}) == (report.ledger.written, report.ledger.reasons)
    kept = embedded_lane.dead_letters()
    assert 50 <= len(kept) < 200
    assert sum(len(payload) + len(detail) for payload, _, detail in kept) < 200 * (bus.DeadLetters.LONGEST + 1000)


def test_the_bounds_of_dead_letters_are_what_is_promised() -> None:
    """The whole stream fits beside the messages: about 100 MB at the worst."""
    assert bus.DeadLetters.KEEP * (bus.DeadLetters.LONGEST + 1000) < 110e6


# A terminal ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_only_printable_text_reaches_a_log(text: str) -> None:
    """No escape sequence, forged line, or change of direction; what is printable stays as it is."""
    record = logging.LogRecord("sentinel", logging.WARNING, "", 0, "said: %s", (text,), None)
    line = PrintableFormatter("%(levelname)s %(message)s").format(record)
    assert line.isprintable()
    assert (line == f"WARNING said: {text}") == text.isprintable()


def test_a_traceback_keeps_its_lines() -> None:
    """What Python itself says of an error of ours is left readable."""
    try:
        int("\x1b[31m")
    except ValueError:
        record = logging.LogRecord("sentinel", logging.ERROR, "", 0, "broken", (), sys.exc_info())
    assert len(PrintableFormatter().format(record).splitlines()) > 3
    assert printable("a\tb\nc\x1b", keep="\n\t") == "a\tb\nc\\x1b"


def test_hostile_messages_and_answers_leave_a_clean_log(
    scripted_lane: Lane, scripted: ScriptedStore, supervisor: Supervisor, tmp_path: Path
) -> None:
    """`sentinel consume` prints printable lines whatever is sent to it, and whatever the store answers."""
    scripted.on_write = first(Answer(500, b"\x1b[2Jgone\r\n2026-01-01 INFO forged line"))
    process = ConsumerProcess(supervisor, scripted_lane, tmp_path)
    bad = [f"\x1b[31m{text}".encode(errors="replace") for text in HOSTILE.values()]
    scripted_lane.publish([*bad, *(message(n, host=text) for n, text in enumerate(HOSTILE.values()))])
    wait_until("all is stored", lambda: len(scripted.lines()) == len(HOSTILE))
    process.child.signal(15)
    assert process.ends() == 0
    assert process.ledger.rejected == len(bad)
    assert "gone\\r\\n2026-01-01 INFO forged" in process.log
    assert all(line.isprintable() for line in process.log.split("\n"))


# Secrets -------------------------------------------------------------------------------------------------------------

URLS = [
    f"redis://:{SECRET}@127.0.0.1:1/0",
    f"redis://me:{SECRET}@127.0.0.1:1/0",
    f"redis://127.0.0.1:1/0?password={SECRET}",
    f"redis://:{SECRET}/x@127.0.0.1:1/0",
    f"redis://:x#{SECRET}@127.0.0.1:1/0",
    f"http://:{SECRET}@127.0.0.1:1",
    f"redis://127.0.0.1:1/0?password=x@{SECRET}",
    f"redis://:{SECRET}?@127.0.0.1:1/0",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_in_redis_url_is_shown_nowhere(url: str) -> None:
    """Not by the settings, nor by any error on the way to a server that is not there, nor by what it was caused by."""
    settings = BusSettings(url=url)
    assert SECRET not in f"{settings} {settings!r} {[settings]}"
    with pytest.raises(Exception, match="REDIS_URL") as caught:
        bus.server_version(settings)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error} {error!r}"
        error = error.__cause__


@pytest.mark.parametrize(
    ("url", "token"),
    [
        (f"http://me:{SECRET}@127.0.0.1:1", ""),
        (f"http://127.0.0.1:1?u=me&p={SECRET}", SECRET),
        (f"http://127.0.0.1:1?u=me&p=x@{SECRET}", ""),
    ],
)
def test_a_password_in_influx_url_is_shown_nowhere(url: str, token: str) -> None:
    """Neither by our own requests nor by influxdb-client's."""
    settings = StoreSettings(url=url, token=token, timeout=1.0)
    assert SECRET not in f"{settings} {settings!r}"
    with pytest.raises(Exception, match="INFLUX_URL") as ours:
        store.identify(settings)
    api = SynchronousApi(settings, Server("InfluxDB", "2.7.12", "2"))
    with pytest.raises(Exception, match="INFLUX_URL") as theirs:
        api.write(["m f=1"])
    api.close()
    assert SECRET not in f"{ours.value} {theirs.value}"


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_token_that_the_store_repeats_is_not_passed_on(scripted: ScriptedStore, status: int) -> None:
    """A proxy's page that shows the request's headers does not end in our log."""
    scripted.on_write = lambda asked: Answer(status, b"you sent " + asked.headers["authorization"].encode())
    connection = store.StoreClient(scripted.settings)
    with pytest.raises(StoreError, match=r"you sent Token \(token\)") as caught:
        connection.write(store.write_target(scripted.settings, Server("InfluxDB", "2.7.12", "2")), b"m f=1")
    connection.close()
    assert scripted.settings.token not in str(caught.value)


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
def test_a_password_that_the_store_repeats_is_not_passed_on(scripted: ScriptedStore, status: int) -> None:
    """Neither as it is, nor as it stands in the header; not where the words are cut either."""
    shapes = ["bWU6cEBzcy93MHJk", "p@ss/w0rd"]
    pages = [f"{'x' * n}{' '.join(shapes)}".encode() for n in (0, 480, 496)]
    address = scripted.settings.url.replace("://", "://me:p%40ss%2Fw0rd@")
    settings = replace(scripted.settings, url=address, token="")
    server = Server("InfluxDB", "1.6.7", "1")
    for page in pages:
        scripted.on_write = lambda _, page=page: Answer(status, page, {"Location": f"{address}/x"})  # type: ignore[misc]
        connection, api = store.StoreClient(settings), SynchronousApi(settings, server)
        for write in (partial(connection.write, "/write?db=x", b"m f=1"), partial(api.write, ["m f=1"])):
            with pytest.raises(StoreError, match="answered") as caught:
                write()
            assert not [part for shape in shapes for part in (shape, shape[:4]) if part in str(caught.value)]
        connection.close()
        api.close()
    assert {"Basic bWU6cEBzcy93MHJk"} == {asked.headers["authorization"] for _, asked, _ in scripted.writes}


@pytest.fixture
def guarded(supervisor: Supervisor, tmp_path: Path, embedded: Stack) -> Iterator[Stack]:
    """A stack whose bus wants a password and whose store is given a token."""
    program = native.find("redis-server") or native.find("valkey-server")
    if program is None:
        pytest.skip("no redis-server on PATH")
    url = f"redis://:{SECRET}@127.0.0.1"

    def ask(port: int) -> str:
        return bus.server_version(BusSettings(url=f"{url}:{port}/0"))

    described = native.redis_program(program)
    server = Restartable(supervisor, described, tmp_path, ask, more=("--requirepass", SECRET)).start()
    store = replace(embedded.store, token=SECRET)
    yield stack_behind("external", BusSettings(url=f"{url}:{server.ports[0]}/0"), store)
    server.end(15)


@pytest.mark.parametrize("kind", [CAPACITY, LATENCY])
def test_no_secret_is_left_in_what_a_trial_leaves(
    guarded: Stack, supervisor: Supervisor, tmp_path: Path, kind: str
) -> None:
    """Logs, ledgers, series and outcome of a trial on password and token hold neither; nor does the stack's label."""
    load = LoadSettings(count=200, workers=4) if kind == CAPACITY else LoadSettings(rate=200, duration=1.5, workers=4)
    folder = tmp_path / "trial"
    outcome = Trial(Plan(1, kind, "optimised", "optimised", load), guarded, folder, supervisor, uuid.uuid4().hex).run()
    assert outcome.problems == []
    kept = [path for path in folder.rglob("*") if path.is_file()]
    assert {"consumer.log", "load.log", "trial.json", "ledger.json"} <= {path.name for path in kept}
    for path in kept:
        assert SECRET.encode() not in path.read_bytes(), path
    assert SECRET not in f"{guarded!r} {guarded.label} {outcome!r}"


def test_a_wrong_password_is_an_error_without_it(guarded: Stack) -> None:
    """Redis refuses: the error names the address and the variable, and shows no part of either password."""
    wrong = BusSettings(url=guarded.bus.url.replace(SECRET, "wr0ng-pass"))
    with pytest.raises(BusError, match="REDIS_URL") as caught:
        bus.server_version(wrong)
    assert "wr0ng" not in str(caught.value)
    assert SECRET not in str(caught.value)
    with redis.Redis.from_url(guarded.bus.url) as client:
        assert client.ping()


@pytest.mark.parametrize("by", ["token", "user"])
def test_no_secret_is_left_in_a_run(
    guarded: Stack, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The whole folder of a run on somebody's servers, run.json, logs and captures included, and what was printed."""
    address = guarded.store.url if by == "token" else guarded.store.url.replace("://", f"://me:{SECRET}@")
    monkeypatch.setenv("REDIS_URL", guarded.bus.url)
    monkeypatch.setenv("INFLUX_URL", address)
    monkeypatch.setenv("INFLUX_TOKEN", SECRET if by == "token" else "")
    lab = BenchmarkLab.open(
        Benchmark(STACK="external", CONFIGURATIONS="optimised", REPEATS=1, MESSAGES=4000, PYSPY=False), tmp_path
    )
    lab.capacity()
    if by == "token":
        lab.weighed(plans.memory(lab.parameters))
    run = lab.close()
    assert [] == [trial.problems for trial in run.data.trials if trial.problems]
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"run.json", "consumer.log", "trial.json", "ledger.json"} <= {path.name for path in kept}
    assert (by == "token") == any(path.parent.name == lab.run.id and path.suffix == ".html" for path in kept)
    for path in kept:
        assert SECRET.encode() not in path.read_bytes(), path
    printed = capfd.readouterr()
    assert SECRET not in printed.out + printed.err


# Documents -----------------------------------------------------------------------------------------------------------


def test_security_md_grants_what_readme_lists() -> None:
    """The lines to copy give each program its rights, no fewer and no more."""
    root = Path(__file__).parents[1]
    readme, security = ((root / name).read_text(encoding="utf-8") for name in ("README.md", "SECURITY.md"))
    for program, user in (("`consume`, stream", "consumer"), ("`agent`, `load`", "sender")):
        (row,) = (line.partition("with `")[0] for line in readme.splitlines() if line.startswith(f"| {program} |"))
        (line,) = (line for line in security.splitlines() if line.startswith(f"ACL SETUSER {user} "))
        assert set(re.findall(r"[~&+][\w:]+", row)) == set(re.findall(r"[~&+][\w:]+", line))
    assert "GRANT WRITE ON sentinel TO" in readme
