"""The embedded store: its two readers of line protocol against each other, and the real process over loopback."""

from __future__ import annotations

import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.errors import StackError
from sentinel.lab.stack.embedded_store import influxql
from sentinel.lab.stack.embedded_store.catalog import NoDatabaseError
from sentinel.lab.stack.embedded_store.exchange import Request, Response
from sentinel.lab.stack.embedded_store.influxql import Count, SelectAll
from sentinel.lab.stack.embedded_store.leanhttp import Server
from sentinel.lab.stack.embedded_store.linefields import merge_fields, shape_of, split_fields, split_shape, value_of
from sentinel.lab.stack.embedded_store.linekey import read_key
from sentinel.lab.stack.embedded_store.linereader import MAX_TIME, read_exact, read_lines, read_plain
from sentinel.lab.stack.embedded_store.storefile import StoreFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.stack.embedded_store.linereader import Columns

ROOT = Path(__file__).parents[3]
NOW = 1_780_000_000_123_456_789


class Store:
    """A store process and one kept-alive connection to it."""

    def __init__(self, directory: Path, *more: str) -> None:
        command = [
            sys.executable,
            "-m",
            "sentinel.lab.stack.embedded_store",
            "--data",
            str(directory),
            "--port",
            "0",
            *more,
        ]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
        assert self.process.stdout
        self.line = self.process.stdout.readline().decode()
        self.port = int(self.line.rpartition(":")[2] or 0)
        self.http = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
        """Status and JSON of one request."""
        self.http.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = self.http.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None

    def write(self, database: str, body: str, more: str = "") -> tuple[int, Any]:
        """One write in the way of InfluxDB 1.x."""
        return self.ask("POST", f"/write?db={database}{more}", body.encode())

    def query(self, database: str, query: str, epoch: str = "ns") -> Any:
        """The first result of a query."""
        status, answer = self.ask("GET", "/query?" + urlencode({"db": database, "q": query, "epoch": epoch}))
        assert status == 200
        return answer["results"][0]

    def values(self, database: str, query: str) -> list[list[Any]]:
        """The rows of its first series."""
        actual = self.query(database, query).get("series")
        return list(actual[0]["values"]) if actual else []

    def count(self, database: str, query: str) -> int:
        """The number that a count gives; 0 without a series."""
        actual = self.values(database, query)
        return int(actual[0][1]) if actual else 0

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """The exit code, and what it said on stderr."""
        self.http.close()
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=10)
        return self.process.returncode, errors.decode()


@contextmanager
def running(directory: Path) -> Iterator[Store]:
    """A store that ends with the block."""
    store = Store(directory)
    try:
        yield store
    finally:
        if store.process.poll() is None:
            store.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for all tests of HTTP; it must end cleanly and have logged nothing."""
    with running(tmp_path_factory.mktemp("store")) as first:
        yield first
        code, errors = first.end()
        assert (code, errors) == (0, "")


@pytest.fixture
def db(store: Store, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    name = "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    assert store.query("", f'CREATE DATABASE "{name}"') == {"statement_id": 0}
    return name


# --- reading lines ---


def _lists(columns: Columns) -> list[list[Any]]:
    return [list(column) for column in columns]


_plain_name = st.text("abcXYZ019_.-é", min_size=1, max_size=6)
_number = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**63), 2**63 - 1).map(lambda n: f"{n}i"),
    st.sampled_from(["1", "1.", ".5", "-0", "1e5", "1e400", "nan", "1i2", "t", '"s"', "007"]),
)
_stamp = st.one_of(st.integers(-(2**63), 2**63).map(str), st.sampled_from(["", "x", "1 ", "00", "-0"]))


@st.composite
def _lines(draw: st.DrawFn) -> str:
    tags = draw(st.lists(st.tuples(_plain_name, _plain_name), max_size=3))
    fields = draw(st.lists(st.tuples(_plain_name, _number), min_size=1, max_size=3))
    head = ",".join([draw(_plain_name), *(f"{name}={value}" for name, value in tags)])
    return f"{head} {','.join(f'{name}={value}' for name, value in fields)} {draw(_stamp)}"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.one_of(_lines(), st.sampled_from(["# note", "", " a b=1 1", "a b=1 1", "a\\ a b=1 1"])), max_size=5))
def test_plain_reader_agrees_with_the_exact_one(lines: list[str]) -> None:
    """What the fast reader takes it reads just as the exact one does, and it takes no line that is an error there."""
    body = "\n".join(lines).encode()
    plain = read_plain(body)
    if plain is not None:
        assert _lists(plain) == _lists(read_exact(body, NOW))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.binary(max_size=40).map(lambda noise: b"m,a=b f=1,g=2i 5\n" + noise))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    """Any bytes are points or errors, never an exception, and both readers agree on them."""
    assert _lists(read_lines(body, NOW)) == _lists(read_exact(body, NOW))


def test_common_lines_take_the_fast_way() -> None:
    """The line that the pipeline writes is read by the fast reader, in every kind of number it may hold."""
    body = b"system_stats,run=abc,source=17 cpu=53.21,mem=47.9,n=-3i,tiny=1.5e-05 1780000000123456789\n"
    plain = read_plain(body * 3)
    assert plain is not None
    assert list(plain.shapes) == [b"cpu=,mem=,n=i,tiny="] * 3


_text = st.text(st.characters(exclude_characters="\\\0\r", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8)


def _escaped(text: str, what: str) -> str:
    return "".join(f"\\{letter}" if letter in what else letter for letter in text)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(_text, _text, _text, _text, st.text(max_size=12))
def test_escapes_round_trip(measurement: str, tag: str, value: str, field: str, text: str) -> None:
    """Whatever is escaped by InfluxDB's rules comes back as it was meant."""
    head = f"m{_escaped(measurement, ', ')},t{_escaped(tag, ', =')}={_escaped(value, ', =')}"
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    read = read_lines(f'{head} f{_escaped(field, ", =")}="{quoted}" 5\n'.encode(), NOW)
    assert read.errors == []
    assert read_key(read.keys[0]) == (f"m{measurement}".encode(), ((f"t{tag}".encode(), value.encode()),))
    assert {name: value_of(raw) for name, raw in split_fields(read.fields[0]).items()} == {f"f{field}".encode(): text}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("m", "missing fields"),
        ("m ", "invalid field format"),
        (",a=1 f=1", "missing measurement"),
        ("m,a f=1", "missing tag value"),
        ("m, f=1", "missing tag key"),
        ("m,a=b=c f=1", "invalid tag format"),
        ("m,a=1,a=2 f=1", "duplicate tags"),
        ("m =1", "missing field key"),
        ("m f=,g=1", "missing field value"),
        ("m f=1,", "invalid field format"),
        ("m f=x", "invalid boolean"),
        ("m f=+1", "invalid boolean"),
        ("m f=inf", "invalid boolean"),
        ("m f=NaN", "invalid number"),
        ("m f=1.1.1", "invalid number"),
        ("m f=1e400", "invalid float"),
        ("m f=9223372036854775808i", "unable to parse integer 9223372036854775808: value out of range"),
        ("m f=-1u", "unable to parse unsigned -1: value out of range"),
        ("m f=1x", "invalid number"),
        ('m f="a', "unbalanced quotes"),
        ("m f=1 1x", "bad timestamp"),
        ("m f=1 1 1", "point is invalid"),
        ("m f=1 9223372036854775807", f"time outside range -{MAX_TIME} - {MAX_TIME}"),
        ("m f=1 1\r", "bad timestamp"),
    ],
)
def test_errors_are_those_of_influxdb(line: str, why: str) -> None:
    """A line that InfluxDB refuses is refused with its words."""
    read = read_exact(line.encode(), NOW)
    assert (list(read.keys), read.errors) == ([], [f"unable to parse '{line}': {why}"])


def test_types_of_values() -> None:
    """Every spelling of InfluxDB's five types is known, in the shape and as a value."""
    read = read_exact(b'm a=1,b=-2i,c=3u,d="x\ny",e=t,f=FALSE,g=.5,h=1e3 1', NOW)
    assert read.errors == []
    assert read.shapes[0] == b'a=,b=i,c=u,d=",e=t,f=t,g=,h='
    values = [value_of(raw) for raw in split_fields(read.fields[0]).values()]
    assert values == [1.0, -2, 3, "x\ny", True, False, 0.5, 1000.0]


def test_time_defaults_to_now() -> None:
    """A point without a time gets the server's."""
    assert list(read_lines(b"m f=1\nm f=1 7", NOW).times) == [NOW, 7]


def test_merging_unites_fields_and_the_new_value_wins() -> None:
    """The union of two field sets holds every field once; a name spelt in two ways is one field."""
    merged = merge_fields(rb"a=1,b\"=2i", b'b"=3i,c=t')
    assert merged == b'a=1,b"=3i,c=t'
    assert split_shape(shape_of(merged)) == {b"a": b"", b'b"': b"i", b"c": b"t"}


# --- queries ---


@pytest.mark.parametrize(
    ("query", "parsed"),
    [
        ('CREATE DATABASE "a b"', influxql.CreateDatabase("a b")),
        ("drop database x;", influxql.DropDatabase("x")),
        ("SHOW DATABASES", influxql.ShowDatabases()),
        ('SELECT count("f") FROM "m"', Count("m", "f")),
        (
            r"""select COUNT(f) from m where run='it\'s' and "t\"" = 'u'""",
            Count("m", "f", (("run", "it's"), ('t"', "u"))),
        ),
        ("SELECT * FROM m WHERE a='b'", SelectAll("m", (("a", "b"),))),
        ('SELECT * FROM "m";', SelectAll("m")),
        ("SELECT * FROM m WHERE a='b' ORDER BY time DESC LIMIT 1", SelectAll("m", (("a", "b"),), newest=True)),
    ],
)
def test_query_forms(query: str, parsed: influxql.Statement) -> None:
    """Each statement that we send is understood, quoted or bare, in either case."""
    assert influxql.parse(query) == parsed


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC", "found SELEC, expected SELECT, SHOW, CREATE, DROP at line 1, char 1"),
        ("SELECT count(f) FROM", "found EOF, expected identifier at line 1, char 21"),
        ("SELECT * FROM m GROUP BY t", "found GROUP, expected end at line 1, char 17"),
        ("SELECT * FROM m WHERE t > 'x'", "found >, expected = at line 1, char 25"),
        ("SELECT * FROM m ORDER BY time", "found EOF, expected DESC at line 1, char 30"),
        ("SELECT * FROM m ORDER BY time DESC LIMIT 10", "found 10, expected 1 at line 1, char 42"),
        ("SELECT * FROM m LIMIT 1", "found LIMIT, expected end at line 1, char 17"),
        ("SHOW DATABASES; SHOW DATABASES", "found SHOW, expected end at line 1, char 17"),
        ("SELECT mean(f) FROM m", "found mean, expected * or count(field) at line 1, char 8"),
    ],
)
def test_query_outside_the_subset_is_an_error(store: Store, query: str, message: str) -> None:
    """A query is understood whole or refused with a 400 that says where."""
    assert store.ask("GET", f"/query?db=x&q={quote(query)}") == (400, {"error": f"error parsing query: {message}"})


def test_a_query_comes_in_the_address(store: Store, db: str) -> None:
    """GET and POST take it there, as the lab sends it; a form's body is no query, and the 400 says what is missing."""
    for method in ("GET", "POST"):
        status, answer = store.ask(method, "/query?q=SHOW+DATABASES")
        assert status == 200
        assert [db] in answer["results"][0]["series"][0]["values"]
    form = urlencode({"q": "SHOW DATABASES"}).encode()
    missing = {"error": 'missing required parameter "q"'}
    assert (400, missing) == store.ask("POST", "/query", form, Content_Type="application/x-www-form-urlencoded")


# --- writing and reading back ---


def test_write_then_count_and_select(store: Store, db: str) -> None:
    """Every acknowledged point is counted, by tag, and comes back in order of time."""
    assert store.write(db, "m,run=a,source=1 cpu=1,mem=2i 30\nm,run=a,source=2 cpu=3 20\nm,run=b cpu=4 10\n") == (
        204,
        None,
    )
    assert store.count(db, 'SELECT count("cpu") FROM "m"') == 3
    assert store.count(db, """SELECT count("cpu") FROM "m" WHERE "run" = 'a'""") == 2
    assert store.count(db, "SELECT count(mem) FROM m WHERE run = 'a' AND source = '1'") == 1
    series = store.query(db, "SELECT * FROM m WHERE run = 'a'")["series"][0]
    assert series["columns"] == ["time", "cpu", "mem", "run", "source"]
    assert series["values"] == [[20, 3.0, None, "a", "2"], [30, 1.0, 2, "a", "1"]]


def test_the_newest_point_alone(store: Store, db: str) -> None:
    """The latest of all series meant, whichever it is in; of two at one time one; nothing where there is none."""
    store.write(db, "m,run=a,source=1 f=1 30\nm,run=a,source=2 f=2 20\nm,run=a,source=2 f=3 40\nm,run=b f=4 50\n")
    newest = "SELECT * FROM m WHERE run = '{}' ORDER BY time DESC LIMIT 1"
    assert store.values(db, newest.format("a")) == [[40, 3.0, "a", "2"]]
    store.write(db, "m,run=a,source=1 f=5 40")
    assert [40] == [row[0] for row in store.values(db, newest.format("a"))]
    assert store.query(db, newest.format("c")) == {"statement_id": 0}


def test_nothing_found_has_no_series(store: Store, db: str) -> None:
    """No points, no such field and no such measurement all look the same: a result without series."""
    store.write(db, "m f=1 1")
    for query in ("SELECT count(g) FROM m", "SELECT count(f) FROM n", "SELECT * FROM m WHERE t = 'x'"):
        assert store.query(db, query) == {"statement_id": 0}


def test_same_key_unites_fields(store: Store, db: str) -> None:
    """The same series and time overwrites field by field, in one request or over several, in any order of tags."""
    assert store.write(db, "m,a=1,b=2 x=1,y=1 5\nm,b=2,a=1 y=2,z=2 5")[0] == 204
    assert store.write(db, 'm,b=2,a=1 z=3,s="q" 5')[0] == 204
    assert store.values(db, "SELECT * FROM m") == [[5, "1", "2", "q", 1.0, 2.0, 3.0]]
    assert [store.count(db, f"SELECT count({field}) FROM m") for field in "xyzs"] == [1, 1, 1, 1]


def test_redelivery_changes_nothing(store: Store, db: str) -> None:
    """A batch written twice is stored once."""
    batch = "\n".join(f"m,source={n % 7} f={n} {n}" for n in range(2000))
    assert [store.write(db, batch)[0] for _ in range(2)] == [204, 204]
    assert store.count(db, "SELECT count(f) FROM m") == 2000


def test_unparseable_lines_leave_the_good_ones(store: Store, db: str) -> None:
    """Good lines around a bad one are written, and the 400 names the bad one as InfluxDB 1.x does."""
    error = "partial write: unable to parse 'bad': missing fields dropped=0"
    assert store.write(db, "m f=1 1\nbad\n# note\n\nm f=2 2") == (400, {"error": error})
    assert store.count(db, "SELECT count(f) FROM m") == 2
    assert store.write(db, "bad") == (400, {"error": "unable to parse 'bad': missing fields"})


def test_type_conflict_drops_the_point(store: Store, db: str) -> None:
    """A field keeps its first type; a point that disagrees is dropped whole, and only that one."""
    conflict = 'field type conflict: input field "x" on measurement "m" is type float, already exists as type integer'
    assert store.write(db, "m x=1i 1\nm x=1 2\nm x=2i,y=1 3\nm,t=u x=2,z=1 4\nn x=1 5") == (
        400,
        {"error": f"partial write: {conflict} dropped=2"},
    )
    assert [store.count(db, f"SELECT count({field}) FROM m") for field in "xyz"] == [2, 1, 0]
    assert store.count(db, "SELECT count(x) FROM n") == 1
    assert store.write(db, "m z=t 6")[0] == 204


def test_time_is_no_tag(store: Store, db: str) -> None:
    """A tag named time is refused as in InfluxDB, and so is a point with no field but time."""
    tag = 'partial write: invalid tag key: input tag "time" on measurement "m" is invalid dropped=1'
    field = 'partial write: invalid field name: input field "time" on measurement "m" is invalid dropped=1'
    assert store.write(db, "m,time=1 f=1 1") == (400, {"error": tag})
    assert store.write(db, "m time=1 1") == (400, {"error": field})
    assert store.write(db, "m time=1,f=2 1") == (204, None)
    assert store.values(db, "SELECT * FROM m") == [[1, 2.0]]


@pytest.mark.parametrize("path", ["/write?db=", "/api/v2/write?org=o&bucket="])
def test_both_endpoints_take_gzip_and_nanoseconds(store: Store, db: str, path: str) -> None:
    """Both write endpoints take plain and gzip bodies, in nanoseconds; another unit is a 400 that names it."""
    assert store.ask("POST", f"{path}{db}", gzip.compress(b"m f=1 1"), Content_Encoding="gzip") == (204, None)
    assert store.ask("POST", f"{path}{db}&precision=ns", b"m f=1 2") == (204, None)
    assert [row[0] for row in store.values(db, "SELECT * FROM m")] == [1, 2]
    refused = {"error": "precision='ms' is not understood by the embedded store: it takes ns alone"}
    assert (400, refused) == store.ask("POST", f"{path}{db}&precision=ms", b"m f=1 3")


def test_bad_gzip_is_the_senders_fault(store: Store, db: str) -> None:
    """A body that claims to be gzip and is not, or is cut short, is a 400."""
    for body in (b"m f=1 1", gzip.compress(b"m f=1 1")[:-4]):
        assert store.ask("POST", f"/write?db={db}", body, Content_Encoding="gzip")[0] == 400


def test_nothing_to_write_is_well(store: Store, db: str) -> None:
    """An empty body, or one of comments only, is a 204 as in InfluxDB 1.x."""
    assert [store.write(db, body) for body in ("", "# note\n\n \n")] == [(204, None)] * 2


def test_missing_database(store: Store) -> None:
    """Writing to a database that nobody created is a 404 in InfluxDB's words; asking it is an error in the result."""
    assert store.write("nope", "m f=1") == (404, {"error": 'database not found: "nope"'})
    assert store.ask("POST", "/api/v2/write?bucket=nope", b"m f=1")[0] == 404
    assert store.write("", "m f=1") == (400, {"error": "database is required"})
    assert store.query("nope", "SELECT count(f) FROM m") == {"statement_id": 0, "error": "database not found: nope"}


def test_dropped_database_is_empty_when_made_again(store: Store, db: str) -> None:
    """Dropping forgets points, series and field types."""
    store.write(db, "m,t=1 f=1i 1")
    store.query("", f'DROP DATABASE "{db}"')
    assert store.write(db, "m f=1 1")[0] == 404
    store.query("", f'CREATE DATABASE "{db}"')
    assert store.write(db, "m,t=1 f=1.5 2") == (204, None)
    assert store.values(db, "SELECT * FROM m") == [[2, 1.5, "1"]]


def test_times_are_asked_for_in_nanoseconds(store: Store, db: str) -> None:
    """A query for points without `epoch=ns` is a 400, not another spelling of time."""
    refused = {"error": "epoch='' is not understood by the embedded store: it takes ns alone"}
    assert (400, refused) == store.ask("GET", f"/query?db={db}&q={quote('SELECT * FROM m')}")


# --- HTTP ---


def test_ping_and_health_say_who_it_is(store: Store) -> None:
    """Every response carries the headers by which it is told from InfluxDB."""
    for method, path, status in (("GET", "/ping", 204), ("HEAD", "/ping", 204), ("GET", "/nothing", 404)):
        store.http.request(method, path)
        response = store.http.getresponse()
        response.read()
        assert response.status == status
        assert response.headers["X-Influxdb-Build"] == "embedded"
        assert response.headers["X-Influxdb-Version"].startswith("sentinel-embedded-")
    assert store.ask("GET", "/health")[1].keys() == {"name", "status", "version"}


def _raw(store: Store, request: bytes) -> bytes:
    """All that the store answers until it closes."""
    with socket.create_connection(("127.0.0.1", store.port), timeout=5) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65536), b""))


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET /ping HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", b"431"),
        (b"POST /write?db=x HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /write?db=x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
        (b"POST /write?db=x HTTP/1.1\r\nContent-Length: 25000001\r\n\r\n" + b"x" * 25_000_001, b"413"),
        (b"GET /ping HTTP/1.0\r\n\r\n", b"204"),
        (b"GET /ping HTTP/1.1\r\nConnection: close\r\n\r\n", b"204"),
    ],
    ids=["no request", "bad header", "many headers", "bad length", "chunked", "too large", "old client", "close"],
)
def test_odd_requests_are_answered_then_closed(store: Store, request_: bytes, status: bytes) -> None:
    """A request that cannot be followed gets its status and a closed connection; the store lives on."""
    assert _raw(store, request_)[:12] == b"HTTP/1.1 " + status
    assert store.ask("GET", "/ping")[0] == 204


def test_body_in_pieces_and_expect(store: Store, db: str) -> None:
    """A slow body is waited for, `Expect: 100-continue` is answered, and what is cut short is not written."""
    head = f"POST /write?db={db} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 7\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", store.port), timeout=5) as client:
        client.sendall(head)
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        for piece in (b"m f", b"=1 1"):
            client.sendall(piece)
            time.sleep(0.01)
        assert client.recv(1000).startswith(b"HTTP/1.1 204 ")
        client.sendall(head + b"m f=2")
    assert store.count(db, "SELECT count(f) FROM m") == 1


def test_several_writers_at_once(store: Store, db: str) -> None:
    """Writers on connections of their own all get every point in."""

    def write(source: int) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", store.port, timeout=10)) as client:
            for number in range(10):
                lines = "\n".join(f"m,source={source} f=1 {number * 50 + n}" for n in range(50))
                client.request("POST", f"/write?db={db}", lines)
                assert client.getresponse().read() == b""

    threads = [threading.Thread(target=write, args=(source,)) for source in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.count(db, "SELECT count(f) FROM m") == 2000


def test_influxdb_client_writes_to_it(store: Store, db: str) -> None:
    """The official client writes points synchronously, and sees a refusal as its own exception."""
    from influxdb_client import InfluxDBClient, Point
    from influxdb_client.client.write_api import SYNCHRONOUS
    from influxdb_client.rest import ApiException

    with InfluxDBClient(f"http://127.0.0.1:{store.port}", token="t", org="o", enable_gzip=True) as client:
        with client.write_api(write_options=SYNCHRONOUS) as writer:
            point = Point("m").tag("run", "a b").field("cpu", 1.5).field("n", 3).field("s", 'q"\\').time(5)
            writer.write(bucket=db, record=point)
            with pytest.raises(ApiException) as refused:
                writer.write(bucket="nope", record=point)
        assert refused.value.status == 404
        assert client.ping()
    assert store.values(db, "SELECT * FROM m WHERE run = 'a b'") == [[5, 1.5, 3, "a b", 'q"\\']]


def test_a_failing_handler_is_a_500(capsys: pytest.CaptureFixture[str]) -> None:
    """An exception behind the server is a 500 and a log line with its cause, and the connection lives on."""

    def answer(request: Request) -> Response:
        if request.path == "/bad":
            raise RuntimeError("disk on fire")
        return Response(204)

    client = http.client.HTTPConnection("127.0.0.1", timeout=5)
    with Server("127.0.0.1", 0, {}, answer) as server, closing(client):
        client.port = server.server_address[1]
        client.request("GET", "/bad")
        response = client.getresponse()
        assert (response.status, json.load(response)) == (500, {"error": "RuntimeError: disk on fire"})
        client.request("GET", "/good")
        assert client.getresponse().status == 204
    assert "embedded store: GET /bad failed" in capsys.readouterr().err


def test_requests_in_flight_are_answered_before_the_end() -> None:
    """A request that has arrived when the server is told to stop still gets its answer."""
    arrived, go_on = threading.Event(), threading.Event()

    def answer(_: Request) -> Response:
        arrived.set()
        go_on.wait(5)
        return Response(204)

    with socket.socket() as client:
        with Server("127.0.0.1", 0, {}, answer) as server:
            client.connect(("127.0.0.1", server.server_address[1]))
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert arrived.wait(5)
            threading.Timer(0.1, go_on.set).start()
        assert client.recv(1000) == b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


# --- the process ---


def test_acknowledged_points_survive_kill_9(tmp_path: Path) -> None:
    """All that was acknowledged is there after SIGKILL and a new start, types and series included."""
    with running(tmp_path) as store:
        store.query("", "CREATE DATABASE x")
        for number in range(20):
            assert store.write("x", f"m,run=a f={number} {number}\nm,run=a g=1i {number}")[0] == 204
        assert store.end(signal.SIGKILL)[0] == -signal.SIGKILL
    with running(tmp_path) as store:
        counts = [store.count("x", f"SELECT count({field}) FROM m WHERE run = 'a'") for field in "fg"]
        assert counts == [20, 20]
        assert store.write("x", "m,run=a f=1,g=1i 3")[0] == 204
        assert store.write("x", "m f=1i 1")[0] == 400
        assert store.count("x", "SELECT count(f) FROM m") == 20


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_with_idle_and_slow_clients(tmp_path: Path, how: signal.Signals) -> None:
    """A signal ends it at once with exit code 0 and a clean file, whoever is connected and half way through."""
    with running(tmp_path) as store:
        assert store.ask("GET", "/ping")[0] == 204
        with socket.create_connection(("127.0.0.1", store.port)) as slow:
            slow.sendall(b"POST /write?db=x HTTP/1.1\r\nContent-Length: 100\r\n\r\nm f=1")
            time.sleep(0.05)
            started = time.monotonic()
            store.process.send_signal(how)
            assert (store.process.wait(5), time.monotonic() - started < 2) == (0, True)
        assert store.end(how) == (0, "")
        assert not (tmp_path / "points.db-wal").exists()


def test_port_in_use_says_what_to_do(store: Store, tmp_path: Path) -> None:
    """A taken port is named, with the way out, on stderr; the exit code is 1."""
    second = Store(tmp_path, "--port", str(store.port))
    code, errors = second.end()
    assert code == 1
    assert errors == (
        f"error: cannot listen on http://127.0.0.1:{store.port}: something else listens there: "
        "stop it, or give another port (0 finds a free one)\n"
    )


def test_directory_that_cannot_be_written(tmp_path: Path) -> None:
    """A directory that cannot be made, written or understood is named, with the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StackError, match=r"data in .*/file/data: .*; name a directory that can be written"):
        StoreFile(tmp_path / "file" / "data")
    (tmp_path / "points.db").write_text("no database" * 1000)
    with pytest.raises(StackError, match="file is not a database; name a directory"):
        StoreFile(tmp_path)


def test_one_process_per_directory(tmp_path: Path) -> None:
    """A second store on the same directory is refused: each keeps the names in memory."""
    with closing(StoreFile(tmp_path)), pytest.raises(StackError, match="another embedded store is using"):
        StoreFile(tmp_path)


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """When SQLite fails, nothing of the batch remains: not its points, its series nor its types."""
    with closing(StoreFile(tmp_path)) as file:
        file.create("x")
        file._writer.execute("CREATE TRIGGER full BEFORE INSERT ON points BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        with pytest.raises(Exception, match="disk full"):
            file.write("x", read_lines(b"m,t=1 f=1i 1", NOW))
        file._writer.execute("DROP TRIGGER full")
        assert file.write("x", read_lines(b"m,t=1 f=1.5 1", NOW)).dropped == 0
        assert file.count("x", Count("m", "f")) == 1
        with pytest.raises(NoDatabaseError):
            file.count("y", Count("m", "f"))
