"""A connection to the store: any request, line protocol, InfluxQL; its answers as `StoreError` and its children."""

from __future__ import annotations

import json
import urllib.parse
from typing import TYPE_CHECKING, Any

from sentinel.errors import StoreAccessError, StoreError, StoreRefusedError
from sentinel.settings import shown
from sentinel.store import influxdb3
from sentinel.store.address import address, authorization, hidden
from sentinel.store.http import HttpConnection, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.settings import StoreSettings

REDIRECTS = (301, 302, 303, 307, 308)
WRITTEN = 204
"""The status with which every known store acknowledges a write; none documents another 2xx for one that it took."""


class StoreClient:
    """One kept-alive connection to the store; not to be shared between threads."""

    def __init__(self, settings: StoreSettings) -> None:
        self.settings = settings
        where = address(settings)
        self._link = HttpConnection(where.scheme, where.host, where.port, settings.timeout, authorization(settings))
        self._prefix = where.path

    def request(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Response:
        """Make one request, whatever the status of its answer.

        Args:
            method: of HTTP.
            path: below the store's address.
            query: parameters by name, unescaped.
            body: to send; None: none.

        Raises:
            StoreError: no answer (refused, broken, timed out).
        """
        target = self._prefix + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        try:
            return self._link.request(method, target, body)
        except HttpConnection.ERRORS as error:
            raise self._no_answer(error) from error

    def _no_answer(self, error: Exception) -> StoreError:
        return no_answer(self.settings, str(error) or type(error).__name__)

    def write(self, target: str, body: bytes) -> None:
        """Post line protocol; returns once it is accepted.

        Args:
            target: path and query, see `write_target`.
            body: lines, joined by line feeds.

        Raises:
            StoreRefusedError: the body will never be accepted.
            StoreAccessError: a wrong token, or no such bucket.
            StoreError: anything that may pass.
        """
        try:
            response = self._link.post(self._prefix + target, body)
        except HttpConnection.ERRORS as error:
            raise self._no_answer(error) from error
        if response.status != WRITTEN:
            check(response, self.settings, names_lines=target.startswith(influxdb3.WRITE_PATH))
            raise unknown_answer(response, self.settings)

    def query(self, text: str, method: str = "GET") -> list[dict[str, Any]]:
        """Query by InfluxQL.

        Args:
            text: one statement.
            method: POST for a statement that changes something.

        Returns:
            The statement's series, as the JSON answer has them; times in ns.

        Raises:
            StoreError: no answer, or an error in it.
        """
        response = self.request(method, "/query", {"db": self.settings.bucket, "q": text, "epoch": "ns"})
        check(response, self.settings, "reading from")
        try:
            result = json.loads(response.body)["results"][0]
        except (ValueError, LookupError, TypeError):
            raise unknown_answer(response, self.settings) from None
        if "error" in result:
            raise StoreError(f"the store at {shown(self.settings.url)} could not answer {text!r}: {result['error']}")
        return list(result.get("series", []))

    def cut_off(self) -> None:
        """Let the write under way, and every later one, fail at once with a StoreError. From another thread."""
        self._link.cut_off()

    def close(self) -> None:
        """Close the connection."""
        self._link.close()


def no_answer(settings: StoreSettings, trouble: str) -> StoreError:
    """The error for a request without a whole answer, whichever client made it.

    Args:
        settings: the store.
        trouble: what happened, in the driver's words.
    """
    advice = "is it running, and does INFLUX_URL name it?"
    if "CERTIFICATE_VERIFY_FAILED" in trouble:
        advice = "SSL_CERT_FILE can name a file with the certificate of the authority that signed the store's"
    return StoreError(f"the store at {shown(settings.url)} did not answer: {' '.join(trouble.split())} ({advice})")


def _said(response: Response, settings: StoreSettings) -> str:
    message = hidden(response.body.decode(errors="replace").strip(), settings)[:500]
    message = message or hidden(response.headers.get("x-influxdb-error", ""), settings)
    return f"the store at {shown(settings.url)} answered {response.status}: {message}"


def unknown_answer(response: Response, settings: StoreSettings) -> StoreError:
    """The error for a success that no known store gives, such as the page of a proxy that wants a login."""
    return StoreError(f"{_said(response, settings)} (no answer of a store; is a proxy in between?)")


def _refusal(response: Response, settings: StoreSettings, *, names_lines: bool) -> StoreError:
    line = influxdb3.named_line(response.body)
    if response.status == 400 and line is None and (names_lines or influxdb3.blames_no_line(response.body)):
        return StoreError(f"{_said(response, settings)} (it blames no line)", status=response.status)
    words = response if line is None else response._replace(body=line.words.encode())
    error = StoreRefusedError(_said(words, settings), status=response.status)
    error.line = line and line.position
    return error


def check(response: Response, settings: StoreSettings, act: str = "writing to", *, names_lines: bool = False) -> None:
    """Turn a status that is not 2xx into the error that it stands for.

    Args:
        response: the answer.
        settings: the store.
        act: what was tried with the bucket, for the message.
        names_lines: whether a 400 that blames no line is about something else, and may pass.

    Raises:
        StoreRefusedError: 400, 413 or 422: the body will never be accepted.
        StoreAccessError: 401, 403, 404, or a redirect: a person must change a setting.
        StoreError: any other status; it may pass.
    """
    status = response.status
    if 200 <= status < 300:
        return
    about = _said(response, settings)
    if status in (400, 413, 422):
        raise _refusal(response, settings, names_lines=names_lines)
    if status in (401, 403):
        raise StoreAccessError(f"{about} ({_allowed_by(response, settings)} {act} bucket {settings.bucket!r}?)")
    if status == 404:
        raise StoreAccessError(f"{about} (does bucket {settings.bucket!r} exist? INFLUX_BUCKET names it)")
    if status in REDIRECTS:
        raise StoreAccessError(
            f"{about} (it points to {shown(response.headers.get('location', 'nowhere'))}; redirects are not followed:"
            " INFLUX_URL must name the store itself)"
        )
    raise StoreError(about, retry_after=_seconds(response.headers.get("retry-after")))


def _allowed_by(response: Response, settings: StoreSettings) -> str:
    """What lets us in to the store that answered so."""
    version = response.headers.get("x-influxdb-version", "").removeprefix("v")
    user = address(settings).user
    if user and not version.startswith("2."):
        return f"do user {user!r} and password of INFLUX_URL allow"
    if version.startswith("1.") or response.headers.get("www-authenticate", "").startswith("Basic"):
        return "do user and password in INFLUX_URL=http://user:password@host:port allow"
    return "does INFLUX_TOKEN allow"


LONGEST_ASKED = 300.0
"""Seconds; a `Retry-After` of more is cut to it."""


def _seconds(text: str | None) -> float | None:
    """Of a `Retry-After`; None where it is a date, or nonsense."""
    return min(float(text), LONGEST_ASKED) if text and text.isascii() and text.isdigit() else None
