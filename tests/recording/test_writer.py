"""Writing: under a temporary name, over nothing that is there, and whole on a full disk."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.recordings import AT, contents, message, recording

from sentinel.errors import RecordingError
from sentinel.recording.format import Header
from sentinel.recording.reader import Reader
from sentinel.recording.writer import BLOCK_BYTES, Writer

if TYPE_CHECKING:
    from pathlib import Path


def names(folder: Path) -> list[str]:
    """Of all files in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_it_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    """Until then it is FILE.part; afterwards nothing else is left."""
    path = tmp_path / "a.rec"
    writer = Writer(path, Header())
    writer.add([AT], [message()])
    assert ["a.rec.part"] == names(tmp_path)
    writer.close(1, "stop")
    assert ["a.rec"] == names(tmp_path)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither a file of that name, nor one that appears meanwhile, nor a recording under way."""
    path = tmp_path / "a.rec"
    writer = Writer(path, Header())
    with pytest.raises(RecordingError, match=r"a\.rec\.part is there already: another recording is under way"):
        Writer(path, Header())
    path.write_text("mine")
    with pytest.raises(RecordingError, match="is there already, and recordings are not overwritten"):
        Writer(path, Header())
    writer.add([AT], [message()])
    with pytest.raises(RecordingError, match=r"was made meanwhile by another: the recording is .*a\.rec\.part$"):
        writer.close(1, "stop")
    assert "mine" == path.read_text()
    assert ([AT], [message()]) == contents(tmp_path / "a.rec.part")


def test_memory_is_bounded(tmp_path: Path) -> None:
    """What is added is on disk once a block is full."""
    writer = Writer(tmp_path / "a.rec", Header())
    payload = random.Random(1).randbytes(BLOCK_BYTES // 4)
    for _ in range(5):
        writer.add([AT], [payload])
    assert len(payload) == writer._held
    assert writer.written > BLOCK_BYTES
    writer.discard()
    assert [] == names(tmp_path)


FILLING = """
import random, resource, sys
from pathlib import Path
from sentinel.recording.format import Header
from sentinel.recording.writer import DiskFullError, Writer
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), -1))
writer, chance = Writer(Path(sys.argv[1]), Header()), random.Random(1)
try:
    while True:
        writer.add([1], [chance.randbytes(100)])
        writer.flush()
except DiskFullError as error:
    print(error)
print(writer.close(1, "disk").messages)
"""
"""Writes until no more fits."""


@pytest.mark.parametrize("size", [2000, 2071, 2072, 2100, 2150, 2199])
def test_what_fits_on_a_full_disk_is_whole(tmp_path: Path, size: int) -> None:
    """Wherever the room ends, all blocks that were written and a trailer are there, and that is said."""
    path = tmp_path / "full.rec"
    done = subprocess.run(
        [sys.executable, "-c", FILLING, str(path), str(size)], capture_output=True, encoding="utf-8", check=True
    )
    words, messages = done.stdout.splitlines()
    assert "cannot be written on: File too large" in words
    assert int(messages) == len(contents(path)[0]) > 5
    assert path.stat().st_size <= size
    with Reader(path) as reader:
        list(reader.blocks())
    assert reader.trailer is not None
    assert "disk" == reader.trailer.ended


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One line, before anything is recorded."""
    with pytest.raises(RecordingError, match=r"nowhere/a\.rec cannot be written: No such file"):
        recording(tmp_path / "nowhere" / "a.rec", [message()])
