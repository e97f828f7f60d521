"""InfluxDB line protocol read into columns, with InfluxDB 1.x's rules and wording. Pure.

Two readers, one result. `read_plain` takes a whole body with one compiled pattern, where every line is of the common
shape (no escapes, quotes or strings; a timestamp). Anything else goes line by line through `read_exact`, which is the
definition; a property test holds that the two agree. Values stay text (linefields.py): numbers are only *checked*.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from sentinel.lab.stack.embedded_store.linefields import BOOLEANS, FIELD, KINDS, shape_of
from sentinel.lab.stack.embedded_store.linekey import KEY, LineError, read_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_TIME = 2**63 - 2
MIN_TIME = -(2**63) + 2
"""InfluxDB's limits: nanoseconds since 1970."""

_BLANKS = b" \t\0"
_WORD = rb'[^\x00-\x20,="\\\x7f]+'
_DIGITS = rb"=-?(?:\d{1,18}i|\d{1,30}(?:\.\d{0,30})?(?:[eE][-+]?\d{1,2})?)"
_PLAIN = re.compile(
    rb"^((?!#)W(?:,W=W)*) (WD(?:,WD)*) (-?\d{1,19})$".replace(b"W", _WORD).replace(b"D", _DIGITS), re.MULTILINE
)
_PLAIN_VALUE = re.compile(rb"=[^,\niu]+")

_NUMBER = re.compile(rb"-?(?:\d+[iu]|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)")
_LINE_MARK = re.compile(rb'\\.(?=.)|[ =,"\n]', re.DOTALL)


class Columns(NamedTuple):
    """The points of one body, a list per column, and what could not be read."""

    keys: Sequence[bytes]
    """Measurement and tags as sent; `linekey.read_key` understands them."""
    fields: Sequence[bytes]
    shapes: Sequence[bytes]
    times: Sequence[int]
    """Nanoseconds since 1970."""
    errors: Sequence[str] = ()


def read_lines(body: bytes, now: int) -> Columns:
    """All points of a body, and what could not be read.

    Args:
        body: Line protocol, times in ns.
        now: The time of lines without one, ns since the epoch.
    """
    return read_plain(body) or read_exact(body, now)


def read_plain(body: bytes) -> Columns | None:
    """Read the whole body in one go, which is quicker.

    Args:
        body: Line protocol, times in ns.

    Returns:
        All points; None where a line needs `read_exact`.
    """
    matches = _PLAIN.findall(body)
    if len(matches) != body.count(b"\n") + (not body.endswith(b"\n")):
        return None
    keys, fields, stamps = zip(*matches, strict=True)
    times = [*map(int, stamps)]
    if max(times) > MAX_TIME or min(times) < MIN_TIME or not all(map(_is_key, set(keys))):
        return None
    shapes = _PLAIN_VALUE.sub(b"=", b"\n".join(fields)).split(b"\n")
    return Columns(keys, fields, shapes, times)


def read_exact(body: bytes, now: int) -> Columns:
    """The definition: line by line, each either a point or an error.

    Compared with InfluxDB 1.6.7 over 30,000 random bodies. It differs on purpose in three things: unsigned integers
    are taken, bytes between a string's closing quote and the next comma are refused (InfluxDB drops them), and a field
    name may end in two backslashes (InfluxDB mixes such a field up with its neighbour).

    Args:
        body: Line protocol, times in ns.
        now: The time of lines without one, ns since the epoch.
    """
    points: list[tuple[bytes, bytes, bytes, int]] = []
    errors: list[str] = []
    for block in _blocks(body):
        line = block.lstrip(_BLANKS)
        if not line or line.startswith(b"#"):
            continue
        try:
            points.append(_read_line(line, now))
        except LineError as error:
            errors.append(f"unable to parse '{line.decode(errors='replace')}': {error}")
    keys, fields, shapes, times = zip(*points, strict=True) if points else ((), (), (), ())
    return Columns(keys, fields, shapes, times, errors)


def _is_key(raw: bytes) -> bool:
    try:
        return bool(read_key(raw))
    except LineError:
        return False


def _blocks(body: bytes) -> Iterator[bytes]:
    """The body cut at its line ends: not those inside a string or after a backslash."""
    if b'"' not in body and b"\\" not in body:
        yield from body.split(b"\n")
        return
    start, balance, fields, quoted = 0, 0, False, False
    for match in _LINE_MARK.finditer(body):
        mark = match[0]
        if mark == b"\n" and not quoted:
            yield body[start : match.start()]
            start, balance, fields = match.end(), 0, False
        elif mark == b" ":
            fields = True
        elif fields and mark == b'"' and balance > 0:
            quoted = not quoted
        elif fields and not quoted:
            balance += {b"=": 1, b",": -1}.get(mark, 0)
    yield body[start:]


def _read_line(line: bytes, now: int) -> tuple[bytes, bytes, bytes, int]:
    """Key, fields, shape and time of one line that starts with its measurement."""
    head = KEY.match(line)
    key = head[0] if head else b""
    read_key(key)
    rest = line[len(key) :].lstrip(_BLANKS)
    if len(key) == len(line):
        raise LineError("missing fields")
    position = _fields_end(rest)
    return key, rest[:position], shape_of(rest[:position]), _read_time(rest[position:].lstrip(_BLANKS), now)


def _fields_end(rest: bytes) -> int:
    """Where the fields end that `rest` starts with; every value is checked."""
    position = 0
    while match := FIELD.match(rest, position):
        if not match[2].startswith(b'"'):
            _check_bare(match[2])
        position = match.end()
        if rest[position : position + 1] != b",":
            return position
        position += 1
    raise LineError(_why_no_field(rest[position:]))


def _why_no_field(rest: bytes) -> str:
    if rest.startswith(b"="):
        return "missing field key"
    name = re.match(rb"(?:\\.|[^\\=, ])+=", rest, re.DOTALL)
    value = rest[name.end() :] if name else b""
    if not name:
        return "invalid field format"
    if value[:1] in {b"", b",", b" "}:
        return "missing field value"
    return "invalid field format" if re.match(rb'"(?:\\.|[^"\\])*"', value, re.DOTALL) else "unbalanced quotes"


def _check_bare(text: bytes) -> None:
    """A number in range or a boolean, else a LineError."""
    if text in BOOLEANS:
        return
    if text[0] not in b"0123456789.-Nn":
        raise LineError("invalid boolean")
    if not _NUMBER.fullmatch(text):
        raise LineError("invalid float" if re.match(rb"-?[\d.]+[eE]", text) else "invalid number")
    low, high = {b"i": (-(2**63), 2**63 - 1), b"u": (0, 2**64 - 1)}.get(text[-1:], (0, 0))
    if high and not (len(text) < 30 and low <= int(text[:-1]) <= high):
        raise LineError(f"unable to parse {KINDS[text[-1:]]} {text[:-1].decode()}: value out of range")
    if not high and math.isinf(float(text)):
        raise LineError("invalid float")


def _read_time(text: bytes, now: int) -> int:
    """The time in nanoseconds, or `now` where there is none."""
    if not text:
        return now
    stamp, _, rest = text.partition(b" ")
    if not re.fullmatch(rb"-?\d*", stamp):
        raise LineError("bad timestamp")
    if stamp == b"-" or len(stamp) > 30:
        raise LineError(f"unable to parse time {stamp.decode()}")
    if not MIN_TIME <= int(stamp) <= MAX_TIME:
        raise LineError(f"time outside range {MIN_TIME} - {MAX_TIME}")
    if rest.strip(b" "):
        raise LineError("point is invalid")
    return int(stamp)
