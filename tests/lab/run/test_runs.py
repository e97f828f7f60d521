"""Runs: records that sort by time, are written once and whole, and are refused, by path, where they cannot be read."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from support.records import record

from sentinel.errors import RunError
from sentinel.lab.run import run as runs
from sentinel.lab.run.run import Run, find, load, new_id, project_root
from sentinel.lab.run.run_data import FORMAT, OLDEST

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Stands in for `datetime`: `now` is a moment that the test sets."""

    def __init__(self, real: Any) -> None:
        self.moment = real(2026, 1, 31, 23, 59, 59, tzinfo=runs.UTC)

    def now(self, zone: Any) -> Any:
        """The moment, if asked in UTC."""
        assert zone is runs.UTC
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that run ids are made from."""
    clock = Clock(runs.datetime)
    monkeypatch.setattr(runs, "datetime", clock)
    return clock


def saved(root: Path, run_id: str, **data: Any) -> Run:
    """A run on disk."""
    run = Run(run_id, root, record(**{"notebook": "benchmark", **data})).create()
    run.save()
    return run


# -- ids -------------------------------------------------------------------------------------------------------------


def test_an_id_is_utc_time_notebook_and_four_hex_digits(clock: Clock) -> None:
    """An id tells when in UTC and what, and can be a folder's name anywhere."""
    assert re.fullmatch(r"20260131T235959Z-benchmark-[0-9a-f]{4}", new_id("benchmark"))
    assert re.fullmatch(r"[A-Za-z0-9-]+", new_id("benchmark"))


def test_ids_sort_by_time(clock: Clock) -> None:
    """Sorted as text, ids stand in the order they were made, over midnight and year's end as well."""
    made = []
    for step in (1, 59, 3600, 86_400, 86_400 * 340):
        clock.moment += timedelta(seconds=step)
        made.append(new_id("benchmark"))
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_one_second_differ(clock: Clock) -> None:
    """Runs started in the same second do not share a folder, most likely."""
    assert len({new_id("benchmark") for _ in range(20)}) > 15


# -- making ----------------------------------------------------------------------------------------------------------


def test_everything_of_a_run_lies_in_its_own_folders(tmp_path: Path) -> None:
    """`runs/<id>` holds record, notebook, report and trials; `profiles/<id>` the captures."""
    run = Run("x", tmp_path)
    assert tmp_path / "runs" / "x" == run.folder
    assert tmp_path / "profiles" / "x" == run.profiles
    assert [run.folder / "report.html", run.folder / "notebook.ipynb"] == [run.report, run.notebook]
    assert run.folder / "trials" / "7" == run.trial_folder(7)


def test_creating_makes_the_folder_and_only_that(tmp_path: Path) -> None:
    """A created run has an empty folder: no record before there is something to say."""
    run = Run("x", tmp_path).create()
    assert list(run.folder.iterdir()) == []


def test_a_folder_made_for_the_run_beforehand_is_taken(tmp_path: Path) -> None:
    """The runner makes the folder for its log first; that is no run yet."""
    run = Run("x", tmp_path)
    run.folder.mkdir(parents=True)
    (run.folder / "progress.json").touch()
    assert run is run.create()


@pytest.mark.parametrize("in_the_way", ["runs", "runs/x"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, in_the_way: str) -> None:
    """A file where a folder must be is reported with the path, the reason and what to do."""
    path = tmp_path / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file")
    with pytest.raises(RunError) as caught:
        Run("x", tmp_path).create()
    assert str(caught.value).startswith(f"cannot write to {tmp_path / 'runs' / 'x'}: ")
    assert "None" not in str(caught.value)
    assert "start from the repository's root" in str(caught.value)


def test_a_run_is_written_once(tmp_path: Path) -> None:
    """A folder that holds a record already is refused, and the record stays as it is."""
    first = saved(tmp_path, "x", seed=1)
    with pytest.raises(RunError, match="holds a run already: records are written once"):
        Run("x", tmp_path).create()
    assert load("x", tmp_path).data == first.data


# -- saving ----------------------------------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    """Saved and loaded, a run holds the same data, with its format and id first."""
    data = {"parameters": {"RATE": 1.5, "MEMRAY": True}, "later": [{"stored": None}], "verdict": ["58 % – ×"]}
    run = saved(tmp_path, "x", **data)
    again = load("x", tmp_path)
    assert (run.id, run.root, run.data) == (again.id, again.root, again.data)
    kept = json.loads((run.folder / "run.json").read_text())
    assert ["format", "id"] == list(kept)[:2]
    assert {"format": FORMAT, "id": "x", **data}.items() <= kept.items()
    assert kept == again.data.to_dict()


def test_saving_leaves_nothing_but_the_record(tmp_path: Path) -> None:
    """The record appears whole under its name: no partial file stays beside it."""
    run = saved(tmp_path, "x")
    run.data.own["more"] = [1]
    run.save()
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]
    assert load("x", tmp_path).data.own["more"] == [1]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_json_cannot_hold_is_not_saved(tmp_path: Path, value: Any) -> None:
    """NaN, which no other reader of JSON takes, is an error, and the record saved before stays as it was."""
    run = saved(tmp_path, "x", seed=1)
    run.data.own["bad"] = {"deep": [value]}
    with pytest.raises((ValueError, TypeError)):
        run.save()
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]
    assert load("x", tmp_path).data == record(id="x", notebook="benchmark", seed=1)


# -- reading ---------------------------------------------------------------------------------------------------------


BROKEN = [b"", b'{"format": 1, "id"', b"\xff\xfe", b"[]", b"null", b"3", b'"text"', b"{}"]


@pytest.mark.parametrize("content", BROKEN)
def test_a_broken_record_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    """Whatever run.json holds instead of a record, loading it is a RunError that names the file."""
    folder = tmp_path / "runs" / "x"
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(content)
    with pytest.raises(RunError, match=re.escape(str(folder / "run.json"))):
        load("x", tmp_path)


def test_a_missing_run_is_refused_with_its_path(tmp_path: Path) -> None:
    """A run that is not there is reported with the path where it would be."""
    with pytest.raises(RunError, match=re.escape(f"no run can be read from {tmp_path / 'runs' / 'x' / 'run.json'}")):
        load("x", tmp_path)


@pytest.mark.parametrize("other", [0, FORMAT + 1, "1", None])
def test_another_format_is_refused_with_both_numbers(tmp_path: Path, other: Any) -> None:
    """A record of another version is not guessed at: the message has its format and those that are read."""
    folder = saved(tmp_path, "x").folder
    (folder / "run.json").write_text(json.dumps({"format": other, "id": "x"}))
    with pytest.raises(RunError, match=re.escape(f"has format {other!r}: this version reads {OLDEST} to {FORMAT}")):
        load("x", tmp_path)


def test_runs_are_found_oldest_first(tmp_path: Path) -> None:
    """The order is that of the times written in the records."""
    saved(tmp_path, "c", created="2026-01-01T00:00:00+00:00")
    saved(tmp_path, "a", created="2026-01-03T00:00:00+00:00")
    saved(tmp_path, "b", created="2026-01-02T00:00:00+00:00")
    assert ["c", "b", "a"] == [run.id for run in find(tmp_path)]


def test_finding_passes_over_what_is_no_run(tmp_path: Path) -> None:
    """Folders without a record, with a broken one, and files in between do not keep the others from being found."""
    saved(tmp_path, "good", created="2026-01-01")
    (tmp_path / "runs" / "README.md").write_text("about runs")
    (tmp_path / "runs" / "unfinished").mkdir()
    (tmp_path / "runs" / "folder" / "run.json").mkdir(parents=True)
    for number, content in enumerate(BROKEN):
        (tmp_path / "runs" / f"broken-{number}").mkdir()
        (tmp_path / "runs" / f"broken-{number}" / "run.json").write_bytes(content)
    assert ["good"] == [run.id for run in find(tmp_path)]


def test_there_may_be_no_runs_at_all(tmp_path: Path) -> None:
    """Before the first run there is no folder, and nothing is found."""
    assert find(tmp_path) == []


def test_the_root_is_found_from_a_notebooks_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel starts beside its notebook; runs still go to the project's folder. Elsewhere it is the current one."""
    (tmp_path / "project" / "notebooks").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for start, root in [("project/notebooks", "project"), ("project", "project"), ("elsewhere", "elsewhere")]:
        monkeypatch.chdir(tmp_path / start)
        assert (tmp_path / root).resolve() == project_root().resolve()
