"""Payloads that nobody would send, from a seed: sound messages, the same damaged, odd grammar, and noise."""

from __future__ import annotations

import json
import random
import struct
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEYS = (
    b"timestamp",
    b"cpu_usage",
    b"mem_usage",
    b"send_time_unix_nano",
    b"host",
    b"source",
    b"seq",
    b"run",
    b"fields",
    b"measurement",
)
ODD = [
    *rb"""NaN -Infinity Infinity nan 1e999 -1e999 1e-999 -0 0.0 -0.0e0 01 +1 .5 5. 1e 0x10 1_000 -9223372036854775809
    9223372036854775807 18446744073709551616 4294967296 -1 1.5 1e3 null true false {} [] [[]] {"a":1} " \ "" "1" "a\nb"
    "\u0000" "\ud800" "\udc00\ud800" "\ud83d\ude00" "\x" "\t" "\r\n" "a\\" "\u007f" 'a' "sentinel_agent" "system_stats"
    {"cpu":1} {"":1} {"x":NaN} {"x":"y"} {"\n":1} {"time":1} {"x":1,"x":2}""".split(),
    *(b"", b"9" * 400, b'"a\nb"', b'" "', b'"a,b=c d"', b'"a\\\\ b"', b'{"a b,c=d":1.5}', b'"\xff\xfe"', b'"\xc0\x80"'),
    *(b'"\xed\xa0\x80"', b'"\xe2\x80\xa8"', b'"\xf0\x9f\x98\x80"', b'"\xef\xbb\xbf"', b'"\x7f"'),
]
"""In place of a value: numbers, texts and containers, many of them no JSON."""


class Fuzz:
    """Payloads by one seed, any number of them; the same seed makes the same ones within a clock's second."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._now = time.time_ns()
        self._number = 0
        self._ways: list[tuple[int, Callable[[], bytes]]] = [
            (30, self._sound),
            (20, self._bytes_changed),
            (20, self._value_changed),
            (8, self._key_changed),
            (5, self._key_twice),
            (5, self._cut),
            (4, self._binary_changed),
            (3, self._spliced),
            (2, self._nested),
            (2, self._noise),
            (1, self._long),
        ]

    def payloads(self, count: int) -> Iterator[bytes]:
        """So many."""
        weights, ways = zip(*self._ways, strict=True)
        for way in self._random.choices(ways, weights, k=count):
            yield way()

    def _json(self) -> bytes:
        """A sound one; no two are the same point."""
        r = self._random
        self._number += 1
        sent = self._now + self._number
        record: dict[str, object] = {
            "timestamp": sent // 10**9,
            "cpu_usage": r.choice((1.5, 100, 0, 1e-9)),
            "mem_usage": 2,
            "send_time_unix_nano": sent,
        }
        if r.random() < 0.6:
            record |= {"source": r.randrange(50), "seq": self._number}
        if r.random() < 0.5:
            record["host"] = r.choice(("h", "web 1", "a,b=c", "ü", "\\", "\U0001f600", "x" * 255))
        if r.random() < 0.2:
            record["fields"] = {r.choice(("load1", "a b", "ü", "x,y", "q=")): r.random()}
        if r.random() < 0.2:
            record["tags"] = {r.choice(("rack", "a b", "ü", "zone,", "t=")): r.choice(("7", "", "a b", "\\", "x,y=z"))}
        return json.dumps(record, ensure_ascii=r.random() < 0.5).encode()

    def _binary(self) -> bytes:
        self._number += 1
        sent = self._now + self._number
        if self._random.random() < 0.5:
            return struct.pack("<qddq", sent // 10**9, 1.5, 2.5, sent)
        return struct.pack("<qddqII", sent // 10**9, 1.5, 2.5, sent, self._random.randrange(50), self._number % 2**32)

    def _sound(self) -> bytes:
        return self._binary() if self._random.random() < 0.3 else self._json()

    def _bytes_changed(self) -> bytes:
        r, payload = self._random, bytearray(self._sound())
        for _ in range(r.randint(1, 4)):
            at = r.randrange(len(payload) + 1)
            end = min(len(payload), at + r.randint(0, 8))
            new = r.choice((b"", r.randbytes(r.randint(1, 4)), bytes(payload[at:end]) * 2, r.choice(ODD)))
            payload[at:end] = new
        return bytes(payload)

    def _value_changed(self) -> bytes:
        """Another value for a key that is there, or one more key."""
        r, payload = self._random, self._json()
        key, odd = b'"%b": ' % r.choice(KEYS), r.choice(ODD)
        head, actual, rest = payload.partition(key)
        if not actual:
            return b"%b, %b%b}" % (payload[:-1], key, odd)
        end = min(at for at in (rest.find(b", "), rest.find(b"}"), len(rest)) if at >= 0)
        return head + actual + odd + rest[end:]

    def _key_changed(self) -> bytes:
        r, key = self._random, self._random.choice(KEYS)
        new = r.choice(
            (
                b"",
                key.upper(),
                b" " + key,
                b"\\u%04x" % key[0] + key[1:],
                b"k" * r.choice((255, 256, 5000)),
                r.randbytes(3),
            )
        )
        return self._json().replace(b'"%b"' % key, b'"%b"' % new, 1)

    def _key_twice(self) -> bytes:
        r, payload = self._random, self._json()
        again = b'"%b": %b' % (r.choice(KEYS), r.choice((*ODD, b"1", b'"h"')))
        return b"{%b, %b" % (again, payload[1:]) if r.random() < 0.5 else b"%b, %b}" % (payload[:-1], again)

    def _cut(self) -> bytes:
        payload = self._sound()
        at = self._random.randrange(len(payload))
        return payload[:at] if self._random.random() < 0.5 else payload[at:]

    def _binary_changed(self) -> bytes:
        r, payload = self._random, bytearray(self._binary())
        at = 8 * r.randrange(4)
        special = (float("nan"), float("inf"), float("-inf"), 5e-324, -0.0, 1.7e308)
        payload[at : at + 8] = r.choice((r.randbytes(8), bytes(8), b"\xff" * 8, struct.pack("<d", r.choice(special))))
        return bytes(payload)

    def _spliced(self) -> bytes:
        first, other = self._sound(), self._sound()
        joint = self._random.choice((b"", b"\n", b"\x00", b",", b" ", b"\xef\xbb\xbf"))
        return first + joint + other if self._random.random() < 0.5 else joint + first + joint

    def _nested(self) -> bytes:
        depth = self._random.choice((2, 64, 500, 1500, 100_000))
        opening, closing = self._random.choice(((b"[", b"]"), (b'{"a":', b"}")))
        inner = opening * depth + b"1" + closing * self._random.choice((0, depth))
        return b'%b, "%b": %b}' % (self._json()[:-1], self._random.choice((b"fields", b"other")), inner)

    def _noise(self) -> bytes:
        return self._random.randbytes(self._random.choice((0, 1, 31, 32, 33, 39, 40, 41, 200)))

    def _long(self) -> bytes:
        """Some are beyond what may be read at all."""
        r = self._random
        length = 1 << 20 if r.random() < 0.1 else r.choice((255, 256, 4096, 20_000))
        return b'%b, "%b": "%b"}' % (self._json()[:-1], r.choice((b"host", b"other", b"run")), b"x" * length)
