"""A mask: names and values replaced by others of the same form, so that a recording can be shown to others.

Nothing that is written depends on what it stands for, but for its length, its sign and its magnitude: no name and no
value can be had back. Keys, times, and the numbers of sources and messages stay as they are.
"""

from __future__ import annotations

import json
import math
import random
import re
import string
import struct

from sentinel.errors import RecordingError
from sentinel.model.codecs import MSGSPEC

MOST_NAMES = 1_000_000
"""Different names that a mask keeps apart: what a hostile sender may fill the memory with."""
TRIES = 1000
"""Draws of a text before it counts as certain that all of its length are taken."""
KEPT = frozenset({"timestamp", "send_time_unix_nano", "source", "seq", "measurement"})
"""Keys of a message, not of what is in it, whose values stay."""

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?|-?\d[\d.eE+-]*|[{}\[\]]', re.DOTALL)
"""Of JSON that is known to be sound: a string (and whether it is a key), a number, or a bracket."""
_LETTERS = string.ascii_lowercase + string.digits
_READINGS = struct.Struct("<dd")
_AT = 8
"""Where a binary message has its two readings, behind its time."""
_BINARY = frozenset({32, 40})


class Mask:
    """Of one recording: the same name is always replaced by the same, and two names never by one.

    Called with a message, it returns the message masked, of the same length but for a host's name; None of what is no
    message of ours, since nobody can tell what in it is a name.

    Raises:
        RecordingError: two names would become one, and so two sources.
    """

    def __init__(self) -> None:
        self._random = random.Random(1)  # noqa: S311 - what is drawn says nothing of what it replaces
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[tuple[str, str]] = set()
        self._hosts = 0

    def __call__(self, payload: bytes) -> bytes | None:
        """See the class."""
        if MSGSPEC([payload]).rejected:
            return None
        return self._binary(payload) if len(payload) in _BINARY else self._json(payload)

    def _binary(self, payload: bytes) -> bytes:
        readings = [self._reading(value) for value in _READINGS.unpack_from(payload, _AT)]
        return payload[:_AT] + _READINGS.pack(*readings) + payload[_AT + _READINGS.size :]

    def _reading(self, value: float) -> float:
        """Another double that is written with as many characters."""
        text = repr(value).encode()
        for _ in range(TRIES):
            masked = float(self._number(text))
            if len(repr(masked)) == len(text):
                break
        return masked

    def _json(self, payload: bytes) -> bytes:
        within: list[str] = []
        key = ""

        def replaced(match: re.Match[bytes]) -> bytes:
            nonlocal key
            token = match[0]
            if token in b"{[":
                within.append(key)
            elif token in b"}]":
                key = within.pop()
            elif match[1] is not None:
                key = json.loads(token[: -len(match[1])])
            elif not (len(within) == 1 and key in KEPT):
                return self._value(token, key, of_host=len(within) == 1 and key == "host")
            return token

        return _TOKEN.sub(replaced, payload)

    def _value(self, token: bytes, key: str, *, of_host: bool) -> bytes:
        if not token.startswith(b'"'):
            return self._number(token)
        if len(token) == 2:
            return token
        return b'"%b"' % self._name(key, json.loads(token), 0 if of_host else len(token) - 2).encode()

    def _name(self, key: str, text: str, length: int) -> str:
        """What replaces a name; of a host, which has the length 0 here, its number."""
        if (known := self._names.get((key, text))) is not None:
            return known
        if len(self._names) >= MOST_NAMES:
            raise RecordingError(f"the mask would join two sources: it keeps {MOST_NAMES:,} names apart, no more")
        masked = self._drawn(key, length) if length else self._next_host()
        self._names[key, text] = masked
        return masked

    def _next_host(self) -> str:
        self._hosts += 1
        return f"host-{self._hosts:04}"

    def _drawn(self, key: str, length: int) -> str:
        for _ in range(TRIES):
            text = "".join(self._random.choices(_LETTERS, k=length))
            if (key, text) not in self._taken:
                self._taken.add((key, text))
                return text
        raise RecordingError(
            f"the mask would join two sources: {key!r} has more values of {length} characters than there are texts of"
            f" that length in {len(_LETTERS)} letters and digits"
        )

    def _number(self, token: bytes) -> bytes:
        """Another number of the same sign, magnitude and number of digits; 0 stays 0."""
        for _ in range(TRIES):
            drawn = self._digits(token)
            # Next to the largest and the smallest double, other digits may be beyond them.
            if _range(drawn) == _range(token):
                break
        return drawn

    def _digits(self, token: bytes) -> bytes:
        mantissa, mark, exponent = token.replace(b"E", b"e").decode().partition("e")
        fraction = "." in mantissa
        end = len(mantissa.rstrip("0")) if fraction else len(mantissa)  # what ends a fraction as zeros stays so
        digits, begun = list[str](), False
        for place, digit in enumerate(mantissa):
            if not digit.isdigit() or place >= end or (digit == "0" and not begun):
                digits.append(digit)
                continue
            least = 1 if not begun or (fraction and place == end - 1) else 0
            digits.append(str(self._random.randint(least, 9)))
            begun = True
        return f"{''.join(digits)}{mark}{exponent}".encode()


def _range(number: bytes) -> tuple[bool, bool]:
    """Whether a number is 0 as a double, and whether it is finite."""
    return float(number) == 0, math.isfinite(float(number))
