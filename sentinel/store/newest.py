"""The newest point that a query of the store returns: what a reader sees, which may be less than was acknowledged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sentinel.errors import StoreError
from sentinel.model.lineprotocol import visible
from sentinel.model.sample import MEASUREMENT
from sentinel.store import influxdb3
from sentinel.store.administration import quoted

if TYPE_CHECKING:
    from sentinel.store.client import StoreClient
    from sentinel.store.servers import Server


def newest(store: StoreClient, server: Server, run: str) -> int | None:
    """Time of the newest point of a run, ns since the epoch; None while a query returns none.

    Of VictoriaMetrics, in whole milliseconds.

    Args:
        store: A connection.
        server: What it is.
        run: The tag of the points.

    Raises:
        StoreError: no answer.
    """
    if server.dialect == "victoria":
        return _victoria(store, run)
    bound = f" AND time > now() - {influxdb3.COUNTED}" if server.dialect == "3" else ""
    where = "run = " + quoted(visible(run), mark="'") + bound
    series = store.query(f'SELECT * FROM "{MEASUREMENT}" WHERE {where} ORDER BY time DESC LIMIT 1')  # noqa: S608 - quoted
    return int(series[0]["values"][0][0]) if series else None


def _victoria(store: StoreClient, run: str) -> int | None:
    selector = f"{MEASUREMENT}_cpu{{run={quoted(visible(run), mark=chr(34))}}}[1m]"
    response = store.request("GET", "/api/v1/query", {"query": f"max(tlast_over_time({selector}))"})
    try:
        series = json.loads(response.body)["data"]["result"]
        return round(float(series[0]["value"][1]) * 1000) * 10**6 if series else None
    except (ValueError, LookupError, TypeError):
        raise StoreError(f"the store answered a query with {response.status}: {response.body[:200]!r}") from None
