"""Which server the store is, and where it takes line protocol.

InfluxDB 1.x, 2.x, 3, VictoriaMetrics and the lab's embedded store are told apart by probing `/ping` (and `/health`).
QuestDB answers as an InfluxDB 2 would: it is known by its `Server` header, and refused.
Times are always sent in ns: without a precision parameter on `/write`, with `precision=ns` on `/api/v2/write` and
`precision=nanosecond` on `/api/v3/write_lp`; other spellings are silently misread by one server or another.
"""

from __future__ import annotations

import json
import re
import urllib.parse
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.errors import SettingsError, StoreAccessError, StoreError
from sentinel.settings import DURABLE, NO_SYNC, shown
from sentinel.store import influxdb3
from sentinel.store.client import REDIRECTS, StoreClient, check

if TYPE_CHECKING:
    from sentinel.settings import StoreSettings

CLIENT_WRITE_PATH = "/api/v2/write"
"""Where influxdb-client posts."""
DEDUPLICATES = "1ms"
"""What `-dedup.minScrapeInterval` of VictoriaMetrics must be: its times are in ms, and a redelivered point is one."""

NO_QUESTDB = (
    "not supported, since it keeps a point that is sent again twice, cuts times to microseconds, and does not count by"
    " InfluxQL; use InfluxDB or VictoriaMetrics"
)
"""Seen with QuestDB 9.3.4 as it is; a table of one's own with DEDUP would cure the first only."""
ACKNOWLEDGED = {
    DURABLE: "acknowledged once they are in its write-ahead log (durable)",
    NO_SYNC: "acknowledged before they are in its write-ahead log, so that a crash loses some (no_sync)",
}


@dataclass(frozen=True)
class Server:
    """A store as it made itself known."""

    name: str
    version: str
    dialect: str
    """`1`, `2`, `3`, `victoria` or `embedded`."""
    deduplicates: str = DEDUPLICATES
    """VictoriaMetrics' `-dedup.minScrapeInterval`."""

    @property
    def guarantee(self) -> str:
        """What an acknowledgement is worth, in words, where that is less than `it is on disk`; or ""."""
        if self.dialect != "victoria":
            return ""
        return (
            "acknowledged from memory (until then a message is as safe as Redis keeps it;"
            " what the store acknowledged in its last seconds is gone if it is killed or its disk is full)"
        )

    @property
    def warning(self) -> str:
        """What whoever runs the store should change, in one line, or ""."""
        if self.dialect != "victoria" or self.deduplicates == DEDUPLICATES:
            return ""
        return (
            f"{self} runs with -dedup.minScrapeInterval={self.deduplicates}: with 0s points that are sent again count"
            f" twice, with more than {DEDUPLICATES} points close to each other are dropped; start it with"
            f" -dedup.minScrapeInterval={DEDUPLICATES}"
        )

    @property
    def write_path(self) -> str:
        """The path that points are posted to."""
        if self.dialect in ("1", "embedded"):
            return "/write"
        return influxdb3.WRITE_PATH if self.dialect == "3" else CLIENT_WRITE_PATH

    @property
    def serves_client(self) -> bool:
        """Whether influxdb-client's own path exists (InfluxDB has it from 1.8)."""
        numbers = re.match(r"1\.(\d+)", self.version) if self.dialect == "1" else None
        return numbers is None or int(numbers[1]) >= 8

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


def durability(settings: StoreSettings, server: Server) -> str:
    """How long a write waits: `durable` or `no_sync` where the server has that choice (InfluxDB 3), else empty.

    Raises:
        SettingsError: one was chosen, and the server has no such choice.
    """
    if server.dialect == "3":
        return settings.durability or DURABLE
    if settings.durability:
        raise SettingsError(
            f"INFLUX_DURABILITY={settings.durability!r} is a choice of InfluxDB 3, and {shown(settings.url)} is"
            f" {server}: leave it unset"
        )
    return ""


def acknowledgement(settings: StoreSettings, server: Server) -> str:
    """What the server's acknowledgement stands for, in words, where one may choose; else empty.

    Raises:
        SettingsError: see `durability`.
    """
    return ACKNOWLEDGED.get(durability(settings, server), "")


def write_target(settings: StoreSettings, server: Server) -> str:
    """The path and query that `StoreClient.write` posts to.

    Raises:
        SettingsError: see `durability`.
    """
    kept = durability(settings, server)
    if server.write_path == influxdb3.WRITE_PATH:
        query = influxdb3.write_query(settings.bucket, kept)
    elif server.write_path == "/write":
        query = {"db": settings.bucket}
    else:
        query = {"org": settings.org, "bucket": settings.bucket, "precision": "ns"}
    return f"{server.write_path}?{urllib.parse.urlencode(query)}"


def identify(settings: StoreSettings) -> Server:
    """Ask which server answers at the address.

    Raises:
        SettingsError: the URL is no address.
        StoreAccessError: it wants a token, or another one, before it says what it is (InfluxDB 3).
        StoreError: nobody answers, or somebody unknown.
    """
    store = StoreClient(settings)
    try:
        ping = store.request("GET", "/ping")
        if ping.status in REDIRECTS:
            check(ping, settings)
        if ping.headers.get("server", "").lower().startswith("questdb"):
            raise StoreError(f"the store at {shown(settings.url)} is QuestDB: {NO_QUESTDB}")
        if ping.status in (401, 403):
            raise _unauthorised(settings, ping.status)
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
            return _victoria(store)
    finally:
        store.close()
    raise StoreError(
        f"what answers at {shown(settings.url)} is no store that is known here (/ping: {ping.status}):"
        " expected InfluxDB 1.x, 2.x, 3 or VictoriaMetrics"
    )


def _victoria(store: StoreClient) -> Server:
    """Version and flag stand in its metrics."""
    metrics = store.request("GET", "/metrics").body
    version = re.search(rb'short_version="v?([^"]*)"', metrics)
    flag = re.search(rb'flag\{name="dedup\.minScrapeInterval", value="([^"]*)"', metrics)
    return Server(
        "VictoriaMetrics",
        version[1].decode() if version else "",
        "victoria",
        flag[1].decode() if flag else DEDUPLICATES,
    )


def _unauthorised(settings: StoreSettings, status: int) -> StoreAccessError:
    remedy = "the INFLUX_TOKEN given is not one of its" if settings.token else "give it in INFLUX_TOKEN"
    return StoreAccessError(
        f"the store at {shown(settings.url)} wants a token before it says what it is (/ping: {status}): {remedy}"
        " (InfluxDB 3 does so; `--disable-authz ping` of its server opens /ping)",
        status=status,
    )
