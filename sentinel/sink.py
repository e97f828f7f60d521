"""The store, over HTTP: which server it is, writing line protocol, counting points.

InfluxDB 1.x, 2.x, 3, VictoriaMetrics and the lab's embedded store are told apart by probing `/ping` (and `/health`).
Times are always sent in ns: without a precision parameter on `/write`, with `precision=ns` on `/api/v2/write`; other
spellings are silently misread by one server or another. Status codes become `StoreError` and its children here.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sentinel.errors import SettingsError, StackError, StoreAccessError, StoreError, StoreRefusedError
from sentinel.httplink import HttpLink, Response
from sentinel.lineprotocol import visible
from sentinel.sample import MEASUREMENT
from sentinel.settings import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sentinel.settings import StoreSettings

WRITTEN = 204
"""The status with which every known store acknowledges a write; none documents another 2xx for one that it took."""
CLIENT_WRITE_PATH = "/api/v2/write"
"""Where influxdb-client posts."""


@dataclass(frozen=True)
class Server:
    """A store as it made itself known."""

    name: str
    version: str
    dialect: str
    """`1`, `2`, `3`, `victoria` or `embedded`."""

    @property
    def write_path(self) -> str:
        """The path that points are posted to."""
        if self.dialect in ("1", "embedded"):
            return "/write"
        return CLIENT_WRITE_PATH

    @property
    def serves_client(self) -> bool:
        """Whether influxdb-client's own path exists (InfluxDB has it from 1.8)."""
        numbers = re.match(r"1\.(\d+)", self.version) if self.dialect == "1" else None
        return numbers is None or int(numbers[1]) >= 8

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class HttpStore:
    """One kept-alive connection to the store; not to be shared between threads."""

    def __init__(self, settings: StoreSettings) -> None:
        self.settings = settings
        parts = _address(settings.url)
        headers = {"Authorization": f"Token {settings.token}"} if settings.token else {}
        self._link = HttpLink(parts.scheme, parts.hostname or "", parts.port, settings.timeout, headers)
        self._prefix = parts.path.rstrip("/")

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """One request, whatever its status.

        Raises:
            StoreError: no answer (refused, broken, timed out).
        """
        target = self._prefix + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with self._mapped():
            return self._link.request(method, target, body)

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except HttpLink.ERRORS as error:
            raise StoreError(
                f"the store at {shown(self.settings.url)} did not answer: {error or type(error).__name__}"
                " (is it running, and does INFLUX_URL name it?)"
            ) from error

    def write(self, target: str, body: bytes) -> None:
        """Post line protocol to `target` (a path with its query, see `write_target`); returns once it is accepted.

        Raises:
            StoreRefusedError: the body will never be accepted.
            StoreAccessError: a wrong token, or no such bucket.
            StoreError: anything that may pass.
        """
        with self._mapped():
            response = self._link.post(self._prefix + target, body)
        if response.status != WRITTEN:
            check(response, self.settings)
            raise unknown_answer(response, self.settings)

    def query(self, text: str, method: str = "GET") -> list[dict[str, Any]]:
        """The series that an InfluxQL statement returns.

        Raises:
            StoreError: no answer, or an error in it.
        """
        response = self.request(method, "/query", {"db": self.settings.bucket, "q": text, "epoch": "ns"})
        check(response, self.settings)
        try:
            result = json.loads(response.body)["results"][0]
        except (ValueError, LookupError, TypeError):
            raise unknown_answer(response, self.settings) from None
        if "error" in result:
            raise StoreError(f"the store at {shown(self.settings.url)} could not answer {text!r}: {result['error']}")
        return list(result.get("series", []))

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


def _address(url: str) -> urllib.parse.SplitResult:
    with suppress(ValueError):  # a port that is none, half an IPv6 address
        parts = urllib.parse.urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return parts
    raise SettingsError(f"INFLUX_URL={shown(url)!r} is not an address: expected http://host:port")


def _said(response: Response, settings: StoreSettings) -> str:
    said = response.body.decode(errors="replace").strip()[:500] or response.headers.get("x-influxdb-error", "")
    if settings.token:  # a proxy's error page may repeat what it was asked
        said = said.replace(settings.token, "(token)")
    return f"the store at {shown(settings.url)} answered {response.status}: {said}"


def unknown_answer(response: Response, settings: StoreSettings) -> StoreError:
    """What a success looks like that no known store gives, such as the page of a proxy that wants a login."""
    return StoreError(f"{_said(response, settings)} (no answer of a store; is a proxy in between?)")


def check(response: Response, settings: StoreSettings) -> None:
    """Turn a status that is not 2xx into the error it stands for."""
    status = response.status
    if 200 <= status < 300:
        return
    about = _said(response, settings)
    if status in (400, 413, 422):
        raise StoreRefusedError(about)
    if status in (401, 403):
        raise StoreAccessError(f"{about} (does INFLUX_TOKEN allow writing to bucket {settings.bucket!r}?)")
    if status == 404:
        raise StoreAccessError(f"{about} (does bucket {settings.bucket!r} exist? INFLUX_BUCKET names it)")
    raise StoreError(about, retry_after=_seconds(response.headers.get("retry-after")))


LONGEST_ASKED = 300.0
"""Seconds; a `Retry-After` of more is cut to it."""


def _seconds(text: str | None) -> float | None:
    """Of a `Retry-After`; None where it is a date, or nonsense."""
    return min(float(text), LONGEST_ASKED) if text and text.isascii() and text.isdigit() else None


def quoted(text: str, mark: str) -> str:
    """The text in quotation marks as InfluxQL and PromQL have them: nothing in it ends the string."""
    escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("\n", "\\n")
    return f"{mark}{escaped}{mark}"


def write_target(settings: StoreSettings, server: Server) -> str:
    """The path and query that `HttpStore.write` posts to."""
    if server.write_path == "/write":
        query = {"db": settings.bucket}
    else:
        query = {"org": settings.org, "bucket": settings.bucket, "precision": "ns"}
    return f"{server.write_path}?{urllib.parse.urlencode(query)}"


def identify(settings: StoreSettings) -> Server:
    """Which server answers at the address.

    Raises:
        StoreError: nobody answers, or somebody unknown.
    """
    store = HttpStore(settings)
    try:
        ping = store.request("GET", "/ping")
        version = ping.headers.get("x-influxdb-version", "")
        if ping.headers.get("x-influxdb-build") == "embedded":
            return Server("embedded store (not InfluxDB)", version.rpartition("-")[2], "embedded")
        if ping.status == 204 and version:
            plain = version.removeprefix("v")
            return Server("InfluxDB", plain, "1" if plain.startswith("1.") else "2")
        if ping.status == 200 and ping.body.startswith(b"{"):
            with suppress(ValueError):  # no JSON after all
                return Server("InfluxDB", str(json.loads(ping.body).get("version", "3")), "3")
        if ping.status == 204 and store.request("GET", "/health").body.strip() == b"OK":
            return Server("VictoriaMetrics", _victoria_version(store), "victoria")
    finally:
        store.close()
    raise StoreError(
        f"what answers at {shown(settings.url)} is no store that is known here (/ping: {ping.status}):"
        " expected InfluxDB 1.x, 2.x, 3 or VictoriaMetrics"
    )


def _victoria_version(store: HttpStore) -> str:
    found = re.search(rb'short_version="v?([^"]*)"', store.request("GET", "/metrics").body)
    return found[1].decode() if found else ""


def prepare(settings: StoreSettings, server: Server) -> None:
    """Create the database where the server needs that and lets us (1.x and the embedded store).

    Raises:
        StoreError: it cannot be created.
    """
    _administer(settings, server, "CREATE")


def clear(settings: StoreSettings, server: Server) -> None:
    """Make the database anew, without what it held (1.x and the embedded store; others are left as they are).

    Raises:
        StoreError: it cannot be dropped or created.
    """
    _administer(settings, server, "DROP", "CREATE")


def _administer(settings: StoreSettings, server: Server, *acts: str) -> None:
    if server.dialect not in ("1", "embedded"):
        return
    store = HttpStore(settings)
    try:
        for act in acts:
            store.query(f"{act} DATABASE " + quoted(settings.bucket, mark='"'), method="POST")
    finally:
        store.close()


def setup(settings: StoreSettings, username: str, password: str) -> None:
    """First set-up of a fresh InfluxDB 2.x of our own: user, organisation, bucket and the token of `settings`.

    Raises:
        StackError: the server refuses.
    """
    store = HttpStore(settings)
    body = {
        "username": username,
        "password": password,
        "org": settings.org,
        "bucket": settings.bucket,
        "token": settings.token,
    }
    try:
        response = store.request("POST", "/api/v2/setup", body=json.dumps(body).encode())
    finally:
        store.close()
    if response.status >= 300:
        raise StackError(
            f"InfluxDB at {shown(settings.url)} could not be set up: {response.status} {response.body[:300]!r}"
        )


def verify(settings: StoreSettings, server: Server) -> None:
    """Make sure that writing is allowed, before anything is read off the bus.

    An empty write is accepted or refused as a body, but never passes a wrong token or a missing bucket.

    Raises:
        StoreAccessError: a wrong token, or no such bucket.
        StoreError: nobody answers.
    """
    store = HttpStore(settings)
    try:
        store.write(write_target(settings, server), b"# sentinel\n")
    except StoreRefusedError:
        pass  # some servers want at least one point: token and bucket were in order
    finally:
        store.close()


def count(settings: StoreSettings, server: Server, run: str = "") -> int:
    """How many points the store holds, of one run or in all.

    Raises:
        StoreError: no answer.
    """
    store = HttpStore(settings)
    try:
        if server.dialect == "victoria":
            return _victoria_count(store, run)
        where = " WHERE run = " + quoted(visible(run), mark="'") if run else ""
        series = store.query(f'SELECT count(cpu) FROM "{MEASUREMENT}"{where}')  # noqa: S608 - quoted
        return int(series[0]["values"][0][1]) if series else 0
    finally:
        store.close()


def _victoria_count(store: HttpStore, run: str) -> int:
    store.request("GET", "/internal/force_flush")
    name = quoted(visible(run), mark='"')
    selector = f"{MEASUREMENT}_cpu{{run={name}}}" if run else f"{MEASUREMENT}_cpu"
    response = store.request("GET", "/api/v1/export", {"match[]": selector})
    check(response, store.settings)
    try:
        return sum(len(json.loads(line)["values"]) for line in response.body.splitlines())
    except (ValueError, LookupError, TypeError):
        raise unknown_answer(response, store.settings) from None
