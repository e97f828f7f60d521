"""runs/index.html: every run, also a damaged one, is text on one page that is replaced whole."""

from __future__ import annotations

import json
import shutil
import threading
from typing import TYPE_CHECKING, Any

import pytest
from support.commandline import assert_one_line
from support.histories import MACHINE, many, written
from support.pages import Reader

from sentinel.lab.index import page as pages
from sentinel.lab.index import refresh as writing
from sentinel.lab.index.refresh import FILE, refresh, write
from sentinel.lab.run.listing import entries
from sentinel.lab.run.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commandline import Result

HOSTILE = """</script><script>alert(1)</script><img src=x onerror=alert(1)>"&'"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with ten runs."""
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path)
    many(tmp_path, [300_000.0] * 10)
    return tmp_path


def damaged(place: Path, name: str = "20990101T000000Z-benchmark-0000") -> Path:
    """A folder whose record is cut off."""
    folder = place / "runs" / name
    folder.mkdir()
    (folder / "run.json").write_text('{"format": 2, "id"', encoding="utf-8")
    return folder


def taken_apart(place: Path) -> Reader:
    """The page as it was written; it must be well-formed."""
    text = write(place).read_text(encoding="utf-8")
    reader = Reader(text)
    assert [] == reader.wrong
    return reader


def rows(reader: Reader) -> list[dict[str, str | None]]:
    """The attributes of the table's rows."""
    return [attributes for tag, attributes in reader.tags if tag == "tr" and "data-state" in attributes]


def test_every_run_has_its_row_and_ten_weigh_little(place: Path) -> None:
    """The newest first, under a megabyte, with what tells them apart and how figures moved."""
    reader = taken_apart(place)
    assert (place / "runs" / FILE).stat().st_size < 1_000_000
    assert [{"data-notebook": "benchmark", "data-state": "finished"}] * 10 == rows(reader)
    assert reader.text.index("2026-01-10 12:00") < reader.text.index("2026-01-01 12:00")
    for expected in ("Redis 7.0 and InfluxDB 1.6", "CONFIGURATIONS=", "300,000", "0 of 12", "10 comparable"):
        assert expected in reader.text


def test_it_links_to_what_is_there(place: Path) -> None:
    """Page, record and profiles by relative links; what is not there has none."""
    (run, *_) = [Run(entry.folder.name, place) for entry in entries(place)]
    run.report.touch()
    run.profiles.mkdir(parents=True)
    (run.profiles / "optimised cpu.svg").touch()
    links = [attributes["href"] or "" for tag, attributes in taken_apart(place).tags if tag == "a"]
    own = {link for link in links if run.id in link}
    assert {f"{run.id}/report.html", f"{run.id}/run.json", f"../profiles/{run.id}/optimised%20cpu.svg"} == own
    assert 10 == sum(link.endswith("run.json") for link in links)


def test_a_damaged_run_has_its_row_and_one_line(place: Path) -> None:
    """It is named with its state and what is wrong, without this machine's path."""
    folder = damaged(place)
    reader = taken_apart(place)
    assert {"data-state": "damaged"} == rows(reader)[0]
    assert f"runs/{folder.name}/run.json is damaged: it is no JSON" in reader.text
    assert "1 of them cannot be read" in reader.text
    assert str(place) not in (place / "runs" / FILE).read_text(encoding="utf-8")


def test_a_copy_says_whose_it_is(place: Path) -> None:
    """A folder that holds the record of another has its row, and counts once in the figures."""
    (original, *_) = entries(place)
    shutil.copytree(original.folder, place / "runs" / "copied")
    reader = taken_apart(place)
    assert 11 == len(rows(reader))
    assert f"copy of {original.folder.name}" in reader.text
    assert "10 comparable runs of 10" in reader.text


def test_whatever_a_record_holds_is_text(place: Path) -> None:
    """Names, parameters, commits and reasons that look like markup stay what they look like, and long ones are cut."""
    sections: dict[str, Any] = {
        "notebook": HOSTILE,
        "created": HOSTILE,
        "state": HOSTILE,
        "why": HOSTILE,
        "parameters": {HOSTILE: HOSTILE, "LONG": "x" * 1_000_000},
        "machine": MACHINE | {"git": {"commit": HOSTILE, "dirty": True, "changed": []}, "cpu_model": HOSTILE},
        "stack": {"kind": HOSTILE, "label": HOSTILE, "bus": HOSTILE},
        "answer": {"verdicts": {HOSTILE: {"word": HOSTILE}}},
    }
    written(place, 11, **sections)
    written(place, 12, **sections | {"state": "finished"})
    damaged(place, HOSTILE.replace("/", ":"))
    damaged(place, b"not utf-8 \xff".decode(errors="surrogateescape"))
    reader = taken_apart(place)
    assert 1 == sum(tag == "script" for tag, _ in reader.tags)
    assert [] == [tag for tag, attributes in reader.tags if tag == "img" or "onerror" in attributes]
    assert HOSTILE in " ".join(reader.words)
    assert (place / "runs" / FILE).stat().st_size < 1_000_000


def test_it_is_no_run(place: Path, sentinel: Callable[..., Result]) -> None:
    """Neither the list nor a look-up takes the page for one."""
    write(place)
    assert 10 == len(json.loads(sentinel("runs", "--json").out))
    for text in ("runs/index.html", "index.html"):
        assert_one_line(sentinel("report", text), "no run", "`sentinel runs` lists them")


def test_by_hand_it_says_where_it_is(place: Path, sentinel: Callable[..., Result]) -> None:
    """`sentinel index` prints the page's path; where there is no run it says so, and writes nothing."""
    assert (0, f"{place / 'runs' / FILE}\n", "") == sentinel("index")
    empty = place / "empty"
    (empty / "notebooks").mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(empty)
        assert_one_line(sentinel("index"), f"no runs in {empty / 'runs'}", "`make benchmark` makes one")
    assert not (empty / "runs").exists()


def test_no_run_fails_of_it(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong is one line that says what to do; what was there stays, and nothing is left beside it."""
    before = write(place).read_bytes()

    def broken(_: object) -> str:
        raise ValueError("out of order")

    monkeypatch.setattr(pages, "page", broken)
    refresh(place)
    expected_text = "runs/index.html is not up to date (out of order); `sentinel index` writes it anew\n"
    assert expected_text == capsys.readouterr().err
    assert before == (place / "runs" / FILE).read_bytes()
    assert [] == [path for path in (place / "runs").iterdir() if path.name.startswith(".")]
    refresh(place / "nowhere")
    assert "no runs in" in capsys.readouterr().err


def test_the_last_of_two_at_once_knows_of_both(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one is being written another waits: no page that was made of less replaces one that was made of more."""
    whole, began, go_on = pages.page, threading.Event(), threading.Event()

    def slow(listed: Any) -> str:
        began.set()
        assert go_on.wait(20)
        return whole(listed)

    monkeypatch.setattr(pages, "page", slow)
    first = threading.Thread(target=write, args=[place])
    first.start()
    assert began.wait(20)
    written(place, 20)
    monkeypatch.setattr(pages, "page", whole)
    second = threading.Thread(target=write, args=[place])
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert 11 == len(rows(Reader((place / "runs" / FILE).read_text(encoding="utf-8"))))


def test_a_stopped_process_is_not_waited_for(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds the lock for ever keeps no run from ending."""
    monkeypatch.setattr(writing, "PATIENCE", 0.05)
    with writing._alone(place / "runs"):
        assert write(place).exists()


@pytest.fixture
def counted_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Which folders of trials are looked into."""
    looked: list[Path] = []
    monkeypatch.setattr(Run, "trial_folder", lambda run, number: looked.append(run.folder / str(number)))
    return looked


def test_the_records_suffice(place: Path, counted_reads: list[Path]) -> None:
    """No trial's folder is opened for it: fifty runs cost as many records."""
    write(place)
    assert [] == counted_reads
