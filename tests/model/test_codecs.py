"""Codecs: both decoders give one answer, and what is no message is rejected by name, never a crash."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.choices import DECODERS

from sentinel.model import codecs
from sentinel.model.codecs import CODECS, MAX_PAYLOAD, Decoder, Rejected
from sentinel.model.sample import AGENT, RESERVED_FIELDS, RESERVED_TAGS, Sample, columns, validation_error

PROPERTY = settings(deadline=None, max_examples=100, derandomize=True)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.just("é" * 255)
FIELDS = st.dictionaries(NAMES.filter(lambda name: name and name not in RESERVED_FIELDS), FINITE, max_size=4)
SECONDS = st.integers(0, 9_223_372_036)
NANOSECONDS = st.integers(0, 2**63 - 2)
NUMBERS = st.integers(0, 2**32 - 1)

PLAIN = st.builds(Sample, timestamp=SECONDS, cpu=FINITE, mem=FINITE, sent=NANOSECONDS)
TRACED = st.builds(Sample, timestamp=SECONDS, cpu=FINITE, mem=FINITE, sent=NANOSECONDS, source=NUMBERS, seq=NUMBERS)
FULL = st.builds(
    Sample,
    timestamp=SECONDS,
    cpu=FINITE,
    mem=FINITE,
    sent=NANOSECONDS,
    host=NAMES,
    source=st.none() | NUMBERS,
    seq=st.none() | NUMBERS,
    fields=st.none() | FIELDS,
    run=NAMES,
    measurement=st.none() | st.just(AGENT),
    tags=st.none() | st.dictionaries(NAMES.filter(lambda name: name and name not in RESERVED_TAGS), NAMES, max_size=3),
).filter(lambda sample: validation_error(sample) is None)

ORIGINAL_JSON = b'{"timestamp":1722500000,"cpu_usage":12.5,"mem_usage":43.25,"send_time_unix_nano":1722500000123456789}'
ORIGINAL_BINARY = bytes.fromhex("a043ab6600000000 0000000000002940 0000000000a04540 150df8b89f8ce717")


def message(**changes: Any) -> bytes:
    """A sound JSON message with keys replaced or added (None drops one)."""
    record = {"timestamp": 1, "cpu_usage": 2.5, "mem_usage": 3.5} | changes
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode()


def with_text(key: str, value: str) -> bytes:
    """A sound JSON message but for one value, given as JSON text."""
    return message(**{key: "VALUE"}).replace(b'"VALUE"', value.encode())


def whole(decoder: Decoder, payloads: list[bytes]) -> tuple[list[Sample], list[Rejected]]:
    """What the decoder makes of a read, whose columns are always those of its samples."""
    samples, rejected, known = decoder(payloads)
    assert known == columns(samples)
    return samples, rejected


def one_by_one(decoder: Decoder, payloads: list[bytes]) -> tuple[list[Sample], list[Rejected]]:
    """What the decoder answers when every payload comes in a read of its own."""
    samples, rejected = [], []
    for position, payload in enumerate(payloads):
        first, none = whole(decoder, [payload])
        samples += first
        rejected += [Rejected(position, r.reason, r.detail) for r in none]
    return samples, rejected


@pytest.fixture(params=DECODERS)
def decoder(request: pytest.FixtureRequest) -> Decoder:
    """Each decoder."""
    return DECODERS[request.param]


def refusal(decoder: Decoder, payload: bytes) -> Rejected:
    """The rejection of a payload in a read between two sound ones."""
    samples, rejected = whole(decoder, [ORIGINAL_JSON, payload, ORIGINAL_JSON])
    assert len(samples) == 2
    (only,) = rejected
    assert only.position == 1
    assert whole(decoder, [payload]) == ([], [Rejected(0, only.reason, only.detail)])
    return only


# Sound messages


ROWS = st.tuples(st.integers(0, 2**40), st.floats(), st.floats(), st.integers(0, 2**62), NUMBERS, NUMBERS)


@PROPERTY
@given(st.lists(ROWS, min_size=1))
def test_binary_columns_do_not_depend_on_the_machine(rows: list[tuple[Any, ...]]) -> None:
    """Read through views, or unpacked where bytes are in another order: the same values of the same types."""
    together = b"".join(struct.pack("<qddqII", *row) for row in rows)
    assert repr(codecs._unpacked(together)) == repr(codecs._viewed(together))


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(("codec", "samples"), [("json", FULL), ("binary", PLAIN), ("binary", TRACED)])
@PROPERTY
@given(st.data())
def test_what_was_encoded_decodes_to_the_same_sample(
    decoder: str, codec: str, samples: st.SearchStrategy[Sample], data: st.DataObject
) -> None:
    """Encoding and decoding gives back every sample exactly, a whole read at once and one by one."""
    sent = data.draw(st.lists(samples, max_size=6))
    payloads = [CODECS[codec].encode(sample) for sample in sent]
    assert (sent, []) == whole(DECODERS[decoder], payloads)
    assert (sent, []) == one_by_one(DECODERS[decoder], payloads)


@pytest.mark.parametrize("payload", [ORIGINAL_JSON, ORIGINAL_BINARY], ids=["json", "binary"])
def test_the_originals_messages_decode(decoder: Decoder, payload: bytes) -> None:
    """What a Go SentinelStream generator publishes is a sample: no host, no source, no sequence number."""
    expected = Sample(1_722_500_000, 12.5, 43.25, 1_722_500_000_123_456_789)
    assert ([expected], []) == whole(decoder, [payload])


def test_the_originals_binary_is_what_we_encode() -> None:
    """A sample that names no source is the original's 32 bytes, one that does is 40."""
    sample = Sample(1_722_500_000, 12.5, 43.25, 1_722_500_000_123_456_789)
    assert CODECS["binary"].encode(sample) == ORIGINAL_BINARY
    traced = Sample(1, 2.5, 3.5, 4, source=5, seq=6)
    assert struct.pack("<qddqII", 1, 2.5, 3.5, 4, 5, 6) == CODECS["binary"].encode(traced)


def test_unset_values_are_not_sent() -> None:
    """JSON of a sample without extensions has the original's keys and no others."""
    assert CODECS["json"].encode(Sample(1_722_500_000, 12.5, 43.25, 1_722_500_000_123_456_789)) == ORIGINAL_JSON


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (message(), Sample(1, 2.5, 3.5)),
        (message(cpu_usage=2, mem_usage=0), Sample(1, 2.0, 0.0)),
        (message(source=0, seq=0), Sample(1, 2.5, 3.5, source=0, seq=0)),
        (message(source=2**32 - 1, seq=2**32 - 1), Sample(1, 2.5, 3.5, source=2**32 - 1, seq=2**32 - 1)),
        (with_text("source", "null"), Sample(1, 2.5, 3.5)),
        (with_text("fields", "null"), Sample(1, 2.5, 3.5)),
        (with_text("tags", "null"), Sample(1, 2.5, 3.5)),
        (message(tags={"rack": "7", "é☃ ,": ""}), Sample(1, 2.5, 3.5, tags={"rack": "7", "é☃ ,": ""})),
        (message(fields={"swap": 1, "load1": 0.5}), Sample(1, 2.5, 3.5, fields={"swap": 1.0, "load1": 0.5})),
        (message(fields={"cpu_usage": 1, "cpu ": 2}), Sample(1, 2.5, 3.5, fields={"cpu_usage": 1.0, "cpu ": 2.0})),
        (message(host="é☃😀\n\0"), Sample(1, 2.5, 3.5, host="é☃😀\n\0")),
        (with_text("host", '"é☃😀"'), Sample(1, 2.5, 3.5, host="é☃😀")),
        (message(host="h" * 255), Sample(1, 2.5, 3.5, host="h" * 255)),
        (message(unknown={"a": [1, "x", None, True]}), Sample(1, 2.5, 3.5)),
        (with_text("measurement", "null"), Sample(1, 2.5, 3.5)),
        (message(measurement=AGENT, host="h"), Sample(1, 2.5, 3.5, host="h", measurement=AGENT)),
        (message(measurement=AGENT), Sample(1, 2.5, 3.5, measurement=AGENT)),
        (message(timestamp=9_223_372_036), Sample(9_223_372_036, 2.5, 3.5)),
        (message(send_time_unix_nano=2**63 - 2), Sample(1, 2.5, 3.5, sent=2**63 - 2)),
        (with_text("cpu_usage", "1e2"), Sample(1, 100.0, 3.5)),
        (with_text("cpu_usage", "18446744073709551617"), Sample(1, 2.0**64, 3.5)),
        (b" \n" + message() + b"\t\r\n ", Sample(1, 2.5, 3.5)),
        (b'{"timestamp":0,"cpu_usage":0,"mem_usage":0}', Sample(0, 0.0, 0.0)),
    ],
)
def test_sound_json_decodes(decoder: Decoder, payload: bytes, expected: Sample) -> None:
    """Whole numbers, unknown keys, blanks, escapes and the ends of every range are fine."""
    assert ([expected], []) == whole(decoder, [payload])


def test_the_shortest_message_is_longer_than_binary() -> None:
    """No valid JSON message has 32 or 40 bytes, so the length alone tells binary from JSON."""
    assert len(b'{"timestamp":0,"cpu_usage":0,"mem_usage":0}') > 40


def test_a_read_of_nothing_is_nothing(decoder: Decoder) -> None:
    """An empty read has no samples and no rejects."""
    assert whole(decoder, []) == ([], [])


# One answer

ANY_TEXT = st.text(max_size=8) | st.text(st.characters(categories=["Cs"]) | st.just("a"), max_size=3)
NOT_JSON = st.sampled_from([math.nan, math.inf, -math.inf])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | NOT_JSON | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=5,
)
KEYS = ["timestamp", "cpu_usage", "mem_usage", "send_time_unix_nano", "host", "source", "seq", "fields", "run"]
KEYS += ["measurement", "tags", "other"]


@st.composite
def odd_json(draw: st.DrawFn) -> bytes:
    """A sound message with some of its keys replaced, added or dropped; text may hold lone surrogates."""
    record = json.loads(CODECS["json"].encode(draw(FULL)))
    for key in draw(st.lists(st.just("other") | st.sampled_from(KEYS), max_size=2, unique=True)):
        record[key] = draw(JSON_VALUES)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=1)):
        record.pop(key, None)
    return json.dumps(record, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sound message cut short, or with bytes changed, added or removed."""
    payload = draw(st.sampled_from([ORIGINAL_JSON, ORIGINAL_BINARY]) | SOUND)
    if draw(st.booleans()):
        return payload[: draw(st.integers(0, len(payload)))]
    start = draw(st.integers(0, len(payload)))
    return payload[:start] + draw(st.binary(max_size=3)) + payload[start + draw(st.integers(0, 3)) :]


SOUND = st.one_of(
    FULL.map(CODECS["json"].encode), PLAIN.map(CODECS["binary"].encode), TRACED.map(CODECS["binary"].encode)
)
NOISE = st.binary(max_size=60) | st.binary(min_size=32, max_size=32) | st.binary(min_size=40, max_size=40)
READS = st.lists(SOUND | odd_json() | damaged() | NOISE, max_size=8)


@settings(PROPERTY, max_examples=300)
@given(READS)
def test_both_decoders_give_one_answer(payloads: list[bytes]) -> None:
    """Of any read, sound, damaged or mixed, both decoders accept the same messages and make equal samples of them."""
    plain, fast = (whole(decoder, payloads) for decoder in DECODERS.values())
    assert [r.position for r in plain[1]] == [r.position for r in fast[1]]
    assert list(map(repr, plain[0])) == list(map(repr, fast[0]))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(with_text("other", "NaN"), id="NaN under an unknown key"),
        pytest.param(with_text("other", "-Infinity"), id="infinity under an unknown key"),
        pytest.param(with_text("other", '"\\ud800"'), id="lone surrogate under an unknown key"),
        pytest.param(with_text("other", '"\\ud800\\u0041"'), id="half a pair under an unknown key"),
        pytest.param(message(other="X").replace(b"X", b"\xff"), id="invalid UTF-8 under an unknown key"),
        pytest.param(message(other="X").replace(b"other", b"oth\xe9r"), id="invalid UTF-8 in an unknown key"),
        pytest.param(with_text("other", '"a\x01b"'), id="control character under an unknown key"),
        pytest.param(with_text("other", "01"), id="leading zero under an unknown key"),
        pytest.param(with_text("other", "1e999"), id="overflow under an unknown key"),
        pytest.param(with_text("fields", '{"a":1,"a":2}'), id="field given twice"),
        pytest.param(with_text("host", '"a","host":"b"'), id="host given twice"),
        pytest.param(with_text("seq", "-0"), id="minus nought"),
        pytest.param(with_text("cpu_usage", "-0"), id="minus nought percent"),
        pytest.param(with_text("cpu_usage", "0.1e-400"), id="underflow"),
        pytest.param(with_text("cpu_usage", "1.7976931348623159e308"), id="just past the largest float"),
        pytest.param(with_text("cpu_usage", "9" * 308), id="largest whole number a float holds"),
    ],
)
def test_both_decoders_give_one_answer_to_the_dubious(payload: bytes) -> None:
    """Where JSON parsers are known to differ, ours do not: which decoder runs must not change what is stored."""
    plain, fast = (whole(decoder, [payload]) for decoder in DECODERS.values())
    assert (repr(plain[0]), len(plain[1])) == (repr(fast[0]), len(fast[1]))


def object_of(pairs: list[tuple[str, Any]]) -> str:
    """A JSON object of these pairs, keys that come twice as well; a value that is a list of pairs is one, too."""
    values = (object_of(value) if isinstance(value, list) else json.dumps(value) for _, value in pairs)
    return "{" + ",".join(f"{json.dumps(key)}:{value}" for (key, _), value in zip(pairs, values, strict=True)) + "}"


ODD_VALUES: list[Any] = [0, 1, -1, 2.5, 1e400, "a", "a:b", "\ud800", None, True, 2**64, AGENT, [("a", 1)]]
SOME_VALUES = st.sampled_from(ODD_VALUES)
FIELD_PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", "cpu"]), SOME_VALUES), max_size=4)
MORE_PAIRS = st.lists(st.tuples(st.sampled_from(KEYS), SOME_VALUES | FIELD_PAIRS), max_size=4)


@settings(PROPERTY, max_examples=500)
@given(MORE_PAIRS, MORE_PAIRS)
def test_both_decoders_give_one_answer_to_keys_that_come_twice(
    before: list[tuple[str, Any]], after: list[tuple[str, Any]]
) -> None:
    """The last value counts and each is checked, at the top and in further fields, whichever decoder runs."""
    sound = [("timestamp", 1), ("cpu_usage", 2.5), ("mem_usage", 3.5)]
    payload = object_of([*before, *sound, *after]).encode()
    plain, fast = (whole(decoder, [payload]) for decoder in DECODERS.values())
    assert (repr(plain[0]), len(plain[1])) == (repr(fast[0]), len(fast[1]))


@pytest.mark.parametrize("twice", ['"cpu_usage":"x",', '"fields":{"a":"x","a":1},', '"host":5,"host":"h",'])
def test_an_unsound_value_is_rejected_though_its_key_comes_again(decoder: Decoder, twice: str) -> None:
    """As type: a message is not sound because its last word is."""
    assert "type" == refusal(decoder, message().replace(b"{", b"{" + twice.encode(), 1)).reason


@pytest.mark.parametrize("decoder", DECODERS)
@PROPERTY
@given(READS)
def test_a_read_is_decoded_as_its_messages_are(decoder: str, payloads: list[bytes]) -> None:
    """A bad message changes nothing for its neighbours: a read's answer is that of its messages one by one."""
    together, single = whole(DECODERS[decoder], payloads), one_by_one(DECODERS[decoder], payloads)
    assert repr(single[0]) == repr(together[0])
    assert [(r.position, r.reason) for r in single[1]] == [(r.position, r.reason) for r in together[1]]


@pytest.mark.parametrize("decoder", DECODERS)
@PROPERTY
@given(READS)
def test_every_payload_is_a_sample_or_rejected(decoder: str, payloads: list[bytes]) -> None:
    """Samples and rejects are together as many as payloads, and the samples are those of the positions not rejected."""
    samples, rejected = whole(DECODERS[decoder], payloads)
    positions = [r.position for r in rejected]
    assert sorted(set(positions)) == positions
    assert len(payloads) == len(samples) + len(rejected)
    rest = [payload for position, payload in enumerate(payloads) if position not in positions]
    assert repr((samples, [])) == repr(whole(DECODERS[decoder], rest))


@pytest.mark.parametrize("decoder", DECODERS)
@PROPERTY
@given(READS)
def test_what_is_accepted_can_become_a_point(decoder: str, payloads: list[bytes]) -> None:
    """Every sample that gets through has finite numbers, times in range and text that UTF-8 can carry."""
    for sample in DECODERS[decoder](payloads).samples:
        numbers = [sample.cpu, sample.mem, *(sample.fields or {}).values()]
        assert all(isinstance(number, float) and math.isfinite(number) for number in numbers)
        assert 0 <= sample.time <= 2**63 - 2
        assert "".join([sample.host, sample.run, *(sample.fields or ())]).encode() is not None


# What is rejected, and what the dead letter says

BAD = {
    "empty": (b"", {"json"}, ["b''", "0 bytes", "expected a JSON object"]),
    "text": (b"hello", {"json"}, ["b'hello'", "5 bytes", "expected a JSON object"]),
    "long text": (b"x" * 500, {"json"}, ["xxx'…", "500 bytes", "expected a JSON object"]),
    "open brace": (b"{", {"json"}, ["b'{'", "expected a JSON object"]),
    "cut short": (ORIGINAL_JSON[:-1], {"json"}, ['{"timestamp":1722500000', "expected a JSON object"]),
    "trailing comma": (message()[:-1] + b",}", {"json"}, ["expected a JSON object"]),
    "two messages": (message() * 2, {"json"}, ["expected a JSON object"]),
    "single quotes": (message().replace(b'"', b"'"), {"json"}, ["expected a JSON object"]),
    "byte order mark": (b"\xef\xbb\xbf" + message(), {"json"}, [r"\xef\xbb\xbf", "expected a JSON object"]),
    "UTF-16": (message().decode().encode("utf-16"), {"json"}, ["expected a JSON object"]),
    "invalid UTF-8": (message(host="X").replace(b"X", b"\xff"), {"json"}, ["0xff", "expected a JSON object"]),
    "cut UTF-8": (message(host="X").replace(b"X", b"\xe2\x98"), {"json"}, ["expected a JSON object"]),
    "surrogate in UTF-8": (message(host="X").replace(b"X", b"\xed\xa0\x80"), {"json"}, ["expected a JSON object"]),
    "lone surrogate": (with_text("host", r'"\ud800"'), {"json"}, ["expected a JSON object"]),
    "lone surrogate in run": (with_text("run", r'"\udfff"'), {"json"}, ["expected a JSON object"]),
    "lone surrogate in a field": (with_text("fields", r'{"\ud800":1}'), {"json"}, ["expected a JSON object"]),
    "control character": (with_text("host", '"a\nb"'), {"json"}, ["expected a JSON object"]),
    "deep array": (b"[" * 100_000, {"json", "type"}, ["expected"]),
    "deep object": (b'{"a":' * 100_000, {"json"}, ['b\'{"a":', "500000 bytes", "expected a JSON object"]),
    "deep value": (with_text("other", "[" * 100_000), {"json"}, ["expected a JSON object"]),
    "array": (b"[1,2,3]", {"type"}, ["expected `object`", "array"]),
    "array of messages": (b"[" + message() + b"]", {"type"}, ["expected `object`", "array"]),
    "null": (b"null", {"type"}, ["expected `object`", "null"]),
    "number": (b"12345", {"type"}, ["expected `object`", "int"]),
    "string": (b'"hello"', {"type"}, ["expected `object`", "str"]),
    "empty object": (b"{}", {"type"}, ["missing required field", "`timestamp`"]),
    "no timestamp": (message(timestamp=None), {"type"}, ["missing required field", "`timestamp`"]),
    "no cpu": (message(cpu_usage=None), {"type"}, ["missing required field", "`cpu_usage`"]),
    "no mem": (message(mem_usage=None), {"type"}, ["missing required field", "`mem_usage`"]),
    "cpu is text": (message(cpu_usage="hot"), {"type"}, ["$.cpu_usage", "expected `float`", "str"]),
    "cpu is true": (message(cpu_usage=True), {"type"}, ["$.cpu_usage", "expected `float`", "bool"]),
    "mem is null": (with_text("mem_usage", "null"), {"type"}, ["$.mem_usage", "expected `float`", "null"]),
    "timestamp is text": (message(timestamp="1"), {"type"}, ["$.timestamp", "expected `int`", "str"]),
    "timestamp is a float": (message(timestamp=1.5), {"type"}, ["$.timestamp", "expected `int`", "float"]),
    "timestamp is negative": (message(timestamp=-1), {"type"}, ["$.timestamp", "expected `int` >= 0"]),
    "timestamp in ms": (message(timestamp=1722500000123), {"type"}, ["$.timestamp", "<= 9223372036"]),
    "timestamp is huge": (message(timestamp=10**30), {"type"}, ["$.timestamp"]),
    "timestamp of 5,000 digits": (with_text("timestamp", "9" * 5000), {"type", "json"}, []),
    "sent is past the end": (message(send_time_unix_nano=2**63 - 1), {"type"}, ["$.send_time_unix_nano", "<= 92233"]),
    "sent is negative": (message(send_time_unix_nano=-1), {"type"}, ["$.send_time_unix_nano", ">= 0"]),
    "sent is null": (with_text("send_time_unix_nano", "null"), {"type"}, ["$.send_time_unix_nano", "expected `int`"]),
    "source is negative": (message(source=-1), {"type"}, ["$.source", ">= 0"]),
    "source is too large": (message(source=2**32), {"type"}, ["$.source", "<= 4294967295"]),
    "source is a float": (message(source=1.0), {"type"}, ["$.source", "expected `int | null`", "float"]),
    "source is true": (message(source=True), {"type"}, ["$.source", "expected `int | null`", "bool"]),
    "seq is text": (message(seq="1"), {"type"}, ["$.seq", "expected `int | null`", "str"]),
    "host is a number": (message(host=1), {"type"}, ["$.host", "expected `str`", "int"]),
    "host is null": (with_text("host", "null"), {"type"}, ["$.host", "expected `str`", "null"]),
    "host is too long": (message(host="h" * 256), {"type"}, ["$.host", "length <= 255"]),
    "run is too long": (message(run="r" * 256), {"type"}, ["$.run", "length <= 255"]),
    "fields is an array": (message(fields=[1]), {"type"}, ["$.fields", "expected `object | null`", "array"]),
    "field is text": (message(fields={"swap": "x"}), {"type"}, ["$.fields", "expected `float`", "str"]),
    "field is true": (message(fields={"swap": True}), {"type"}, ["$.fields", "expected `float`", "bool"]),
    "field name is too long": (message(fields={"f" * 256: 1}), {"value"}, ["fields", "256", "length <= 255"]),
    "tags is an array": (message(tags=["a"]), {"type"}, ["$.tags", "expected `object | null`", "array"]),
    "tag is a number": (message(tags={"rack": 7}), {"type"}, ["$.tags", "expected `str`", "int"]),
    "tag is too long": (message(tags={"rack": "r" * 256}), {"type"}, ["$.tags", "length <= 255"]),
    "tag name is too long": (message(tags={"t" * 256: "x"}), {"value"}, ["tags", "256", "length <= 255"]),
    "tag name is empty": (message(tags={"": "x"}), {"value"}, ["tags: ''", "name"]),
    "tag host": (message(tags={"rack": "7", "host": "forged"}), {"value"}, ["tags: 'host'", "name"]),
    "tag run": (message(tags={"run": "forged"}), {"value"}, ["tags: 'run'", "name"]),
    "tag cpu": (message(tags={"cpu": "0"}), {"value"}, ["tags: 'cpu'", "name"]),
    "tag time": (message(tags={"time": "0"}), {"value"}, ["tags: 'time'", "name"]),
    "tag and field": (message(tags={"swap": "x"}, fields={"swap": 1}), {"value"}, ["tags: 'swap'", "name"]),
    "field name is empty": (message(fields={"": 1}), {"value"}, ["fields: ''", "name"]),
    "field cpu": (message(fields={"cpu": 1}), {"value"}, ["fields: 'cpu'", "name"]),
    "field mem": (message(fields={"swap": 1, "mem": 1}), {"value"}, ["fields: 'mem'", "name"]),
    "field time": (message(fields={"time": 1}), {"value"}, ["fields: 'time'", "name"]),
    "cpu NaN": (with_text("cpu_usage", "NaN"), {"json", "value"}, ["cpu_usage", "expected"]),
    "mem infinite": (with_text("mem_usage", "-Infinity"), {"json", "value"}, ["mem_usag", "expected"]),
    "field NaN": (with_text("fields", '{"a":NaN}'), {"json", "value"}, ["expected"]),
    "cpu overflows": (with_text("cpu_usage", "1e999"), {"type", "value"}, ["cpu_usage"]),
    "cpu overflows in digits": (with_text("cpu_usage", "9" * 400), {"type", "value"}, ["cpu_usage"]),
    "field overflows": (with_text("fields", '{"a":-1e999}'), {"type", "value"}, ["fields"]),
    "binary NaN": (struct.pack("<qddq", 1, math.nan, 3.5, 4), {"value"}, ["cpu_usage=nan", "expected finite"]),
    "binary infinite": (struct.pack("<qddq", 1, 2.5, math.inf, 4), {"value"}, ["mem_usage=inf", "expected finite"]),
    "traced NaN": (struct.pack("<qddqII", 1, 2.5, math.nan, 4, 5, 6), {"value"}, ["mem_usage=nan", "finite"]),
    "traced infinite": (struct.pack("<qddqII", 1, -math.inf, 3.5, 4, 5, 6), {"value"}, ["cpu_usage=-inf", "finite"]),
    "binary before 1970": (struct.pack("<qddq", -1, 2.5, 3.5, 4), {"value"}, ["timestamp=-1", "expected times"]),
    "binary past the end": (struct.pack("<qddq", 2**40, 2.5, 3.5, 4), {"value"}, ["timestamp=1099511627776"]),
    "traced sent -5": (struct.pack("<qddqII", 1, 2.5, 3.5, -5, 5, 6), {"value"}, ["send_time_unix_nano=-5"]),
    "traced sent too late": (struct.pack("<qddqII", 1, 2.5, 3.5, 2**63 - 1, 5, 6), {"value"}, ["=9223372036854775807"]),
    "measurement of the hosts": (message(measurement="system_stats", host="h"), {"type"}, ["$.measurement"]),
    "forged measurement": (message(measurement="sentinel_consumer", host="h"), {"type"}, ["$.measurement"]),
    "measurement, a line": (message(measurement="m,a=b c=1 1\nx", host="h"), {"type"}, ["$.measurement"]),
    "measurement no text": (message(measurement=["sentinel_agent"], host="h"), {"type"}, ["$.measurement"]),
    "measurement empty": (message(measurement="", host="h"), {"type"}, ["$.measurement"]),
    "health of no host": (message(measurement=AGENT, fields={"sent": 1}), {"value"}, ["sentinel_agent", "host"]),
    "binary cut short": (ORIGINAL_BINARY[:31], {"json"}, ["31 bytes", "expected a JSON object"]),
    "binary a byte long": (ORIGINAL_BINARY + b"\0", {"json"}, ["33 bytes", "expected a JSON object"]),
    "traced cut short": (struct.pack("<qddqII", 1, 2.5, 3.5, 4, 5, 6)[:39], {"json"}, ["39 bytes"]),
    "text of 32 bytes": (b'{"timestamp":1,"cpu_usage":1.23}', {"value"}, ["timestamp=", "expected times"]),
    "10 MB": (b"x" * (10 << 20), {"size"}, ["10,485,760 bytes", "expected at most 1,048,576"]),
    "10 MB of JSON": (message(host="h" * (10 << 20)), {"size"}, ["expected at most 1,048,576"]),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_message_is_rejected_with_its_reason(decoder: Decoder, bad: str) -> None:
    """Each has a reason to be counted by, and a detail that says where, and what was expected."""
    payload, reasons, fragments = BAD[bad]
    rejected = refusal(decoder, payload)
    assert rejected.reason in reasons
    assert [fragment for fragment in fragments if fragment.lower() not in rejected.detail.lower()] == []
    assert len(rejected.detail) < 1000


@pytest.mark.parametrize(
    ("changes", "value"),
    [
        ({"cpu_usage": "hot"}, '"hot"'),
        ({"timestamp": -77}, "-77"),
        ({"timestamp": 1722500000123}, "1722500000123"),
        ({"mem_usage": True}, "true"),
        ({"source": 4294967299}, "4294967299"),
        ({"fields": {"swap": "full"}}, '"full"'),
    ],
)
def test_a_wrong_type_is_rejected_with_its_value(decoder: Decoder, changes: dict[str, Any], value: str) -> None:
    """The detail shows the value as it came, as `Rejected.detail` promises."""
    assert value in refusal(decoder, message(**changes)).detail


@pytest.mark.parametrize("length", [MAX_PAYLOAD, MAX_PAYLOAD + 1])
def test_the_size_limit_is_exact(decoder: Decoder, length: int) -> None:
    """A payload of MAX_PAYLOAD bytes is read; one byte more is rejected unread."""
    payload = message() + b" " * (length - len(message()))
    samples, rejected = whole(decoder, [payload])
    assert (length <= MAX_PAYLOAD) == bool(samples)
    assert ["size"] * (1 - len(samples)) == [r.reason for r in rejected]


@pytest.mark.parametrize("bad", ["binary NaN", "traced NaN", "cpu NaN", "empty", "10 MB", "array", "lone surrogate"])
@pytest.mark.parametrize("good", [ORIGINAL_JSON, ORIGINAL_BINARY, struct.pack("<qddqII", 1, 2.5, 3.5, 4, 5, 6)])
@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_bad_message_spoils_no_other(decoder: Decoder, bad: str, good: bytes, place: int) -> None:
    """Wherever it stands in a read, and whatever kind its neighbours are, only the bad message is rejected."""
    payloads = [good] * 4
    payloads.insert(place, BAD[bad][0])
    samples, rejected = whole(decoder, payloads)
    assert decoder([good]).samples * 4 == samples
    assert [place] == [r.position for r in rejected]


def test_finite_numbers_whose_sum_is_not_are_accepted(decoder: Decoder) -> None:
    """A quick check on sums must not reject a read of large but finite numbers."""
    payloads = [struct.pack("<qddqII", 1, 1.7e308, 1.7e308, 4, 5, 6)] * 3
    assert len(decoder(payloads)[0]) == 3


def test_opposite_infinities_do_not_hide_each_other(decoder: Decoder) -> None:
    """Infinities that cancel in a sum are rejected all the same."""
    payloads = [struct.pack("<qddqII", 1, infinity, 3.5, 4, 5, 6) for infinity in (math.inf, -math.inf)]
    assert [r.position for r in decoder(payloads)[1]] == [0, 1]


@pytest.mark.parametrize("names", [DECODERS, CODECS])
def test_everything_is_known_by_its_own_name(names: dict[str, Any]) -> None:
    """What a run records leads back to the same decoder or codec."""
    assert list(names) == [thing.name for thing in names.values()]
