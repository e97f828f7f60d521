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

from sentinel.model.sample import MOST_SERIES, columns, measurement

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from sentinel.model.sample import Columns, Sample

_CONTROL = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")
_AMBIGUOUS = re.compile(r"\\(?=[\\,= ]|\Z)")
_ESCAPED = str.maketrans(_CONTROL | {ord(","): "\\,", ord(" "): "\\ ", ord("="): "\\="})


def visible(text: str) -> str:
    """Replace everything that line protocol cannot carry."""
    return _AMBIGUOUS.sub("∖", text.translate(_CONTROL))


def escape(text: str) -> str:
    """Escape a tag key, a tag value or a field key for a line."""
    return visible(text).translate(_ESCAPED)


def tags(sample: Sample, run: str = "") -> dict[str, str]:
    """The tags of a sample's point.

    Args:
        sample: what the point is made of.
        run: value of the tag `run` where the sample names no run.

    Returns:
        Values by key, unescaped, sorted by key.
    """
    known = {
        "host": sample.host,
        "run": sample.run or run,
        "source": "" if sample.source is None else str(sample.source),
    }
    return {key: visible(value) for key, value in known.items() if value}


class LineEncoder:
    """Encodes samples, all numbers of a read at once; remembers the escaped series of each source.

    msgspec writes numbers quicker than `repr` does (docs/measurements.md: numbers), and escaping a series costs more
    than all else.
    """

    def __init__(self, run: str = "") -> None:
        self._run = run
        self._prefixes: dict[Hashable, str] = {}

    def __call__(self, samples: Sequence[Sample], known: Columns | None = None) -> list[str]:
        """One line per sample, without the newline; `known` are their columns, where somebody has them."""
        if not samples:
            return []
        known = known or columns(samples)
        try:
            return self._lines(samples, known)
        except KeyError:
            self._remember(known.series, samples)
            return self._lines(samples, known)

    def _lines(self, samples: Sequence[Sample], known: Columns) -> list[str]:
        """Raises KeyError: a series is new."""
        prefixes = map(self._prefixes.__getitem__, known.series)
        # Each number as the shortest text that reads back the same; finite ones only.
        texts = iter(msgspec.json.encode(known.numbers)[1:-1].decode().split(","))
        rows = zip(prefixes, texts, texts, texts)  # noqa: B905 - `strict` takes time
        if known.further:
            more = [_further(s.fields or {}) for s in samples]
            return [f"{p}{cpu},mem={mem}{f} {time}" for (p, cpu, mem, time), f in zip(rows, more, strict=True)]
        return [f"{p}{cpu},mem={mem} {time}" for p, cpu, mem, time in rows]

    def _remember(self, series: Sequence[Hashable], samples: Sequence[Sample]) -> None:
        values = dict(zip(series, samples, strict=True))
        if len(self._prefixes) + len(values) > MOST_SERIES:
            self._prefixes.clear()
        for key, sample in values.items():
            known = "".join(f",{name}={escape(value)}" for name, value in tags(sample, self._run).items())
            self._prefixes[key] = f"{measurement(sample)}{known} cpu="


def _further(fields: dict[str, float]) -> str:
    return "".join(f",{escape(name)}={value!r}" for name, value in fields.items())
