"""influxdb-client, used as its documentation says, for the configurations that measure it. Its only home.

The client posts to `/api/v2/write`, which InfluxDB knows from 1.8 on; for older ones a small adapter at the client's
HTTP seam moves the request to `/write`, so that the very same client code is measured everywhere.
"""

from __future__ import annotations

import logging
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from influxdb_client import InfluxDBClient, Point, WriteOptions, WritePrecision
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from sentinel.errors import StoreError
from sentinel.model.lineprotocol import tags, visible
from sentinel.model.sample import measurement
from sentinel.store.address import address, without_login
from sentinel.store.client import WRITTEN, check, no_answer, unknown_answer
from sentinel.store.http import Response
from sentinel.store.servers import CLIENT_WRITE_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sentinel.model.sample import Sample
    from sentinel.settings import StoreSettings
    from sentinel.store import Server

    Left = Callable[[], float]
    """Seconds that a stop leaves; infinite while nobody asked for one."""

SHORTEST = 0.05
"""Seconds that the last request of a stop may still take."""


class PointEncoder:
    """Samples to influxdb-client Points, with the same tags and fields as our own lines."""

    def __init__(self, run: str = "") -> None:
        self._run = run

    def __call__(self, samples: Iterable[Sample], *_: object) -> list[Point]:
        """One Point per sample; the columns that a LineEncoder shares are not needed."""
        return [self._point(sample) for sample in samples]

    def _point(self, sample: Sample) -> Point:
        point = Point(measurement(sample))
        for key, value in tags(sample, self._run).items():
            point.tag(key, value)
        point.field("cpu", sample.cpu).field("mem", sample.mem)
        for name, reading in (sample.fields or {}).items():
            point.field(visible(name), reading)
        return point.time(sample.time, WritePrecision.NS)


def _unhurried() -> float:
    return math.inf


def open_client(settings: StoreSettings, server: Server, left: Left = _unhurried) -> InfluxDBClient:
    """An InfluxDBClient for the store, adapted where the server does not serve the client's path.

    Args:
        settings: the store.
        server: what it is.
        left: seconds that a stop leaves; a request that begins then waits no longer for its answer.
    """
    login = address(settings).login
    client = InfluxDBClient(
        url=without_login(settings.url),
        token=login or settings.token or "none",
        org=settings.org,
        timeout=int(settings.timeout * 1000),
        auth_basic=bool(login),  # 1.6 does not know the other way, `Token user:password`
    )
    for logger in client.conf.loggers.values():
        logger.setLevel(logging.CRITICAL)  # it logs every error that it also reports, and sets the levels when opened
    _heed_status(client, settings)
    _heed_deadline(client, settings, left)
    if not server.serves_client:
        original = client.api_client.call_api

        def call_api(
            path: str, method: str, path_params: Any, query: list[tuple[str, str]], *args: Any, **kw: Any
        ) -> Any:
            if path == CLIENT_WRITE_PATH:
                # Without precision: 1.6 takes ns then, and misreads spellings that it does not know.
                path, query = "/write", [("db", settings.bucket)]
            return original(path, method, path_params, query, *args, **kw)

        client.api_client.call_api = call_api
    return client


def _heed_status(client: InfluxDBClient, settings: StoreSettings) -> None:
    """To the client every 2xx is a success; to us, as in `StoreClient.write`, one only."""
    original = client.api_client.request

    def request(method: str, url: str, *args: Any, **kw: Any) -> Any:
        try:
            response = original(method, url, *args, **kw)
        except UnicodeDecodeError as error:  # it takes every body for text
            raise no_answer(settings, "its answer is no text") from error
        if url.endswith("/write") and 200 <= response.status < 300 and response.status != WRITTEN:
            raise unknown_answer(Response(response.status, {}, str(response.data).encode()), settings)
        return response

    client.api_client.request = request


def _heed_deadline(client: InfluxDBClient, settings: StoreSettings, left: Left) -> None:
    original = client.api_client.request

    def request(*args: Any, **kw: Any) -> Any:
        if (seconds := left()) < settings.timeout:
            kw["_request_timeout"] = 1000 * max(SHORTEST, seconds)
        return original(*args, **kw)

    client.api_client.request = request


@contextmanager
def mapped(settings: StoreSettings) -> Iterator[None]:
    """A context that the client's errors leave as ours, by the same table as those of our own requests.

    Raises:
        StoreError: or one of its children, see `client.check`.
    """
    try:
        yield
    except ApiException as error:
        if not error.status:  # what it makes of an error of TLS
            raise no_answer(settings, str(error.reason)) from error
        headers = {k.lower(): v for k, v in (error.headers or {}).items()}
        check(Response(error.status, headers, str(error.body or error.reason).encode()), settings)
        raise StoreError(str(error)) from error
    except (HTTPError, OSError) as error:
        raise no_answer(settings, str(error)) from error


def _as_ours(error: Exception, settings: StoreSettings) -> StoreError:
    try:
        with mapped(settings):
            raise error
    except StoreError as ours:
        return ours


class SynchronousApi:
    """`write_api(SYNCHRONOUS)`: one request per call.

    Args:
        settings: The store.
        server: What it is.
        left: Seconds that a request may still take, asked before each.
    """

    def __init__(self, settings: StoreSettings, server: Server, left: Left = _unhurried) -> None:
        self._settings = settings
        self._client = open_client(settings, server, left)
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def write(self, points: Sequence[Point | str]) -> None:
        """Write points in one request.

        Args:
            points: Points, or lines of line protocol.

        Raises:
            StoreError: or one of its children, see `client.check`.
        """
        record = points[0] if len(points) == 1 else list(points)
        with mapped(self._settings):
            self._api.write(bucket=self._settings.bucket, record=record, write_precision=WritePrecision.NS)

    def close(self) -> None:
        """Close the client."""
        self._api.close()
        self._client.close()


class BatchingApi:
    """`write_api()` in batching mode: points are gathered and written by the client's own thread.

    Args:
        settings: the store.
        server: what it is.
        left: seconds that a stop leaves.
        batch_size: most points in one request.
        flush_interval: seconds between two requests.
        on_success: told the number of points of each request that was accepted.
        on_error: told the lines and the error of each request that failed.
    """

    def __init__(
        self,
        settings: StoreSettings,
        server: Server,
        left: Left,
        *,
        batch_size: int,
        flush_interval: float,
        on_success: Callable[[int], None],
        on_error: Callable[[list[bytes], StoreError], None],
    ) -> None:
        self._settings = settings
        self._client = open_client(settings, server, left)
        # Its own retries (5 to 125 s apart, deaf to a stop, and joined when Python ends) would outlast any deadline:
        # what it gives up comes to `on_error`, and is retried there.
        self._options = WriteOptions(batch_size=batch_size, flush_interval=int(flush_interval * 1000), max_retries=0)
        self._api = self._client.write_api(
            write_options=self._options,
            success_callback=lambda _, data: on_success(len(_lines(data))),
            error_callback=lambda _, data, error: on_error(_lines(data), _as_ours(error, settings)),
        )

    def write(self, point: Point | str) -> None:
        """Hand one point to the client; it decides when to write it."""
        self._api.write(bucket=self._settings.bucket, record=point, write_precision=WritePrecision.NS)

    def close(self, timeout: float) -> None:
        """Write what is left, waiting up to `timeout` seconds."""
        # The option is read when closing; the deadline of a stop is known only then.
        self._options.max_close_wait = int(timeout * 1000)
        self._api.close()
        self._client.close()


def _lines(data: str | bytes) -> list[bytes]:
    return (data.encode() if isinstance(data, str) else data).split(b"\n")
