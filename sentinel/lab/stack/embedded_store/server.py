"""The embedded store: a process that stands in for InfluxDB 1.x, so that a first run needs nothing but pip.

`python -m sentinel.lab.stack.embedded_store`. Line protocol in, InfluxQL out, over HTTP/1.1, one thread per
connection; storefile.py keeps the points. 204 means: on disk. SIGTERM or SIGINT: requests that have arrived are
finished, then the file is closed. Unlike InfluxDB: no users, no retention policies, no limit on series.
"""

from __future__ import annotations

import gzip
import signal
import time
import zlib
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

from sentinel.lab.stack.embedded_store import influxql
from sentinel.lab.stack.embedded_store.catalog import NoDatabaseError
from sentinel.lab.stack.embedded_store.exchange import BODY_LIMIT, HttpError, Response
from sentinel.lab.stack.embedded_store.leanhttp import Server
from sentinel.lab.stack.embedded_store.linefields import value_of
from sentinel.lab.stack.embedded_store.linereader import read_lines
from sentinel.lab.stack.embedded_store.storefile import StoreFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sentinel.lab.stack.embedded_store.exchange import Request

VERSION = "1.0"
HEADERS = {"X-Influxdb-Version": f"sentinel-embedded-{VERSION}", "X-Influxdb-Build": "embedded"}
NANOSECONDS = {"n", "ns"}
"""Names of the one unit of times that is understood here."""


def serve(directory: Path, host: str, port: int) -> None:
    """Serve the store until SIGTERM or SIGINT. From the main thread.

    Args:
        directory: Of the data.
        host: Address to listen on.
        port: 0 takes a free one.

    Raises:
        StackError: the address cannot be listened on, or the directory not be written.
    """
    # Before any thread starts, for threads inherit the mask: the signals wait for the main thread to ask for them.
    signals = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        file = StoreFile(directory)
        try:
            with Server(host, port, HEADERS, partial(answer, file)) as server:
                print(f"embedded store listening on {server.url}", flush=True)
                signal.sigwait(signals)
        finally:
            file.close()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def answer(file: StoreFile, request: Request) -> Response:
    """Carry out one request.

    Args:
        file: The store's data.
        request: Any method and path; routes that are not there answer 404.

    Returns:
        What InfluxDB 1.x would answer; errors are responses too.
    """
    route = _ROUTES.get((request.method, request.path))
    if not route:
        return Response(404, {"error": f"no {request.method} {request.path} in the embedded store"})
    try:
        return route(file, request)
    except HttpError as error:
        return Response(error.status, {"error": str(error)})
    except NoDatabaseError as error:
        return Response(404, {"error": f'database not found: "{error}"'})


def _ping(_file: StoreFile, _request: Request) -> Response:
    return Response(204)


def _health(_file: StoreFile, _request: Request) -> Response:
    return Response(200, {"name": "sentinel embedded store", "status": "pass", "version": VERSION})


def _write_1(file: StoreFile, request: Request) -> Response:
    return _write(file, request, "database", request.parameters.get("db", ""))


def _write_2(file: StoreFile, request: Request) -> Response:
    # "bucket/policy", which InfluxDB 1.8 also takes: there is one policy here.
    return _write(file, request, "bucket", request.parameters.get("bucket", "").partition("/")[0])


def _write(file: StoreFile, request: Request, kind: str, database: str) -> Response:
    if not database:
        raise HttpError(400, f"{kind} is required")
    _require_nanoseconds("precision", request.parameters.get("precision") or "ns")
    points = read_lines(_unpacked(request), time.time_ns())
    refused = file.write(database, points)
    if refused.dropped:
        return Response(400, {"error": f"partial write: {refused.reason} dropped={refused.dropped}"})
    if points.errors:
        # InfluxDB 1.x calls it partial only where a good line was written.
        text = "\n".join(points.errors)
        return Response(400, {"error": f"partial write: {text} dropped=0" if points.keys else text})
    return Response(204)


def _require_nanoseconds(name: str, unit: str) -> None:
    if unit not in NANOSECONDS:
        raise HttpError(400, f"{name}={unit!r} is not understood by the embedded store: it takes ns alone")


def _unpacked(request: Request) -> bytes:
    coding = request.headers.get("content-encoding", "identity")
    if coding == "identity":
        return request.body
    if coding != "gzip":
        raise HttpError(415, f"Content-Encoding {coding!r} is not known here: send gzip or none")
    try:
        with gzip.open(BytesIO(request.body)) as packed:
            body = packed.read(BODY_LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise HttpError(400, f"the body is not gzip: {error}") from error
    if len(body) > BODY_LIMIT:
        raise HttpError(413, "Request Entity Too Large")
    return body


def _query(file: StoreFile, request: Request) -> Response:
    asked = request.parameters
    if not asked.get("q"):
        raise HttpError(400, 'missing required parameter "q"')
    try:
        statement = influxql.parse(asked["q"])
    except influxql.QueryError as error:
        raise HttpError(400, f"error parsing query: {error}") from error
    if isinstance(statement, influxql.Count | influxql.SelectAll):
        _require_nanoseconds("epoch", asked.get("epoch", ""))
    return Response(200, {"results": [_result(file, asked.get("db", ""), statement)]})


def _result(file: StoreFile, database: str, statement: influxql.Statement) -> dict[str, Any]:
    match statement:
        case influxql.CreateDatabase():
            file.create(statement.name)
            return influxql.result()
        case influxql.DropDatabase():
            file.drop(statement.name)
            return influxql.result()
        case influxql.ShowDatabases():
            return influxql.result("databases", ["name"], [[name] for name in file.databases()])
    if not database:
        return {"statement_id": 0, "error": "database name required"}
    try:
        columns, values = _selected(file, database, statement)
    except NoDatabaseError:
        return {"statement_id": 0, "error": f"database not found: {database}"}
    return influxql.result(statement.measurement, columns, values)


def _selected(
    file: StoreFile, database: str, query: influxql.Count | influxql.SelectAll
) -> tuple[list[str], list[list[Any]]]:
    """Columns and values, as InfluxDB lays them out; nothing found is no values."""
    if isinstance(query, influxql.Count):
        count = file.count(database, query)
        return ["time", "count"], [[0, count]] if count else []
    names = file.names(database, query.measurement)
    values: list[list[Any]] = []
    for row in file.select(database, query):
        cells: dict[str, Any] = {
            name.decode(errors="replace"): value.decode(errors="replace") for name, value in row.tags.items()
        }
        cells |= {name.decode(errors="replace"): value_of(text) for name, text in row.fields.items()}
        values.append([row.time, *map(cells.get, names)])
    return ["time", *names], values


_ROUTES: dict[tuple[str, str], Callable[[StoreFile, Request], Response]] = {
    ("GET", "/ping"): _ping,
    ("HEAD", "/ping"): _ping,
    ("GET", "/health"): _health,
    ("POST", "/write"): _write_1,
    ("POST", "/api/v2/write"): _write_2,
    ("GET", "/query"): _query,
    ("POST", "/query"): _query,
}
