r"""Samples to InfluxDB line protocol.

Pure. `system_stats,host=H,run=R,source=S[,tag=…] cpu=…,mem=…[,field=…] <ns>`: tags only where known, sorted, escaped.
Escaping follows the InfluxDB documentation (comma, space and equals sign take a backslash). What the format cannot
carry is replaced, visibly: control characters by their picture (newline becomes `␊`), a backslash before a comma,
space, equals sign, backslash or the end by `∖`: servers disagree on what two backslashes before a separator mean.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel.model.sample import MEASUREMENT, columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sentinel.model.sample import Columns, Names, Pairs, Sample

ROOM = 64_000_000
"""Bytes that the beginnings of lines may take, and as many the tags in them: some 150,000 sources with usual names. A
beginning that is not remembered is made for each message."""
PLACE, PAIR = 300, 200
"""Bytes of a place in a mapping with its key, and of a tag in the key, at most, besides the text."""

_CONTROL = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "␡"} | dict.fromkeys(range(0x80, 0xA0), "�")
_AMBIGUOUS = re.compile(r"\\(?=[\\,= ]|\Z)")
_ODD = re.compile(r"[\\,= \x00-\x1f\x7f-\x9f]").search
"""Finds what is replaced or escaped; most names have nothing of it."""
_NO_PLAIN = re.compile(r'[\\,= "{}:\x00-\x1f\x7f-\x9f]').search
"""Finds what stands otherwise in a line than in JSON, or is part of either's structure."""
_JSON_TO_FIELDS = bytes.maketrans(b":", b"=")
_SORTED = ("host", "run", "source")
"""The tags of every line."""
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
        **_shown(sorted((sample.tags or {}).items())),
    }
    return {key: visible(known[key]) for key in sorted(known) if known[key]}


def _shown(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Tags with names as a line can carry them, sorted; an empty value is as good as none."""
    return dict(sorted({visible(name): value for name, value in pairs if value}.items()))


class _Bounded(dict[Any, Any]):
    """Remembers what it made until that takes `ROOM`; the rest is made each time."""

    def __init__(self) -> None:
        super().__init__()
        self._room = ROOM

    def _keep(self, key: Any, made: Any, pairs: Pairs, *texts: str) -> None:
        """Remember, where there is room, what was made of a key that holds these tags; the texts hold all names."""
        if self._room > 0:  # a hostile sender must not fill the memory with names
            self._room -= PLACE + PAIR * len(pairs) + 2 * sum(map(sys.getsizeof, texts))
            self[key] = made


class _TagTexts(_Bounded):
    """The tags of a message, by their sorted pairs, as they stand before, between and behind those of every line.

    Many sources share their tags, and a line's are sorted by name.
    """

    def __missing__(self, pairs: Pairs) -> tuple[str, str, str, str]:
        texts = ["", "", "", ""]
        for name, value in _shown(pairs).items():
            texts[bisect(_SORTED, name)] += f",{escape(name)}={escape(value)}"
        first, second, third, last = texts
        self._keep(pairs, (first, second, third, last), pairs, *texts)
        return first, second, third, last


class _Beginnings(_Bounded):
    """The beginning of a line, up to its first number, by series."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = f",run={escape(run)}" if run else ""
        self._numbered = f"{MEASUREMENT}{self._run},source="
        self._tags = _TagTexts()

    def __missing__(self, series: Any) -> str:
        if isinstance(series, int):
            text = f"{self._numbered}{series} cpu="
            self._keep(series, text, (), text)
            return text
        parts: tuple[Any, ...] = series or ("", None, "", None)
        text = self._made(*parts)
        self._keep(series, text, parts[4] if len(parts) > 4 else (), text)
        return text

    def _made(self, host: str, source: int | None, run: str, kind: str | None, pairs: Pairs = ()) -> str:
        first, second, third, last = self._tags[pairs] if pairs else ("", "", "", "")
        where = f"{kind or MEASUREMENT}{first},host={escape(host)}" if host else f"{MEASUREMENT}{first}"
        of_run = f",run={escape(run)}" if run else self._run
        number = "" if source is None else f",source={source}"
        return f"{where}{second}{of_run}{third}{number}{last} cpu="


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
            more = _further(samples, known.further)
            return [f"{p}{cpu},mem={mem}{f} {time}" for (p, cpu, mem, time), f in zip(rows, more, strict=True)]
        return [f"{p}{cpu},mem={mem} {time}" for p, cpu, mem, time in rows]


def _further(samples: Sequence[Sample], every: Collection[Names]) -> list[str]:
    """The further fields of each sample as they stand in its line, a comma in front; of which `every` are the names.

    Where all names are plain, the JSON of all fields is rewritten in one go: less than half of what a text for each
    number takes (docs/measurements.md: fields).
    """
    odd = {names for names in every if _NO_PLAIN("".join(names))}
    if odd:
        return [_texts(s.fields, plain=tuple(s.fields) not in odd) if s.fields else "" for s in samples]
    together = msgspec.json.encode([s.fields or {} for s in samples])
    texts = together[2:-2].translate(_JSON_TO_FIELDS, b'"').decode().split("},{")
    if all(s.fields for s in samples):
        return [f",{text}" for text in texts]
    return [text and f",{text}" for text in texts]


def _texts(fields: dict[str, float], *, plain: bool) -> str:
    return "".join(f",{name if plain else escape(name)}={value!r}" for name, value in fields.items())
