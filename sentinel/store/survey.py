"""A look at the store that leaves nothing behind: who answers, whether it may be written to, what it will refuse."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from sentinel.errors import SentinelError, StoreAccessError, StoreError
from sentinel.model.sample import MEASUREMENT
from sentinel.operations.findings import BAD, GOOD, WARNING, Finding, clock, duration
from sentinel.settings import shown
from sentinel.store.administration import quoted, verify
from sentinel.store.client import StoreClient
from sentinel.store.servers import identify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.settings import StoreSettings
    from sentinel.store.servers import Server

PATIENCE = 2.0
"""Seconds for an answer."""
DAY = 86_400.0
_UNITS = {"h": 3600.0, "d": DAY, "w": 7 * DAY, "m": 31 * DAY, "y": 365 * DAY, "": 31 * DAY}
"""Of VictoriaMetrics' -retentionPeriod; a number alone is months."""


def look(settings: StoreSettings) -> Iterator[Finding]:
    """Look at a store as the consumer would use it.

    Returns:
        Findings, one by one; where the store is away, that is the last.
    """
    settings = replace(settings, timeout=min(settings.timeout, PATIENCE))
    store = StoreClient(settings)
    try:
        before = time.monotonic()
        server = identify(settings)
        took = time.monotonic() - before
        yield Finding(GOOD, "store", f"{server} at {shown(settings.url)} answers in {took * 1e3:.2g} ms")
        yield from _clock(store)
        yield _writing(store, server)
        yield from _retention(store, server)
        yield from _fields(store, server)
        yield from _durability(store, server)
    except StoreError as error:
        yield Finding(BAD, "store", str(error))
    finally:
        store.close()


def _clock(store: StoreClient) -> Iterator[Finding]:
    before = time.time()
    result = store.request("GET", "/ping").headers.get("date", "")
    after = time.time()
    try:
        # The header has whole seconds: its moment lies anywhere within the one that it names.
        at = parsedate_to_datetime(result).timestamp() + 0.5
    except ValueError:
        return
    yield clock("the store's clock", at - (before + after) / 2, 0.5 + (after - before) / 2)


def _writing(store: StoreClient, server: Server) -> Finding:
    settings, subject = store.settings, "right to write"
    if server.dialect in ("1", "embedded") and settings.bucket not in _databases(store):
        return Finding(WARNING, subject, f"no database {settings.bucket!r} yet", "sentinel consume makes it, if it may")
    try:
        verify(settings, server)
    except StoreAccessError as error:
        return Finding(BAD, subject, str(error))
    return Finding(GOOD, subject, f"bucket {settings.bucket!r}" if server.dialect != "victoria" else "everybody's")


def _databases(store: StoreClient) -> set[str]:
    """Those that this user sees; the one that is asked for where the store does not say."""
    try:
        return {row[0] for series in store.query("SHOW DATABASES") for row in series.get("values", [])}
    except (SentinelError, LookupError):
        return {store.settings.bucket}


# What it keeps -------------------------------------------------------------------------------------------------------


def _retention(store: StoreClient, server: Server) -> Iterator[Finding]:
    try:
        seconds = _kept(store, server)
    except (SentinelError, LookupError, ValueError, TypeError):
        seconds = None
    if seconds is None:
        yield Finding(WARNING, "retention", "not known: the store does not say, or not to this token")
        return
    fate = "drops older points without a word" if server.dialect == "victoria" else "refuses older points"
    words = f"keeps points {duration(seconds)} and {fate}" if seconds else "keeps points for ever"
    if 0 < seconds < DAY:
        yield Finding(WARNING, "retention", words, "make it longer than the longest outage a backlog must outlive")
    else:
        yield Finding(GOOD, "retention", words)


def _kept(store: StoreClient, server: Server) -> float | None:
    """Seconds that points are kept; 0: for ever; None: not known."""
    if server.dialect == "victoria":
        match = re.search(rb'name="retentionPeriod", value="(\d+)(\w?)"', store.request("GET", "/metrics").body)
        return int(match[1]) * _UNITS[match[2].decode()] if match else None
    if server.dialect == "embedded":
        return 0.0
    if server.dialect == "2":
        return _kept_by_bucket(store)
    series = store.query(f"SHOW RETENTION POLICIES ON {quoted(store.settings.bucket, mark=chr(34))}")
    policies = [dict(zip(s["columns"], row, strict=True)) for s in series for row in s["values"]]
    return next((_seconds(each["duration"]) for each in policies if each["default"]), None)


def _kept_by_bucket(store: StoreClient) -> float | None:
    query = {"org": store.settings.org, "name": store.settings.bucket}
    body: Any = json.loads(store.request("GET", "/api/v2/buckets", query).body)
    rules = body["buckets"][0]["retentionRules"]
    return float(rules[0]["everySeconds"]) if rules else 0.0


def _seconds(text: str) -> float:
    """Of Go's `168h0m0s`."""
    return sum(float(n) * {"h": 3600, "m": 60, "s": 1}[unit] for n, unit in re.findall(r"([\d.]+)([hms])", text))


def _fields(store: StoreClient, server: Server) -> Iterator[Finding]:
    """Fields of ours that the store holds as another type: it refuses every message then."""
    if server.dialect not in ("1", "2", "3"):
        return
    try:
        series = store.query(f'SHOW FIELD KEYS FROM "{MEASUREMENT}"')
        kinds = {row[0]: row[1] for each in series for row in each["values"]}
    except (SentinelError, LookupError):
        return
    if wrong := [f"{name} as {kinds[name]}" for name in ("cpu", "mem") if kinds.get(name, "float") != "float"]:
        yield Finding(
            BAD,
            "field types",
            f"{MEASUREMENT!r} in {store.settings.bucket!r} holds {' and '.join(wrong)}: it refuses every message",
            "write to another bucket (INFLUX_BUCKET), or drop that measurement",
        )


def _durability(store: StoreClient, server: Server) -> Iterator[Finding]:
    """What its acknowledgement is worth."""
    if server.dialect != "victoria":
        yield Finding(GOOD, "durability", "acknowledges what is in its write-ahead log")
        return
    text = "acknowledges from memory: killed, it loses the last seconds"
    match = re.search(rb'name="dedup.minScrapeInterval", value="([^"]*)"', store.request("GET", "/metrics").body)
    if match and match[1] in (b"", b"0", b"0s"):
        text += ", and keeps redelivered points twice"
        yield Finding(WARNING, "durability", text, "start it with -dedup.minScrapeInterval=1ms")
    else:
        yield Finding(WARNING, "durability", text, "take InfluxDB where no acknowledged point may be lost")
