"""A mask: the same form and cost, no name, no value, and as many sources as before."""

from __future__ import annotations

import json
import re
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recordings import AT, contents, message, recording

from sentinel.errors import RecordingError
from sentinel.model.codecs import MSGSPEC
from sentinel.recording import mask as masking
from sentinel.recording.mask import Mask
from sentinel.recording.rewriting import masked

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
VALUES = st.floats(allow_nan=False, allow_infinity=False)


def parsed(payload: bytes | None) -> dict[str, Any]:
    """A message's members; numbers as they are written."""
    assert payload is not None
    return dict(json.loads(payload, parse_float=str, parse_int=str))


def test_names_and_values_are_replaced_and_nothing_else() -> None:
    """Host, run, tags, fields and readings change; keys, times and numbers of sources and messages do not."""
    given = {"host": "db-7.example.org", "source": 3, "seq": 12, "run": "secret", "fields": {"load": 0.25, "n": 1200}}
    original = message(**given, tags={"rack": "r12", "note": ""}, more=[1.5, {"deep": "x9"}], flag=True)
    after = parsed(Mask()(original))
    before = parsed(original)
    kept = {"timestamp", "send_time_unix_nano", "source", "seq", "flag"}
    assert {name: before[name] for name in kept} == {name: after[name] for name in kept}
    assert list(before) == list(after)
    assert "host-0001" == after["host"]
    assert [] == [text for text in ("db-7", "secret", "r12", "x9", "12.5", "61.25") if text in json.dumps(after)]
    assert ("0.", "", 4) == (after["fields"]["load"][:2], after["tags"]["note"], len(after["fields"]["n"]))


def test_a_message_with_blanks_and_escapes_keeps_its_length() -> None:
    """Only a host's name has another length: all else costs as much to read as before."""
    spaced = json.dumps({"timestamp": 1, "cpu_usage": -1.50e-3, "mem_usage": 0.0, "run": 'a "q" \\ ü', "fields": {}})
    after = Mask()(spaced.encode())
    assert after is not None
    assert len(spaced.encode()) == len(after)
    assert b'"mem_usage": 0.0' in after
    assert re.search(rb'"cpu_usage": -0\.00\d[1-9],', after) or re.search(rb'"cpu_usage": -0\.00\d+,', after)


@given(st.lists(st.tuples(NAMES, VALUES, VALUES), min_size=1, max_size=8))
def test_a_mask_keeps_sources_apart_and_together(rows: list[tuple[str, float, float]]) -> None:
    """Whatever the names: as many sources as before, each still one, and every masked message is sound."""
    originals = [message(host=name[:255], cpu_usage=cpu, mem_usage=mem) for name, cpu, mem in rows]
    mask = Mask()
    replaced = [mask(payload) for payload in originals]
    pairs = {(name[:255], parsed(after)["host"]) for (name, *_), after in zip(rows, replaced, strict=True)}
    assert len({name for name, _ in pairs}) == len(pairs) == len({after for _, after in pairs})
    decoded = MSGSPEC([after for after in replaced if after is not None])
    assert ([], len(rows)) == (decoded.rejected, len(decoded.samples))
    for (_, cpu, mem), sample in zip(rows, decoded.samples, strict=True):
        for before, after in ((cpu, sample.cpu), (mem, sample.mem)):
            assert (before == 0) == (after == 0)
            assert (before < 0) == (after < 0) or before == 0


@given(VALUES)
def test_a_number_keeps_sign_magnitude_and_digits(value: float) -> None:
    """As text: every character but the digits stays, and the first digit that counts is in its place."""
    text = repr(value)
    after = Mask()._number(text.encode()).decode()
    mantissa, _, exponent = text.partition("e")
    other, _, same = after.partition("e")
    assert (exponent, re.sub(r"\d", "0", mantissa)) == (same, re.sub(r"\d", "0", other))
    first = re.search(r"[1-9]", mantissa)
    assert (first and first.start()) == ((again := re.search(r"[1-9]", other)) and again.start())


def test_a_number_beyond_doubles_is_masked_too() -> None:
    """Under a key that no decoder looks at there may be any: it neither hangs nor stays."""
    payload = message()[:-1] + b',"x":1e999,"y":' + b"9" * 400 + b"}"
    after = Mask()(payload)
    assert after is not None
    assert len(payload) == len(after)
    assert b"9" * 50 not in after


def test_a_binary_message_is_masked_in_place() -> None:
    """Readings change, with as many digits; time, source and number stay."""
    original = struct.pack("<qddqII", AT // 10**9, 43.21, 0.0, AT, 7, 3)
    after = Mask()(original)
    assert after is not None
    second, cpu, mem, *others = struct.unpack("<qddqII", after)
    assert (AT // 10**9, 0.0, [AT, 7, 3]) == (second, mem, others)
    assert cpu != 43.21
    assert re.fullmatch(r"[1-9]\d\.\d[1-9]", repr(cpu))


def test_a_name_is_the_same_however_it_is_written() -> None:
    """An escape in JSON does not make two sources of one."""
    usual = message(host="café")
    escaped = usual.replace("é".encode(), rb"\u00e9")
    mask = Mask()
    assert parsed(mask(usual))["host"] == parsed(mask(escaped))["host"] == "host-0001"


@pytest.mark.parametrize("payload", [b"", b"no JSON", b'{"host": "secret"}', b'{"timestamp": 1', b"x" * 32])
def test_what_is_no_message_is_not_passed_on(payload: bytes) -> None:
    """Nobody can tell what in it is a name."""
    assert Mask()(payload) is None or len(payload) == 32


def test_a_mask_that_would_join_two_sources_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are 36 texts of one letter, and a bound on names: beyond either it says so, and writes nothing."""
    path = recording(tmp_path / "a.rec", [message(run=chr(0x4E00 + n), host="h") for n in range(36)])
    assert 36 == masked(path, tmp_path / "ok.rec").messages  # three bytes each, of which there are enough
    letters = [message(run=chr(33 + n), host="h") for n in range(60) if chr(33 + n) not in '"\\']
    path = recording(tmp_path / "b.rec", letters)
    with pytest.raises(RecordingError, match="the mask would join two sources: 'run' has more values of 1 characters"):
        masked(path, tmp_path / "out.rec")
    monkeypatch.setattr(masking, "MOST_NAMES", 10)
    path = recording(tmp_path / "c.rec", [message(host=f"h{n}") for n in range(11)])
    with pytest.raises(RecordingError, match="the mask would join two sources: it keeps 10 names apart, no more"):
        masked(path, tmp_path / "out.rec")
    assert not list(tmp_path.glob("out*"))


def test_a_file_masked_twice_gives_the_same(tmp_path: Path) -> None:
    """Times stay, messages of another form are left out and counted, and the mask depends on nothing but the file."""
    payloads = [message(host=f"web-{n % 3}", cpu_usage=n / 7) for n in range(20)]
    path = recording(tmp_path / "a.rec", [*payloads[:10], b"foreign", *payloads[10:]])
    trailers = [masked(path, tmp_path / name) for name in ("x.rec", "y.rec")]
    assert [(20, 1), (20, 1)] == [(trailer.messages, trailer.left_out) for trailer in trailers]
    assert contents(tmp_path / "x.rec") == contents(tmp_path / "y.rec")
    times = contents(path)[0]
    assert [*times[:10], *times[11:]] == contents(tmp_path / "x.rec")[0]
    assert b"web" not in b"".join(contents(tmp_path / "x.rec")[1])
