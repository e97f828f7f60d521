"""What InfluxDB 3 does its own way: the path for writes, how long a write waits, and which refusal names a line.

Written from its documentation and source, and tried against a stand-in; InfluxDB 3 itself was not run.
"""

from __future__ import annotations

import json
from typing import NamedTuple

WRITE_PATH = "/api/v3/write_lp"
COUNTED = "1d"
"""Age of the oldest points that are counted: a query that touches more than 432 Parquet files is refused, and a table
has one for every ten minutes of its points."""


class NamedLine(NamedTuple):
    """The line because of which a whole body was refused."""

    position: int
    """In the body, from 0."""
    words: str
    """What is wrong with it, without the line itself."""


def write_query(database: str, durability: str) -> dict[str, str]:
    """The query of a write: all of the body or nothing, times in ns.

    Args:
        database: its name.
        durability: `durable` or `no_sync`.
    """
    query = {"db": database, "precision": "nanosecond", "accept_partial": "false"}
    return query | {"no_sync": "true"} if durability == "no_sync" else query


def named_line(body: bytes) -> NamedLine | None:
    """The line that an answer blames, from `{"error": …, "data": {"line_number": 1, "error_message": …, …}}`.

    Args:
        body: of the answer.

    Returns:
        None where the answer names no line.
    """
    try:
        answer = json.loads(body)
        data = answer["data"]
        return NamedLine(int(data["line_number"]) - 1, f"{answer['error']}: {data['error_message']}")
    except (ValueError, LookupError, TypeError):
        return None


def blames_no_line(body: bytes) -> bool:
    """Whether a 400 of `/api/v2/write` is about something other than lines, such as a full or absent object store."""
    return b"write buffer error" in body and b"line protocol" not in body
