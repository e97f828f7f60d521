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
from sentinel.lab.stack.embedded_store.leanhttp import BODY_LIMIT, HttpError, Response, Server, parameters
from sentinel.lab.stack.embedded_store.linefields import value_of
from sentinel.lab.stack.embedded_store.linereader import read_lines
from sentinel.lab.stack.embedded_store.storefile import StoreFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sentinel.lab.stack.embedded_store.leanhttp import Request

VERSION = "1.0"
HEADERS = {"X-Influxdb-Version": f"sentinel-embedded-{VERSION}", "X-Influxdb-Build": "embedded"}

UNITS = {"n": 1, "ns": 1, "u": 1_000, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
"""Nanoseconds per unit of a precision; `/write` and `epoch` know two more, as in InfluxDB 1.x."""
OLD_UNITS = {**UNITS, "m": 60_000_000_000, "h": 3_600_000_000_000}


def serve(directory: Path, host: str, port: int) -> None:
    """Serve the store in `directory` until SIGTERM or SIGINT; port 0 takes a free one. From the main thread.

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
    """What the store says to one request."""
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
    return _write(file, request, "database", request.parameters.get("db", ""), OLD_UNITS)


def _write_2(file: StoreFile, request: Request) -> Response:
    # "bucket/policy", which InfluxDB 1.8 also takes: there is one policy here.
    return _write(file, request, "bucket", request.parameters.get("bucket", "").partition("/")[0], UNITS)


def _write(file: StoreFile, request: Request, kind: str, database: str, units: dict[str, int]) -> Response:
    if not database:
        raise HttpError(400, f"{kind} is required")
    unit = units.get(request.parameters.get("precision") or "ns")
    if unit is None:
        wanted = ", ".join(units)
        raise HttpError(400, f"invalid precision {request.parameters['precision']!r}: use one of {wanted}")
    points = read_lines(_unpacked(request), time.time_ns(), unit)
    refused = file.write(database, points)
    if refused.dropped:
        return Response(400, {"error": f"partial write: {refused.reason} dropped={refused.dropped}"})
    if points.errors:
        # InfluxDB 1.x calls it partial only where a good line was written.
        text = "\n".join(points.errors)
        return Response(400, {"error": f"partial write: {text} dropped=0" if points.keys else text})
    return Response(204)


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
    sent: Mapping[str, str] = request.parameters
    if request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        sent = {**sent, **parameters(request.body.decode(errors="replace"))}
    if not sent.get("q"):
        raise HttpError(400, 'missing required parameter "q"')
    try:
        statements = influxql.parse(sent["q"])
    except influxql.QueryError as error:
        raise HttpError(400, f"error parsing query: {error}") from error
    run = partial(_result, file, sent.get("db", ""), OLD_UNITS.get(sent.get("epoch", "")))
    return Response(200, {"results": [run(number, statement) for number, statement in enumerate(statements)]})


def _result(
    file: StoreFile, database: str, unit: int | None, number: int, statement: influxql.Statement
) -> dict[str, Any]:
    match statement:
        case influxql.CreateDatabase():
            file.create(statement.name)
            return influxql.result(number)
        case influxql.DropDatabase():
            file.drop(statement.name)
            return influxql.result(number)
        case influxql.ShowDatabases():
            return influxql.result(number, "databases", ["name"], [[name] for name in file.databases()])
    if not database:
        return {"statement_id": number, "error": "database name required"}
    try:
        columns, values = _selected(file, database, unit, statement)
    except NoDatabaseError:
        return {"statement_id": number, "error": f"database not found: {database}"}
    return influxql.result(number, statement.measurement, columns, values)


def _selected(
    file: StoreFile, database: str, unit: int | None, query: influxql.Count | influxql.SelectAll
) -> tuple[list[str], list[list[Any]]]:
    """Columns and values, as InfluxDB lays them out; nothing found is no values."""
    if isinstance(query, influxql.Count):
        count = file.count(database, query)
        return ["time", "count"], [[influxql.format_time(0, unit), count]] if count else []
    names = file.names(database, query.measurement)
    values: list[list[Any]] = []
    for row in file.select(database, query):
        cells: dict[str, Any] = {
            name.decode(errors="replace"): value.decode(errors="replace") for name, value in row.tags.items()
        }
        cells |= {name.decode(errors="replace"): value_of(text) for name, text in row.fields.items()}
        values.append([influxql.format_time(row.time, unit), *map(cells.get, names)])
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
