r"""Samples to InfluxDB line protocol.

Pure. `system_stats,host=H,run=R,source=S cpu=…,mem=…[,field=…] <ns>`: tags only where known, sorted, escaped.
Escaping follows the InfluxDB documentation (comma, space and equals sign take a backslash). What the format cannot
carry is replaced, visibly: control characters by their picture (newline becomes `␊`), a backslash before a comma,
space, equals sign, backslash or the end by `∖`: servers disagree on what two backslashes before a separator mean.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.model.sample import MOST_SERIES, Sample, columns, measurement

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from sentinel.model.sample import Columns

_CONTROL = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")
_AMBIGUOUS = re.compile(r"\\(?=[\\,= ]|\Z)")
_ODD = re.compile(r"[\\,= \x00-\x1f\x7f-\x9f]").search
"""Finds what is replaced or escaped; most names have nothing of it."""
_ESCAPED = str.maketrans(_CONTROL | {ord(","): "\\,", ord(" "): "\\ ", ord("="): "\\="})


def visible(text: str) -> str:
    """Replace everything that line protocol cannot carry."""
    return _AMBIGUOUS.sub("∖", text.translate(_CONTROL)) if _ODD(text) else text


def escape(text: str) -> str:
    """Escape a tag key, a tag value or a field key for a line."""
    return visible(text).translate(_ESCAPED) if _ODD(text) else text


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


class _Beginnings(dict["Hashable", str]):
    """The beginning of a line, up to its first number, by series; of `MOST_SERIES`, the others are made each time."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run
        self._numbered = self._made(Sample(0, 0.0, 0.0, source=0))[: -len("0")]

    def __missing__(self, series: Any) -> str:
        if isinstance(series, int):
            text = f"{self._numbered}{series} cpu="
        else:
            host, source, run, kind = series or ("", None, "", None)
            text = f"{self._made(Sample(0, 0.0, 0.0, 0, host, source, run=run, measurement=kind))} cpu="
        if len(self) < MOST_SERIES:  # a hostile sender must not fill the memory with names
            self[series] = text
        return text

    def _made(self, sample: Sample) -> str:
        known = "".join(f",{name}={escape(value)}" for name, value in tags(sample, self._run).items())
        return f"{measurement(sample)}{known}"


class LineEncoder:
    """Encodes samples, all numbers of a read at once; remembers the escaped series of each source.

    msgspec writes numbers quicker than `repr` does (docs/measurements.md: numbers), and escaping a series costs more
    than all else.
    """

    def __init__(self, run: str = "") -> None:
        self._beginnings = _Beginnings(run)

    def __call__(self, samples: Sequence[Sample], known: Columns | None = None) -> list[str]:
        """One line per sample, without the newline; `known` are their columns, where somebody has them."""
        if not samples:
            return []
        known = known or columns(samples)
        beginnings = map(self._beginnings.__getitem__, known.series)
        # Each number as the shortest text that reads back the same; finite ones only.
        texts = iter(msgspec.json.encode(known.numbers)[1:-1].decode().split(","))
        rows = zip(beginnings, texts, texts, texts)  # noqa: B905 - `strict` takes time
        if known.further:
            more = [_further(s.fields or {}) for s in samples]
            return [f"{p}{cpu},mem={mem}{f} {time}" for (p, cpu, mem, time), f in zip(rows, more, strict=True)]
        return [f"{p}{cpu},mem={mem} {time}" for p, cpu, mem, time in rows]


def _further(fields: dict[str, float]) -> str:
    return "".join(f",{escape(name)}={value!r}" for name, value in fields.items())
