"""What names a series in a line: measurement and tags, read with InfluxDB 1.x's rules and wording. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_KEY = 65535
"""InfluxDB's limit: bytes of measurement and tags together."""

# In a key a backslash protects whatever comma, space or equals sign follows it, even after another backslash.
KEY = re.compile(rb"(?:[^ ]|(?<=\\) )+")
"""A line's key: measurement and tags."""
_MEASUREMENT = re.compile(rb"[^,](?:[^,]|(?<=\\),)*")
_TAG_KEY = re.compile(rb"[^,= ](?:[^,= ]|(?<=\\)[,= ])*")
_TAG_VALUE = re.compile(rb"[^, ](?:[^,= ]|(?<=\\)[,= ])*")


class LineError(ValueError):
    """A line that InfluxDB could not parse; the message is InfluxDB's."""


class Key(NamedTuple):
    """What names a series: unescaped, tags sorted."""

    measurement: bytes
    tags: tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=65536)
def read_key(raw: bytes) -> Key:
    """Measurement and tags of a key, as the client sent it; what was read is kept, since keys come again and again.

    Args:
        raw: A line up to the first blank that no backslash protects.

    Returns:
        Measurement, tag names and tag values without their backslashes, the tags sorted by name.

    Raises:
        LineError: there is no measurement, the key is longer than `MAX_KEY`, a tag has no name or no value, or
            there is twice the same tag.
    """
    head = _MEASUREMENT.match(raw)
    if not head:
        raise LineError("missing measurement")
    if len(raw) > MAX_KEY:
        raise LineError(f"max key length exceeded: {len(raw)} > {MAX_KEY}")
    tags: dict[bytes, bytes] = {}
    position = head.end()
    while position < len(raw):
        name, value, position = _read_tag(raw, position + 1)
        if name in tags:
            raise LineError("duplicate tags")
        tags[name] = value
    return Key(re.sub(rb"\\([, ])", rb"\1", head[0]), tuple(sorted(tags.items())))


def _read_tag(raw: bytes, position: int) -> tuple[bytes, bytes, int]:
    """Name and value (unescaped) of the tag at `position`, and where it ends."""
    name = _TAG_KEY.match(raw, position)
    if not name:
        raise LineError("missing tag key")
    value = _TAG_VALUE.match(raw, name.end() + 1)
    if raw[name.end() : name.end() + 1] != b"=" or not value:
        raise LineError("missing tag value")
    if raw[value.end() : value.end() + 1] == b"=":
        raise LineError("invalid tag format")
    tag = [re.sub(rb"\\([,= ])", rb"\1", part[0]) for part in (name, value)]
    return tag[0], tag[1], value.end()
