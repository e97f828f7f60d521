"""The wire format: samples to payloads and back, by name.

Pure. JSON and the two binary layouts are SentinelStream's, extended compatibly: a payload of 32 or 40 bytes is binary
(the shortest valid JSON message is longer), anything else must be a JSON object. Binary is little-endian:
`<qddq` timestamp, cpu_usage, mem_usage, send_time_unix_nano, and `<qddqII` with source and seq.
In JSON a key that comes twice has its last value, and each of its values must be sound, whichever decoder runs.

An agent's message about itself is JSON of the same shape with `"measurement": "sentinel_agent"`, a host and fields: its
own share of a core and of the memory stand where the host's stood. A reader that knows only the original's keys takes
it for one more message.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from sentinel.model.sample import Columns, Sample, columns, homeless, names_error, tags_error, validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAX_PAYLOAD = 1 << 20
"""Bytes; a longer payload is rejected unread."""

_PLAIN = struct.Struct("<qddq")
_TRACED = struct.Struct("<qddqII")
_BINARY_LENGTHS = frozenset({_PLAIN.size, _TRACED.size})
_LAST_SECOND = 9_223_372_036
_LAST_NANOSECOND = 2**63 - 2


@dataclass(frozen=True)
class Rejected:
    """A message that will never become a point."""

    position: int
    """Index among the payloads of its read."""
    reason: str
    """A short class for counting: `json`, `type`, `value`, `size`, `time` or `store`."""
    detail: str
    """The value, and what was expected."""


class Oversized(bytes):
    """In place of a payload above `MAX_PAYLOAD`: its beginning, filled up so that it is still too long."""

    size: str
    """How long the payload is, in words."""

    @classmethod
    def beginning(cls, head: bytes, size: str) -> Oversized:
        """Of a payload that begins so."""
        payload = cls(head.ljust(MAX_PAYLOAD + 1))
        payload.size = size
        return payload


class Decoded(NamedTuple):
    """What the payloads of one read were; samples and rejects are together as many."""

    samples: list[Sample]
    """In the order of their payloads."""
    rejected: list[Rejected]
    columns: Columns
    """Of the samples. Taken here, since they tell whether any has further fields, which alone need a look."""


class _NotAMessageError(Exception):
    """One payload's (reason, detail); never leaves this module."""


def _from_binary(payload: bytes) -> Sample:
    if len(payload) == _PLAIN.size:
        timestamp, cpu, mem, sent = _PLAIN.unpack(payload)
        source = seq = None
    else:
        timestamp, cpu, mem, sent, source, seq = _TRACED.unpack(payload)
    if not (0 <= timestamp <= _LAST_SECOND and 0 <= sent <= _LAST_NANOSECOND):
        raise _NotAMessageError("value", f"timestamp={timestamp} s, send_time_unix_nano={sent}: expected times ≥ 1970")
    return Sample(timestamp, cpu, mem, sent, source=source, seq=seq)


_decode_json = msgspec.json.Decoder(Sample).decode


def _from_msgspec(payload: bytes) -> Sample:
    # Of bytes, msgspec checks only the text that it keeps; decoding checks it all, and ASCII needs no check.
    return _decode_json(payload if payload.isascii() else payload.decode())


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_loads = json.JSONDecoder(parse_constant=_no_constant).decode


def _from_json_loads(payload: bytes) -> Sample:
    text = payload.decode()
    record = _loads(text)
    if "\\" in text:  # an escaped lone surrogate gets through json.loads, but not into a UTF-8 line
        json.dumps(record, ensure_ascii=False).encode()
    sample = msgspec.convert(record, Sample)
    # A colon that belongs to none of the keys, as where one comes twice: json.loads has seen the last, msgspec each.
    if text.count(":") > len(record) + len(sample.fields or ()) + len(sample.tags or ()):
        _decode_json(text)
    return sample


def _shown(payload: bytes) -> str:
    return f"{payload[:100]!r}{'…' if len(payload) > 100 else ''} ({len(payload)} bytes)"


def _checked(payload: bytes, parse: Callable[[bytes], Sample]) -> Sample:
    """One payload, with every validation error turned into a reason."""
    if len(payload) > MAX_PAYLOAD:
        size = payload.size if isinstance(payload, Oversized) else f"{len(payload):,} bytes"
        raise _NotAMessageError("size", f"{size}: expected at most {MAX_PAYLOAD:,}")
    try:
        sample = _from_binary(payload) if len(payload) in _BINARY_LENGTHS else parse(payload)
    except msgspec.ValidationError as error:
        raise _NotAMessageError("type", f"{error}, in {_shown(payload)}") from error
    except (ValueError, RecursionError) as error:
        raise _NotAMessageError("json", f"{_shown(payload)}: expected a JSON object ({error})") from error
    if problem := validation_error(sample):
        raise _NotAMessageError("value", problem)
    return sample


@dataclass(frozen=True)
class Decoder:
    """A way to turn the payloads of one read into samples."""

    name: str
    parse: Callable[[bytes], Sample]

    def __call__(self, payloads: Sequence[bytes]) -> Decoded:
        """Decode the payloads of a read, one by one."""
        samples: list[Sample] = []
        rejected: list[Rejected] = []
        for position, payload in enumerate(payloads):
            try:
                samples.append(_checked(payload, self.parse))
            except _NotAMessageError as error:
                rejected.append(Rejected(position, *error.args))
        return Decoded(samples, rejected, columns(samples))


class FastDecoder(Decoder):
    """The same answers as `Decoder`, quicker for a read that is sound throughout and all of one kind.

    Lengths, ASCII and further fields are asked of all payloads together, which spares a look at each.
    """

    def __call__(self, payloads: Sequence[bytes]) -> Decoded:
        """As `Decoder`: at the first validation error the read is decoded again, one by one, to name the culprits."""
        together = b"".join(payloads)
        if len(together) == _TRACED.size * len(payloads) and set(map(len, payloads)) == {_TRACED.size}:
            return _binary_read(together) or super().__call__(payloads)
        if (samples := _json_read(payloads, together)) is not None:
            known = columns(samples)
            if not (known.further or known.tagged) or _sound(samples, known):
                return Decoded(samples, [], known)
        return super().__call__(payloads)


def _sound(samples: Sequence[Sample], known: Columns) -> bool:
    """Whether fields and tags are; names are looked at once for all messages that have the same ones."""
    if any(map(names_error, known.further)) or (known.tagged and any(map(tags_error, samples))):
        return False
    return not any(sample.fields and homeless(sample) for sample in samples)


def _json_read(payloads: Sequence[bytes], together: bytes) -> list[Sample] | None:
    """Samples, or None where any payload may be invalid; their further fields are still to be looked at.

    msgspec itself refuses NaN, infinity and overflow, and what is as short as a binary message.
    """
    if len(together) > MAX_PAYLOAD and max(map(len, payloads)) > MAX_PAYLOAD:
        return None
    try:
        return list(map(_decode_json, payloads if together.isascii() else [payload.decode() for payload in payloads]))
    except (ValueError, RecursionError):
        return None


def _binary_read(together: bytes) -> Decoded | None:
    """Its samples, or None where any payload may be invalid. A sum is finite only if all its terms are."""
    seconds, cpu, mem, sent, source, seq = _by_field(together)
    in_range = min(seconds) >= 0 and max(seconds) <= _LAST_SECOND and min(sent) >= 0 and max(sent) <= _LAST_NANOSECOND
    if not (in_range and math.isfinite(sum(cpu) + sum(mem))):
        return None
    samples = list(map(Sample, seconds, cpu, mem, sent, repeat(""), source, seq))
    numbers = [0.0] * (3 * len(samples))
    numbers[::3], numbers[1::3] = cpu, mem
    numbers[2::3] = sent if all(sent) else [sample.time for sample in samples]
    return Decoded(samples, [], Columns(source, sent, numbers, frozenset(), tagged=False))


def _viewed(together: bytes) -> tuple[list[Any], ...]:
    """The columns of binary messages, through a view for each type: no tuple a message."""
    whole, real, short = (memoryview(together).cast(kind) for kind in ("q", "d", "I"))
    five, ten = _TRACED.size // whole.itemsize, _TRACED.size // short.itemsize
    strided = whole[::five], real[1::five], real[2::five], whole[3::five], short[8::ten], short[9::ten]
    return tuple(view.tolist() for view in strided)


def _unpacked(together: bytes) -> tuple[list[Any], ...]:
    """The same on a machine of the other byte order."""
    return tuple(map(list, zip(*_TRACED.iter_unpack(together), strict=True)))


_by_field = _viewed if sys.byteorder == "little" else _unpacked
"""Column by column is quicker than message by message (docs/measurements.md: binary)."""


JSON_LOADS = Decoder("json.loads", _from_json_loads)
MSGSPEC = FastDecoder("msgspec", _from_msgspec)


@dataclass(frozen=True)
class Codec:
    """An encoding of samples, chosen by name and recorded in the run."""

    name: str
    encode: Callable[[Sample], bytes]


def _to_binary(sample: Sample) -> bytes:
    if sample.source is None or sample.seq is None:
        return _PLAIN.pack(sample.timestamp, sample.cpu, sample.mem, sample.sent)
    return _TRACED.pack(sample.timestamp, sample.cpu, sample.mem, sample.sent, sample.source, sample.seq)


CODECS: Mapping[str, Codec] = {
    "json": Codec("json", msgspec.json.Encoder().encode),
    "binary": Codec("binary", _to_binary),
}
