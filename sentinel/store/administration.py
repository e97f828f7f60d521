"""Setting a store up, emptying it, asking whether it may be written to, and counting its points."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from sentinel.errors import StackError, StoreAccessError, StoreError, StoreRefusedError
from sentinel.model.lineprotocol import visible
from sentinel.model.sample import MEASUREMENT
from sentinel.settings import shown
from sentinel.store import influxdb3
from sentinel.store.client import StoreClient, check, unknown_answer
from sentinel.store.servers import identify, write_target

if TYPE_CHECKING:
    from sentinel.settings import StoreSettings
    from sentinel.store.servers import Server

_log = logging.getLogger(__name__)


def ready(settings: StoreSettings) -> Server:
    """Identify the store, make its database, and make sure that writing is allowed.

    A warning is logged where the store is set up in a way that loses points.

    Raises:
        SettingsError: it does not have what is asked of it.
        StoreError: see `identify`, `prepare` and `verify`.
    """
    server = identify(settings)
    prepare(settings, server)
    verify(settings, server)
    if server.warning:
        _log.warning("%s", server.warning)
    return server


def quoted(text: str, mark: str) -> str:
    """Put a text into quotation marks as InfluxQL and PromQL have them: nothing in it ends the string.

    Args:
        text: of any content.
        mark: the quotation mark.
    """
    escaped = text.replace("\\", "\\\\").replace(mark, f"\\{mark}").replace("\n", "\\n")
    return f"{mark}{escaped}{mark}"


def prepare(settings: StoreSettings, server: Server) -> None:
    """Create the database where the server needs that and lets us (1.x and the embedded store).

    A user who may write need not be one who may create: `verify` tells whether the database is there.

    Raises:
        StoreError: it cannot be created.
    """
    with suppress(StoreAccessError):
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
    store = StoreClient(settings)
    try:
        for act in acts:
            store.query(f"{act} DATABASE " + quoted(settings.bucket, mark='"'), method="POST")
    finally:
        store.close()


def setup(settings: StoreSettings, username: str, password: str) -> None:
    """First set-up of a fresh InfluxDB 2.x of our own: user, organisation, bucket and token.

    Args:
        settings: Organisation, bucket and token that it shall have.
        username: Of its first user.
        password: The user's.

    Raises:
        StackError: the server refuses.
    """
    store = StoreClient(settings)
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
    store = StoreClient(settings)
    try:
        store.write(write_target(settings, server), b"# sentinel\n")
    except StoreRefusedError:
        pass  # some servers want at least one point: token and bucket were in order
    except StoreError as error:
        if error.status != 400:  # the same of InfluxDB 3, which blames no line for it
            raise
    finally:
        store.close()


def count(settings: StoreSettings, server: Server, run: str = "") -> int:
    """Count the points that the store holds; of InfluxDB 3 those of the last day (`influxdb3.COUNTED`).

    Args:
        settings: the store and its bucket.
        server: what it is.
        run: value of the tag `run`; empty: points of all runs.

    Raises:
        StoreError: no answer.
    """
    store = StoreClient(settings)
    try:
        if server.dialect == "victoria":
            return _victoria_count(store, run)
        bounds = ["run = " + quoted(visible(run), mark="'")] if run else []
        if server.dialect == "3":
            bounds.append(f"time > now() - {influxdb3.COUNTED}")
        where = f" WHERE {' AND '.join(bounds)}" if bounds else ""
        series = store.query(f'SELECT count(cpu) FROM "{MEASUREMENT}"{where}')  # noqa: S608 - quoted
        return int(series[0]["values"][0][1]) if series else 0
    finally:
        store.close()


def _victoria_count(store: StoreClient, run: str) -> int:
    store.request("GET", "/internal/force_flush")
    name = quoted(visible(run), mark='"')
    selector = f"{MEASUREMENT}_cpu{{run={name}}}" if run else f"{MEASUREMENT}_cpu"
    response = store.request("GET", "/api/v1/export", {"match[]": selector})
    check(response, store.settings, "reading from")
    try:
        return sum(len(json.loads(line)["values"]) for line in response.body.splitlines())
    except (ValueError, LookupError, TypeError):
        raise unknown_answer(response, store.settings) from None
