"""A point's fields as text, just as the line had them (`cpu=53.2,n=1i`): their names, types, values and union. Pure.

A *shape* is a field set's names and types, the values removed (`cpu=,n=i`): types are checked and points are counted
per shape, not per point. All here takes text that linereader.py has accepted.
"""

from __future__ import annotations

import re

KINDS = {b"": "float", b"i": "integer", b"u": "unsigned", b'"': "string", b"t": "boolean"}
"""What stands for each type in a shape, and InfluxDB's name for it."""

_TRUE = frozenset([b"t", b"T", b"true", b"True", b"TRUE"])
BOOLEANS = _TRUE | {b"f", b"F", b"false", b"False", b"FALSE"}

# Among the fields a backslash and its next byte are a pair.
FIELD = re.compile(rb'((?:\\.|[^\\=, ])+)=("(?:\\.|[^"\\])*"|[^", ][^, ]*)(?=[, ]|\Z)', re.DOTALL)
_SHAPE_FIELD = re.compile(rb'((?:\\.|[^\\=, ])+)=([iu"t]?)(?:,|\Z)', re.DOTALL)


def split_fields(fields: bytes) -> dict[bytes, bytes]:
    """The fields of a line.

    Args:
        fields: The field set of a line that was accepted.

    Returns:
        Values as text by unescaped name; of a name that stands twice the last counts, and `time` is no field.
    """
    values = {unescape_field(match[1]): match[2] for match in FIELD.finditer(fields)}
    values.pop(b"time", None)
    return values


def split_shape(shape: bytes) -> dict[bytes, bytes]:
    """The fields of a shape.

    Args:
        shape: See `shape_of`.

    Returns:
        By unescaped name what stands for the type, one of `KINDS`; `time` is no field, as in InfluxDB.
    """
    names = {unescape_field(match[1]): match[2] for match in _SHAPE_FIELD.finditer(shape)}
    names.pop(b"time", None)
    return names


def merge_fields(old: bytes, new: bytes) -> bytes:
    """The union of two accepted field sets; where both have a field the new value wins.

    Args:
        old: The field set that is stored.
        new: The field set of the same point that came later.

    Returns:
        A field set.
    """
    fresh = split_fields(new)
    kept = [match[0] for match in FIELD.finditer(old) if unescape_field(match[1]) not in fresh]
    return b",".join([*kept, new])


def shape_of(fields: bytes) -> bytes:
    """The shape of a field set: `cpu=,n=i` of `cpu=53.2,n=1i`.

    Args:
        fields: The field set of a line that was accepted.
    """
    return b",".join(match[1] + b"=" + _kind(match[2]) for match in FIELD.finditer(fields))


def value_of(text: bytes) -> float | int | bool | str:
    """The value that a field's text stands for.

    Args:
        text: What follows the equals sign in a line that was accepted, such as `1i` or `"a"`.
    """
    kind = _kind(text)
    if kind == b'"':
        return re.sub(rb'\\(["\\])', rb"\1", text[1:-1]).decode(errors="replace")
    if kind == b"t":
        return text in _TRUE
    return int(text[:-1]) if kind else float(text)


def unescape_field(name: bytes) -> bytes:
    """A field name without the backslashes that protect commas, equals signs, blanks and quotes.

    Args:
        name: As it stands in a line that was accepted.
    """
    return re.sub(rb'\\([,= "])', rb"\1", name) if b"\\" in name else name


def _kind(text: bytes) -> bytes:
    """What stands in a shape for the type of an accepted value."""
    if text.startswith(b'"'):
        return b'"'
    if text in BOOLEANS:
        return b"t"
    return text[-1:] if text.endswith((b"i", b"u")) else b""
