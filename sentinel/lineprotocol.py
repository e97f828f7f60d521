r"""Samples to InfluxDB line protocol.

Pure. `system_stats,host=H,run=R,source=S cpu=…,mem=…[,field=…] <ns>`: tags only where known, sorted, escaped.
Escaping follows the InfluxDB documentation (comma, space and equals sign take a backslash). What the format cannot
carry is replaced, visibly: control characters by their picture (newline becomes `␊`), a backslash before a comma,
space, equals sign, backslash or the end by `∖`: servers disagree on what two backslashes before a separator mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from sentinel.sample import MOST_SERIES, measurement, series

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

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
    """Encodes samples, a column at a time; remembers the escaped series of each source.

    msgspec writes a whole column of numbers in 0.06 µs each, where `repr` takes 0.17: in reads of 500, 0.32 µs a
    message against 0.67 for a loop with an f-string, and 3.8 without remembering the series.
    """

    def __init__(self, run: str = "") -> None:
        self._run = run
        self._prefixes: dict[Hashable, str] = {}

    def __call__(
        self, samples: Sequence[Sample], keys: Sequence[Hashable] | None = None, sent: Sequence[int] | None = None
    ) -> list[str]:
        """One line per sample, without the newline; `keys` (`sample.series`) and `sent` where they are known."""
        if not samples:
            return []
        keys = series(samples) if keys is None else keys
        sent = [s.sent for s in samples] if sent is None else sent
        try:
            prefixes = [self._prefixes[key] for key in keys]
        except KeyError:
            prefixes = self._remember(keys, samples)
        cpu = _texts([s.cpu for s in samples])
        mem = _texts([s.mem for s in samples])
        if any([s.fields for s in samples]):
            mem = [f"{m},{_further(s.fields)}" if s.fields else m for m, s in zip(mem, samples, strict=True)]
        times = _texts(sent if all(sent) else [s.time for s in samples])
        return [f"{p}{c},mem={m} {t}" for p, c, m, t in zip(prefixes, cpu, mem, times, strict=True)]

    def _remember(self, keys: Sequence[Hashable], samples: Sequence[Sample]) -> list[str]:
        found = dict(zip(keys, samples, strict=True))
        if len(self._prefixes) + len(found) > MOST_SERIES:
            self._prefixes.clear()
        for key, sample in found.items():
            known = "".join(f",{name}={escape(value)}" for name, value in tags(sample, self._run).items())
            self._prefixes[key] = f"{measurement(sample)}{known} cpu="
        return [self._prefixes[key] for key in keys]


def _texts(numbers: Sequence[float]) -> list[str]:
    """Each number as the shortest text that reads back the same; finite ones only."""
    return msgspec.json.encode(numbers)[1:-1].decode().split(",")


def _further(fields: dict[str, float]) -> str:
    return ",".join(f"{escape(name)}={value!r}" for name, value in fields.items())
