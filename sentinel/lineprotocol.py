r"""Samples to InfluxDB line protocol, as bytes.

Pure. `system_stats,host=H,run=R,source=S cpu=…,mem=…[,field=…] <ns>`: tags only where known, sorted, escaped.
Escaping follows the InfluxDB documentation (comma, space and equals sign take a backslash). What the format cannot
carry is replaced, visibly: control characters by their picture (newline becomes `␊`), a backslash before a comma,
space, equals sign, backslash or the end by `∖`: servers disagree on what two backslashes before a separator mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sentinel.sample import MEASUREMENT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.sample import Sample

_CONTROL = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")
_AMBIGUOUS = re.compile(r"\\(?=[\\,= ]|\Z)")
_ESCAPED = str.maketrans(_CONTROL | {ord(","): "\\,", ord(" "): "\\ ", ord("="): "\\="})


def visible(text: str) -> str:
    """The text with everything replaced that line protocol cannot carry."""
    return _AMBIGUOUS.sub("∖", text.translate(_CONTROL))


def escape(text: str) -> str:
    """A tag key, tag value or field key, ready for a line."""
    return visible(text).translate(_ESCAPED)


def tags(sample: Sample, run: str = "") -> dict[str, str]:
    """The point's tags, sorted by key, unescaped; `run` where the sample names none."""
    known = {
        "host": sample.host,
        "run": sample.run or run,
        "source": "" if sample.source is None else str(sample.source),
    }
    return {key: visible(value) for key, value in known.items() if value}


class LineEncoder:
    """Encodes samples; remembers the escaped series of each source (0.7 µs a message against 3.8 µs without)."""

    def __init__(self, run: str = "") -> None:
        self._run = run
        self._prefixes: dict[tuple[str, int | None, str], str] = {}

    def __call__(self, samples: Iterable[Sample]) -> list[bytes]:
        """One line per sample, without the newline."""
        prefixes = self._prefixes
        lines = []
        for s in samples:
            key = (s.host, s.source, s.run)
            prefix = prefixes.get(key) or self._prefix(key, s)
            more = f",{_further(s.fields)}" if s.fields else ""
            lines.append(f"{prefix}{s.cpu!r},mem={s.mem!r}{more} {s.sent or s.timestamp * 1_000_000_000}".encode())
        return lines

    def _prefix(self, key: tuple[str, int | None, str], sample: Sample) -> str:
        if len(self._prefixes) >= 100_000:  # a hostile sender must not fill the memory with names
            self._prefixes.clear()
        series = "".join(f",{name}={escape(value)}" for name, value in tags(sample, self._run).items())
        self._prefixes[key] = f"{MEASUREMENT}{series} cpu="
        return self._prefixes[key]


def _further(fields: dict[str, float]) -> str:
    return ",".join(f"{escape(name)}={value!r}" for name, value in fields.items())
