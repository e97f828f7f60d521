"""The golden set: messages that a right consumer stores exactly, and poison that it gets past. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.model.codecs import CODECS
from sentinel.model.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Row = dict[str, Any]
"""A point as the store gives it back: `time` in ns, tags as text, fields as numbers."""

NUMBERS = {
    "zero": (0.0, 0.0),
    "negative": (-1.5, -273.15),
    "tiny": (1e-300, 2.2250738585072014e-308),
    "huge": (1.7976931348623157e308, 1e22),
    "every digit": (0.30000000000000004, 99.99999999999999),
}
HOSTS = {"unicode": "höst-漢字-🛰", "escapes": "web 1,zone=eu", "quotes": 'say "hi"'}
FIELDS = {f"further_{number:02}": number / 7 for number in range(60)} | {"net eth0,rx=1": 3.5}
AGENT = {"swap_percent": 0.0, "load1": 0.25, "net_sent_bytes_per_s": 123456.789}


class Golden(NamedTuple):
    """One message, and the point that it must become."""

    what: str
    payload: bytes
    row: Row


def messages(codec: str, run: str, now: int) -> list[Golden]:
    """The golden set of a codec.

    Args:
        codec: `json` or `binary`.
        run: The tag `run` that the consumer is told.
        now: ns since the epoch; the points' times lie just before it, each at a nanosecond of its own.
    """
    start = now // 10**9 * 10**9 - 60 * 10**9 + 123_456_789
    numbered = enumerate(NUMBERS.items())
    samples = {what: _sample(start + n, cpu, mem, source=n, seq=n) for n, (what, (cpu, mem)) in numbered}
    if codec == "binary":
        samples["32 bytes, without a source"] = _sample(start + 100, 1.25, 2.5)
    else:
        samples |= _with_hosts(start + 200)
    values = [Golden(what, CODECS[codec].encode(sample), _row(sample, run)) for what, sample in samples.items()]
    return values if codec == "binary" else [*values, *_raw(start + 300, run)]


def _sample(sent: int, cpu: float, mem: float, **more: Any) -> Sample:
    return Sample(sent // 10**9, cpu, mem, sent, **more)


def _with_hosts(start: int) -> dict[str, Sample]:
    values = {
        what: _sample(start + n, 10.0 + n, 50.0, host=host, seq=n) for n, (what, host) in enumerate(HOSTS.items())
    }
    values["many fields"] = _sample(start + 10, 1.0, 2.0, host="fields", seq=0, fields=dict(FIELDS))
    values["an agent's message"] = _sample(start + 11, 3.0, 4.0, host="agent", seq=0, fields=dict(AGENT))
    values["without a send time"] = Sample(start // 10**9, 5.0, 6.0, host="unsent")
    return values


def _raw(start: int, run: str) -> list[Golden]:
    """The same content, written as other programs write it."""
    whole = {"timestamp": start // 10**9, "cpu_usage": 42, "mem_usage": 7, "source": 77, "send_time_unix_nano": start}
    plain = _sample(start, 42.0, 7.0, source=77)
    escaped = whole | {"host": 'é"', "source": 78, "send_time_unix_nano": start + 1}
    there = _sample(start + 1, 42.0, 7.0, source=78, host='é"')
    return [
        Golden("whole numbers", json.dumps(whole).encode(), _row(plain, run)),
        Golden("\\u escapes and spaces", json.dumps(escaped, indent=2).encode(), _row(there, run)),
    ]


def _row(sample: Sample, run: str) -> Row:
    tags = {"host": sample.host, "run": run, "source": "" if sample.source is None else str(sample.source)}
    numbers = {"cpu": sample.cpu, "mem": sample.mem, **(sample.fields or {})}
    return {"time": sample.time, **{name: tag for name, tag in tags.items() if tag}, **numbers}


def poison(codec: str) -> list[bytes]:
    """Payloads that can never become points, whatever the codec: no message may stop a consumer."""
    sound = {"timestamp": 1_700_000_000, "cpu_usage": 1.0, "mem_usage": 2.0}
    odd: list[Any] = [
        {}, [], None, sound | {"cpu_usage": "high"}, sound | {"cpu_usage": float("nan")},
        sound | {"mem_usage": float("inf")}, sound | {"send_time_unix_nano": "soon"}, {"cpu_usage": 1.0},
    ]  # fmt: skip
    texts = [b"", b"poison", b"{", b'{"cpu_usage": 1', b"\xff\xfe\x00" * 11, b"x" * 100_000]
    return texts if codec == "binary" else [*texts, *(json.dumps(value).encode() for value in odd)]


def difference(wanted: Iterable[Golden], rows: Iterable[Mapping[str, Any]]) -> str:
    """The first difference between what was sent and what the store holds; empty where there is none."""
    values = {(row["time"], row.get("source"), row.get("host")): row for row in rows}
    for what, _, row in wanted:
        stored = values.get((row["time"], row.get("source"), row.get("host")))
        if stored is None:
            return f"{what}: no point of {_shown(row)}{_near(row, values.values())}"
        for name in sorted({*row, *(key for key, value in stored.items() if value is not None)}):
            if row.get(name) != stored.get(name):
                return f"{what}: {name} is {stored.get(name)!r}, expected {row.get(name)!r}"
    return ""


def _near(row: Row, rows: Iterable[Mapping[str, Any]]) -> str:
    """Of what is there, the point that is most like it."""
    same = [other for other in rows if (other.get("cpu"), other.get("mem")) == (row["cpu"], row["mem"])]
    return f"; the store has {_shown(same[0])}" if same else ""


def _shown(row: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={row[name]!r}" for name in ("source", "host", "time") if row.get(name) is not None)
