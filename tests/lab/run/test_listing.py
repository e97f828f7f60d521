"""Listing: every folder under `runs/` has a line, whatever its record holds, and the sound ones keep their figures."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.synthetic import made

from sentinel.lab.run import run_data
from sentinel.lab.run.claim import Claim
from sentinel.lab.run.listing import entries
from sentinel.lab.run.run_data import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.commandline import Result

    from sentinel.lab.run.run import Run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run without fault, in the current checkout."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    run = made(tmp_path, repeats=1)
    run.save()
    return run


def left(sound: Run, content: bytes | None, name: str = "20990101T000000Z-benchmark-0000") -> Path:
    """A folder with this as its record."""
    folder = sound.folder.parent / name
    folder.mkdir()
    if content is not None:
        (folder / "run.json").write_bytes(content)
    return folder


FAULTS: list[tuple[bytes | None, str]] = [
    (None, "unfinished"),
    (b"", "damaged"),
    (b'{"format": 1, "id"', "damaged"),
    (b"\xff\xfe", "damaged"),
    (b"[]", "damaged"),
    (b"null", "damaged"),
    (b"[" * 100_000, "damaged"),
    (b"{}", "damaged"),
    (b'{"cells": [], "nbformat": 4}', "damaged"),
    (b'{"format": 1, "trials": [{"plan": 3}]}', "damaged"),
    (b'{"format": 0}', "older"),
    (b'{"format": "one"}', "damaged"),
    (json.dumps({"format": FORMAT + 1}).encode(), "newer"),
]


@pytest.mark.parametrize(("content", "word"), FAULTS)
def test_what_is_wrong_with_a_record_is_one_word(
    sound: Run, content: bytes | None, word: str, sentinel: Callable[..., Result]
) -> None:
    """A folder whose record cannot be read has its line, and the runs beside it keep theirs."""
    folder = left(sound, content)
    result = sentinel("runs")
    assert (0, "") == (result.code, result.err)
    head, first, second = [line.split() for line in result.out.splitlines()]
    assert ["run", "state"] == head[:2]
    assert [sound.id, "finished"] == first[:2]
    assert [folder.name, word] == second


@pytest.mark.parametrize(
    "key", ["summary", "ratios", "trials", "stack", "compared", "created", "verdict", "parameters"]
)
@pytest.mark.parametrize("value", [None, 3, "text", [{}], {"optimised": None}])
def test_no_value_ends_the_list(sound: Run, key: str, value: Any, sentinel: Callable[..., Result]) -> None:
    """Null, or anything else under any key, costs at most the figures of its own line."""
    folder = left(sound, json.dumps(sound.data.to_dict() | {key: value}).encode())
    for words in (["runs"], ["runs", "--json"]):
        result = sentinel(*words)
        assert (0, "") == (result.code, result.err)
        assert sound.id in result.out
        assert folder.name in result.out
    rest = {name: section for name, section in sound.data.to_dict().items() if name != key}
    (folder / "run.json").write_text(json.dumps(rest), encoding="utf-8")
    assert ["finished", "finished"] == [entry.state for entry in entries()]


@pytest.mark.parametrize("state", [run_data.INTERRUPTED, run_data.FAILED])
def test_a_run_that_ended_early_says_so(sound: Run, state: str, sentinel: Callable[..., Result]) -> None:
    """The state stands beside the figures of what was measured, and the reason in the JSON."""
    sound.data.add({"state": state, "why": "the disk is full"})
    sound.save()
    line = sentinel("runs").out.splitlines()[1]
    assert [sound.id, state] == line.split()[:2]
    assert "embedded" in line
    (entry,) = entries()
    assert (state, "the disk is full") == (entry.state, entry.to_dict()["problem"])


def test_a_run_under_way_is_told_from_a_killed_one(sound: Run) -> None:
    """A record that says `running` is true as long as somebody carries the run out."""
    sound.data.state = run_data.RUNNING
    sound.save()
    claim = Claim(sound)
    assert ["running"] == [entry.state for entry in entries()]
    claim.release()
    assert ["killed"] == [entry.state for entry in entries()]


def test_a_program_gets_one_array(sound: Run, sentinel: Callable[..., Result]) -> None:
    """`--json` has an object a folder, with the record's own numbers; what is not known is null."""
    folder = left(sound, b"{")
    first, second = json.loads(sentinel("runs", "--json").out)
    assert list(first) == list(second)
    kept = {name: sound.data.to_dict()[name] for name in ("notebook", "summary", "answer", "verdict")}
    known = {"id": sound.id, "folder": str(sound.folder), "state": "finished", "problem": None} | kept
    assert known == {name: first[name] for name in known}
    assert (folder.name, "damaged", None) == (second["id"], second["state"], second["summary"])
    assert str(folder / "run.json") in second["problem"]


def test_a_program_gets_figures_words_and_paths(sound: Run, sentinel: Callable[..., Result]) -> None:
    """Each figure with interval and unit, each verdict's word, which trials are invalid, and where the files are."""
    sound.data.trials[0].valid = False
    sound.data.add({"machine": {"git": {"commit": "abc", "dirty": True, "changed": []}}})
    sound.save()
    sound.report.touch()
    (entry,) = json.loads(sentinel("runs", "--json").out)
    (figure,) = [f for f in entry["figures"] if (f["column"], f["measure"]) == ("optimised", "capacity")]
    assert (figure["unit"], figure["higher"], figure["n"]) == ("msg/s", True, 1)
    assert {"value", "low", "high", "coverage", "title"} < figure.keys()
    assert {"capacity", "capacity_cpu_us"} < entry["words"].keys()
    assert (len(sound.data.trials), [0]) == (entry["trials"], entry["invalid"])
    assert (sound.data.created, "abc", True) == (entry["began"], entry["commit"], entry["dirty"])
    files = {"record": str(sound.folder / "run.json"), "page": str(sound.report), "notebook": None, "profiles": None}
    assert files == entry["paths"]


def test_every_key_for_programs_is_described(sound: Run, sentinel: Callable[..., Result]) -> None:
    """runs/README.md names each key that `--json` prints, those of a key figure among them, and no other."""
    (entry,) = json.loads(sentinel("runs", "--json").out)
    table = (ROOT / "runs" / "README.md").read_text(encoding="utf-8").partition("| key |")[2].partition("\n\n")[0]
    heads = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {name for head in heads for name in re.findall(r"`(\w+)`", head)} | {"created"}
    assert entry.keys() == named
    assert [] == [key for key in entry["figures"][0] if f"`{key}`" not in table]


def test_the_oldest_comes_first(sound: Run) -> None:
    """Records by their time, what has no record by its name, which begins with one."""
    for name in ("20200101T000000Z-sweep-0000", "20990101T000000Z-sweep-0000", "example"):
        left(sound, None, name)
    old = left(sound, json.dumps(sound.data.to_dict() | {"created": "2019-01-01T00:00:00+00:00"}).encode(), "zzz")
    names = [entry.folder.name for entry in entries()]
    assert [old.name, "20200101T000000Z-sweep-0000", sound.id, "20990101T000000Z-sweep-0000", "example"] == names


def test_no_runs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sentinel: Callable[..., Result]) -> None:
    """An empty checkout: a line with what makes one, and an empty array for programs. Files are no runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "README.md").touch()
    assert f"no runs in {tmp_path / 'runs'}: `make benchmark` makes one\n" == sentinel("runs").out
    assert [] == json.loads(sentinel("runs", "--json").out)
