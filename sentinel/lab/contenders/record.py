"""The record folder that a contender may keep: what of it can be used, by the schema of docs/contenders.md.

It gives internal and e2e latencies; what does not keep the schema is put aside, and a dash stands where it would be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from sentinel.runtime.record import INTERVALS, LEDGER

if TYPE_CHECKING:
    from pathlib import Path

Buckets = dict[str, Annotated[int, msgspec.Meta(ge=0)]]
"""Counts of durations by the number of their bucket (`model.histogram`), with `zero` and `negative` beside them."""


class Interval(msgspec.Struct):
    """A line of intervals.jsonl."""

    at: Annotated[int, msgspec.Meta(gt=0)]
    """When the interval ended, ns since the epoch."""
    internal: Buckets = {}
    e2e: Buckets = {}


class Counts(msgspec.Struct):
    """What became of the messages it received."""

    received: Annotated[int, msgspec.Meta(ge=0)]
    written: Annotated[int, msgspec.Meta(ge=0)]
    rejected: Annotated[int, msgspec.Meta(ge=0)] = 0


class Ledger(msgspec.Struct):
    """ledger.json."""

    ledger: Counts


def schema() -> dict[str, Any]:
    """The JSON Schema of both files, as docs/contender-record.schema.json has it."""
    kinds = (Interval, Ledger)
    _, components = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "What a contender may record"}
    return whole | {"anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in kinds], "$defs": components}


def put_aside(folder: Path) -> list[str]:
    """Put aside what of a contender's record cannot be used, under the name `….unusable`; a sentence for each file.

    Args:
        folder: What SENTINEL_RECORD named.
    """
    collected = []
    for name, check in ((INTERVALS, _intervals), (LEDGER, _ledger)):
        path = folder / name
        try:
            if path.exists():
                check(path.read_bytes())
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            path.rename(path.with_suffix(".unusable"))
            collected.append(f"its {name} does not keep the schema, and was put aside: {error}")
    return collected


def _intervals(text: bytes) -> None:
    for line in text.splitlines():
        msgspec.json.decode(line, type=Interval)


def _ledger(text: bytes) -> None:
    msgspec.json.decode(text, type=Ledger)
