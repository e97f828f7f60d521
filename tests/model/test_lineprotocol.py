"""Line protocol: what we write is read back unchanged, by a small parser of InfluxDB's documented escaping rules.

Servers agree on one backslash before a comma, space or equals sign, and disagree on two: InfluxDB 1.x and 2.x take a
separator in tags as escaped if the character before it is a backslash; InfluxDB 3 and VictoriaMetrics, and 1.x itself
in field names, pair the backslashes off first. So every line is read both ways, and both must give what was meant.
"""

from __future__ import annotations

import re
import tracemalloc
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.model import lineprotocol
from sentinel.model.lineprotocol import LineEncoder, escape, tags, visible
from sentinel.model.sample import AGENT, RESERVED_FIELDS, RESERVED_TAGS, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

PROPERTY = settings(deadline=None, max_examples=120, derandomize=True)
SPECIAL = " ,=\"'\\\n\r\t\0\x1b\x7f\x85\u2028#é☃😀"

NAMES = st.one_of(
    st.text(st.sampled_from(SPECIAL) | st.characters(exclude_categories=["Cs"]), max_size=12),
    st.text("\\ ,=a", max_size=5),
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
FIELD_NAMES = NAMES.filter(lambda name: name and name not in RESERVED_FIELDS)
FIELDS = st.lists(st.tuples(FIELD_NAMES, FINITE), max_size=4, unique_by=lambda item: visible(item[0])).map(dict)
SAMPLES = st.builds(
    Sample,
    timestamp=st.integers(0, 9_223_372_036),
    cpu=FINITE,
    mem=FINITE,
    sent=st.integers(0, 2**63 - 2),
    host=NAMES,
    source=st.none() | st.integers(0, 2**32 - 1),
    seq=st.none() | st.integers(0, 2**32 - 1),
    fields=st.none() | FIELDS,
    run=NAMES,
    measurement=st.none() | st.just(AGENT),
    tags=st.none() | st.dictionaries(NAMES.filter(lambda name: name and name not in RESERVED_TAGS), NAMES, max_size=3),
).filter(lambda sample: not {*map(visible, sample.fields or ())} & {*map(visible, sample.tags or ())})
AWKWARD = [
    *("web 1", "a,b", "a=b", 'the "big" one', "back\\slash", "C:\\new\\table", "two\nlines", "tab\there", "é☃😀"),
    *("\\", "end\\", "end\\\\", " ", ",", "=", '"', "\n", "\r\n", "\0", "\x7f", "\x85", "#", "a\\,b", "a\\ b", "a\\=b"),
    *(
        "a\\\\b",
        "a\\\\,b",
        '\\ \\="',
        "\\,source=9",
        "x cpu=1 1\nsystem_stats cpu=2 2",
        "host=a,run=b c=1",
        "N/A",
        "1i",
    ),
]


class Point(NamedTuple):
    """What a line says."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, float]
    time: int


class Dialect(NamedTuple):
    """How a server finds separators and undoes escapes."""

    protects: Callable[[int], bool]
    """Whether so many backslashes before a separator make it text."""
    escaped: str
    """Pattern of an escaped character, the character in group 1."""

    def split(self, text: str, separator: str) -> list[str]:
        """The text cut at its unescaped separators."""
        parts, start, backslashes = [], 0, 0
        for i, character in enumerate(text):
            if character == separator and not self.protects(backslashes):
                parts.append(text[start:i])
                start = i + 1
            backslashes = backslashes + 1 if character == "\\" else 0
        return [*parts, text[start:]]

    def pairs(self, parts: list[str]) -> list[tuple[str, str]]:
        """`key=value` parts as unescaped pairs."""
        cut = [self.split(part, "=") for part in parts]
        return [(self.unescape(key), self.unescape(value)) for key, value in cut]

    def unescape(self, text: str) -> str:
        """The text that was meant."""
        return re.sub(self.escaped, r"\1", text)

    def read(self, line: bytes) -> Point:
        """A whole line, of which keys must be unique and tags sorted."""
        series, values, time = self.split(line.decode(), " ")
        measurement, *tag_parts = self.split(series, ",")
        tag_pairs, field_pairs = self.pairs(tag_parts), self.pairs(self.split(values, ","))
        assert sorted(dict(tag_pairs).items()) == tag_pairs
        fields = {name: float(value) for name, value in field_pairs}
        assert len(field_pairs) == len(fields)
        return Point(measurement, dict(tag_pairs), fields, int(time))


DIALECTS = {
    "by-previous": Dialect(lambda backslashes: backslashes > 0, r"\\([, =])"),
    "by-pairs": Dialect(lambda backslashes: backslashes % 2 == 1, r"\\([, =\\])"),
}


def written(sample: Sample, run: str = "") -> bytes:
    """The one line of a sample, by a fresh encoder, as it is sent."""
    (line,) = LineEncoder(run)([sample])
    return line.encode()


def meant(sample: Sample, run: str = "") -> Point:
    """What the sample's line must say."""
    known = {"host": sample.host, "run": sample.run or run}
    named = {key: visible(value) for key, value in known.items() if value}
    named |= {visible(key): visible(value) for key, value in sorted((sample.tags or {}).items()) if value}
    numbered = {} if sample.source is None else {"source": str(sample.source)}
    further = {visible(name): value for name, value in (sample.fields or {}).items()}
    time = sample.sent or sample.timestamp * 1_000_000_000
    where = AGENT if sample.measurement and sample.host else "system_stats"
    return Point(where, named | numbered, {"cpu": sample.cpu, "mem": sample.mem} | further, time)


@pytest.mark.parametrize("dialect", DIALECTS)
@PROPERTY
@given(SAMPLES, NAMES)
def test_every_line_reads_back_as_it_was_meant(dialect: str, sample: Sample, run: str) -> None:
    """Tags, fields (floats exactly equal) and time of any sample survive the line, however the server reads it."""
    assert meant(sample, run) == DIALECTS[dialect].read(written(sample, run))


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("text", AWKWARD)
def test_an_awkward_name_reads_back_as_it_was_meant(dialect: str, text: str) -> None:
    """Blanks, commas, quotes, backslashes, newlines and Unicode do no harm as host, run or field name."""
    sample = Sample(1, 2.5, 3.5, host=text, source=7, fields={text: 4.5}, run=text, tags={f"t{text}": text})
    assert meant(sample) == DIALECTS[dialect].read(written(sample))


@PROPERTY
@given(st.lists(SAMPLES, max_size=8), NAMES)
def test_no_control_character_gets_into_a_line(samples: list[Sample], run: str) -> None:
    """One sample is one line: nothing in it breaks a line, ends a string or moves a cursor."""
    lines = LineEncoder(run)(samples)
    assert len(samples) == len(lines)
    assert [c for line in lines for c in line if unicodedata.category(c) == "Cc"] == []
    assert lines == "\n".join(lines).split("\n") or not lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web-1", "web-1"),
        ("", ""),
        ("a b,c=d", "a b,c=d"),
        ("two\nlines", "two␊lines"),
        ("\r\n\t\0", "␍␊␉␀"),
        ("\x1b[31m", "␛[31m"),
        ("del\x7f", "del␡"),
        ("next\x85line", "next�line"),
        ("C:\\temp", "C:\\temp"),
        ("end\\", "end∖"),
        ("\\", "∖"),
        ("é☃😀", "é☃😀"),
    ],
)
def test_what_a_line_cannot_carry_is_replaced_visibly(text: str, shown: str) -> None:
    """Control characters become their pictures and a trailing backslash a look-alike; the rest stays."""
    assert shown == visible(text)


@PROPERTY
@given(NAMES)
def test_replacing_twice_changes_nothing_more(text: str) -> None:
    """`visible` is at rest after once, and never makes a name empty."""
    assert visible(text) == visible(visible(text))
    assert bool(text) == bool(visible(text))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("a b", "a\\ b"), ("a,b", "a\\,b"), ("a=b", "a\\=b"), ('a"b', 'a"b'), ("a\\b", "a\\b"), (", =", "\\,\\ \\=")],
)
def test_escaping_follows_the_documentation(text: str, escaped: str) -> None:
    """Comma, blank and equals sign take a backslash; quotes and backslashes take none."""
    assert escaped == escape(text)


@pytest.mark.parametrize(
    ("sample", "line"),
    [
        (Sample(1, 2.5, 3.0), b"system_stats cpu=2.5,mem=3.0 1000000000"),
        (Sample(1, 2.5, 3.0, sent=7), b"system_stats cpu=2.5,mem=3.0 7"),
        (Sample(0, 0.0, -0.0), b"system_stats cpu=0.0,mem=-0.0 0"),
        (Sample(9_223_372_036, 1e-7, 1e22), b"system_stats cpu=1e-7,mem=1e22 9223372036000000000"),
        (
            Sample(1, 2.5, 3.0, 8, "web 1", 0, 5, {"swap": 1.0, "load 1": 0.5}, "r=1"),
            b"system_stats,host=web\\ 1,run=r\\=1,source=0 cpu=2.5,mem=3.0,swap=1.0,load\\ 1=0.5 8",
        ),
        (Sample(1, 2.5, 3.0, fields={}), b"system_stats cpu=2.5,mem=3.0 1000000000"),
        (
            Sample(1, 2.5, 3.0, fields={"a:b": 1.0, "c}": 2.0}),
            b"system_stats cpu=2.5,mem=3.0,a:b=1.0,c}=2.0 " + b"1" + b"0" * 9,
        ),
        (
            Sample(1, 2.5, 3.0, 8, "h", 0, 5, tags={"az": "1", "role": "db", "rz": "", "zone": "a b", "s t": "="}),
            b"system_stats,az=1,host=h,role=db,s\\ t=\\=,source=0,zone=a\\ b cpu=2.5,mem=3.0 8",
        ),
        (Sample(1, 2.5, 3.0, tags={"rack": "7"}, run="r"), b"system_stats,rack=7,run=r cpu=2.5,mem=3.0 1000000000"),
    ],
)
def test_a_line_is_written_as_the_format_says(sample: Sample, line: bytes) -> None:
    """The bytes of a few lines, as a person would write them; source 0 is a source, seq is not stored."""
    assert line == written(sample)


@pytest.mark.parametrize(
    ("own", "default", "expected"),
    [
        ("mine", "theirs", {"run": "mine"}),
        ("", "theirs", {"run": "theirs"}),
        ("mine", "", {"run": "mine"}),
        ("", "", {}),
    ],
)
def test_the_run_of_a_message_beats_the_encoders(own: str, default: str, expected: dict[str, str]) -> None:
    """A message keeps the run it names; only one that names none takes the consumer's."""
    sample = Sample(1, 2.5, 3.0, run=own)
    assert expected == tags(sample, default)
    assert expected == DIALECTS["by-previous"].read(written(sample, default)).tags


@PROPERTY
@given(SAMPLES, NAMES)
def test_tags_are_what_a_line_carries(sample: Sample, run: str) -> None:
    """`tags` gives other encoders the very tags of our own lines, sorted."""
    expected = DIALECTS["by-previous"].read(written(sample, run)).tags
    assert list(expected.items()) == list(tags(sample, run).items())


@PROPERTY
@given(st.lists(SAMPLES, max_size=5), st.data())
def test_remembering_series_changes_no_line(pool: list[Sample], data: st.DataObject) -> None:
    """An encoder that has seen much gives the lines of a fresh one, in the order of the samples."""
    samples = data.draw(st.lists(st.sampled_from(pool), max_size=20)) if pool else []
    encoder = LineEncoder("r")
    lines = encoder(samples[:7]) + encoder(samples[7:])
    assert [written(sample, "r").decode() for sample in samples] == lines


def test_series_that_differ_in_one_part_are_told_apart() -> None:
    """Host, source and run each make a series of their own in the memory of the encoder."""
    keys = [("a", 1, "r"), ("a", 2, "r"), ("a", None, "r"), ("b", 1, "r"), ("a", 1, "s"), ("a", 1, ""), ("", 1, "r")]
    samples = [Sample(1, 2.5, 3.0, host=host, source=source, run=run) for host, source, run in keys]
    samples += [Sample(1, 2.5, 3.0, host="a", source=1, tags=tags) for tags in ({"t": "1"}, {"t": "2"}, {"u": "1"})]
    assert [written(sample, "x").decode() for sample in samples] == LineEncoder("x")(samples * 2)[len(samples) :]


def test_a_hosts_readings_and_its_agents_health_are_told_apart() -> None:
    """Of one host, in one read and in any order, each message goes under its own measurement."""
    samples = [Sample(1, 2.5, 3.0, host="h"), Sample(1, 2.5, 3.0, host="h", measurement=AGENT)] * 2
    lines = [line.partition(",")[0] for line in LineEncoder("r")(samples)]
    assert ["system_stats", AGENT] * 2 == lines


def test_a_flood_of_names_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is remembered of series and tags stays within its room, however long and odd they are, and lines right."""
    monkeypatch.setattr(lineprotocol, "ROOM", 1_000_000)
    encoder = LineEncoder()

    def flood(numbers: range) -> list[Sample]:
        hosts = [f"{'é☃😀'[n % 3] * (n % 255)}{n}" for n in numbers]
        return [Sample(1, 2.5, 3.0, host=host, run=host[:99], tags={f"t{n}": "v"}) for n, host in enumerate(hosts)]

    encoder(flood(range(500)))
    tracemalloc.start()
    for start in range(0, 8_000, 500):
        samples = flood(range(start, start + 500))
        assert written(samples[-1]).decode() == encoder(samples)[-1]
    del samples
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert held < 2_000_000
    assert [written(Sample(1, 2.5, 3.0, host="h0")).decode()] == encoder([Sample(1, 2.5, 3.0, host="h0")])


@PROPERTY
@given(st.lists(st.builds(Sample, timestamp=st.just(1), cpu=FINITE, mem=FINITE, fields=st.none() | FIELDS), max_size=6))
def test_further_fields_are_written_alike_in_any_company(samples: list[Sample]) -> None:
    """Fields with plain names, rewritten from JSON, say what those of a single odd one say, text by text."""
    plain = {name: value for s in samples for name, value in (s.fields or {}).items() if name.isalnum()}
    every = [*samples, Sample(1, 0.0, 0.0, fields=plain)]
    together = [DIALECTS["by-pairs"].read(line.encode()) for line in LineEncoder()(every)]
    assert list(map(meant, every)) == together
    assert meant(every[-1]) == DIALECTS["by-pairs"].read(written(every[-1]))


def test_no_samples_are_no_lines() -> None:
    """An empty batch is an empty list."""
    assert LineEncoder()([]) == []
