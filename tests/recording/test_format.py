"""The file format: what goes in comes out, and nothing that is missing, added or changed goes unnoticed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.recordings import AT, contents, message, recording

from sentinel.errors import RecordingError
from sentinel.recording import format as layout
from sentinel.recording.format import Block, packed, unpacked
from sentinel.recording.reader import Reader

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES = st.lists(st.tuples(st.integers(0, 2**40), st.binary(max_size=300)), min_size=1, max_size=40)


@given(MESSAGES, st.integers(0, 2**62))
def test_a_block_comes_out_as_it_went_in(messages: list[tuple[int, bytes]], first: int) -> None:
    """Times and payloads of any bytes survive, in their order."""
    times = sorted(first + step for step, _ in messages)
    block = Block(times, [payload for _, payload in messages])
    assert block == unpacked(packed(block))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of three blocks."""
    payloads = [message(host=f"h{n}", seq=n) for n in range(25)] + [b"", b"\x00\xff no JSON"]
    return recording(tmp_path_factory.mktemp("whole") / "whole.rec", payloads, block=10)


def test_a_recording_comes_out_as_it_went_in(whole: Path) -> None:
    """Over several blocks, with the counts of the trailer."""
    times, payloads = contents(whole)
    assert [AT + 10_000_000 * n for n in range(27)] == times
    assert (message(host="h0", seq=0), b"", b"\x00\xff no JSON") == (payloads[0], *payloads[-2:])
    with Reader(whole) as reader:
        list(reader.blocks())
    assert reader.trailer is not None
    assert (27, sum(map(len, payloads)), 3) == (reader.trailer.messages, reader.trailer.size, reader.trailer.blocks)


def refusal(path: Path) -> str:
    """Why a file is refused; empty where it is read to its end."""
    try:
        contents(path)
    except RecordingError as error:
        return str(error)
    return ""


def test_every_cut_is_noticed(whole: Path, tmp_path: Path) -> None:
    """Whatever is missing at the end, be it a byte, the trailer, or all."""
    data, cut = whole.read_bytes(), tmp_path / "cut.rec"
    unnoticed = []
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        if not refusal(cut):
            unnoticed.append(length)
    assert [] == unnoticed


@given(st.data())
@settings(max_examples=150)
def test_every_change_is_noticed(whole: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """A byte changed, bytes taken out, put in or put elsewhere: none is read as if nothing had happened."""
    original = whole.read_bytes()
    start = data.draw(st.integers(0, len(original) - 1))
    end = data.draw(st.integers(start, len(original)))
    instead = data.draw(st.binary(max_size=20))
    changed = original[:start] + instead + original[end:]
    path = tmp_path_factory.getbasetemp() / "changed.rec"
    path.write_bytes(changed)
    assert changed == original or refusal(path)


def test_frames_out_of_their_place_are_noticed(whole: Path, tmp_path: Path) -> None:
    """A whole block that is missing, or comes twice, breaks the chain of checksums."""
    data, frames, start = whole.read_bytes(), list[bytes](), len(layout.beginning())
    while start < len(data):
        _, size, _ = layout.FRAME.unpack_from(data, start)
        frames.append(data[start : start + layout.FRAME.size + size])
        start += len(frames[-1])
    head, earlier, other, last, tail = frames
    moved = tmp_path / "moved.rec"
    for order in ([head, other, earlier, last, tail], [head, earlier, last, tail], [head, *frames]):
        moved.write_bytes(layout.beginning() + b"".join(order))
        assert "is damaged" in refusal(moved)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: expected a recording, as `sentinel record` makes them"),
        (b"PK\x03\x04 a zip", "is no recording: expected a recording, as `sentinel record` makes them"),
        (b"{}", "is no recording"),
        (layout.MAGIC + b"\x02\x00", "is a recording of version 2: this program reads 1, so a newer one is needed"),
        (layout.MAGIC + b"\x00\x00", "is a recording of version 0: this program reads 1"),
        (layout.MAGIC[:5], "is cut off or damaged in its header: nothing of it is whole"),
        (layout.beginning(), "is cut off or damaged in its header: nothing of it is whole"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    """An empty file, another program's, or a newer version's: the refusal says which."""
    path = tmp_path / "odd.rec"
    path.write_bytes(content)
    assert words in refusal(path)


def test_a_refusal_names_the_last_whole_block(whole: Path, tmp_path: Path) -> None:
    """What is whole of a cut file can be had, and the refusal says how much that is and how."""
    cut = tmp_path / "cut.rec"
    cut.write_bytes(whole.read_bytes()[:-150])
    assert "is cut off behind block 2, the last whole one (20 messages up to there): `sentinel record --repair" in (
        refusal(cut)
    )


def test_a_length_that_would_fill_the_memory_is_refused() -> None:
    """Neither a block's own word for its size nor what is packed in it is believed beyond the largest block."""
    bomb = zlib.compress(bytes(layout.LARGEST + 1))
    for size in (layout.LARGEST + 1, 100):
        with pytest.raises(ValueError, match=r"bytes|length"):
            unpacked(layout._BLOCK.pack(0, 1, size) + bomb)
