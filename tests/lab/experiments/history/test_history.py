"""A history: comparable runs alone, changes where they were made, and whatever cannot be followed in one line."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from support.commandline import assert_one_line
from support.executions import ROOT
from support.histories import MACHINE, commit, many, written
from support.pages import Reader

from sentinel.errors import SettingsError
from sentinel.lab import registry
from sentinel.lab.experiments.history import report
from sentinel.lab.experiments.history.parameters import History
from sentinel.lab.experiments.history.record import Followed, Record
from sentinel.lab.experiments.history.study import HistoryStudy
from sentinel.lab.experiments.history.summary import LEAST_RUNS, beside
from sentinel.lab.run.run import Run, load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.commandline import Result

CHANGED = [300_000.0] * 7 + [390_000.0] * 7
SECTIONS = ("header", "latest", "figures", "changes", "runs", "comparable")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout with the notebooks."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def followed(place: Path, **parameters: str) -> Run:
    """The history of the runs that there are."""
    study = HistoryStudy.open(History(**parameters), place)
    study.follow()
    return study.close()


def told(run: Run, name: str) -> str:
    """A section as a reader sees it; it must be well-formed."""
    reader = Reader(getattr(report, name)(run).data)
    assert (name, []) == (name, reader.wrong)
    return reader.text


def answer(run: Run) -> str:
    """The answer in one text."""
    return " ".join(map(str, registry.answer(run)))


def test_a_change_is_seen_between_the_runs_around_it(place: Path) -> None:
    """Its ratio, its word and both commits are in the answer, and nothing else has changed."""
    many(place, CHANGED)
    run = followed(place)
    changes = {s.name: s.changes for s in run.sections(Record).series if s.changes}
    assert {
        f"{title} of {name}"
        for title in ("capacity", "CPU per message while draining")
        for name in ("baseline", "optimised")
    } == changes.keys()
    ends = f"{commit(6)[:9]} → {commit(7)[:9]}"
    for name, word in (("capacity of optimised", "better"), ("CPU per message while draining of optimised", "better")):
        (change,) = changes[name]
        assert (7, word) == (change.at, change.word)
        assert change.ratio == pytest.approx(1.3 if name.startswith("capacity") else 1 / 1.3, rel=0.03)
    assert (
        f"Capacity of optimised: better, 1.30× after {ends}, between 2026-01-07 12:00 and 2026-01-08 12:00."
        in answer(run)
    )
    assert ends.split(" → ")[1] in told(run, "changes")
    assert "4 of 8 key figures changed." in answer(run)


def test_too_few_runs_are_drawn_all_the_same(place: Path) -> None:
    """The page says how many more it takes, and shows each run's dot."""
    many(place, [300_000.0] * 3)
    run = followed(place)
    assert f"that takes {LEAST_RUNS} comparable runs with the same figure, and there are 3. 7 more would do." in answer(
        run
    )
    assert 3 * len(run.sections(Record).series) == report.figures(run).data.count("<circle ")
    assert f"takes {LEAST_RUNS} runs" in told(run, "latest")
    assert "too few runs" in told(run, "changes")


def test_nothing_changed_is_an_answer(place: Path) -> None:
    """Runs that differ by chance alone have no change point, and what chance would show is said."""
    many(place, [300_000.0] * 12)
    assert "No change point in 8 key figures. 12 runs of benchmark" in answer(followed(place))


def test_what_cannot_be_compared_is_left_out_with_the_reason(place: Path) -> None:
    """Another machine, a run that ended early, a copy, a damaged record: each named, none drawn."""
    runs = many(place, CHANGED)
    other = written(place, 20, machine=MACHINE | {"cpu_model": "Another"})
    early = written(place, 21, state="interrupted")
    copy = place / "runs" / "copied"
    shutil.copytree(runs[0].folder, copy)
    broken = place / "runs" / "20990101T000000Z-benchmark-0000"
    broken.mkdir()
    (broken / "run.json").write_text("{", encoding="utf-8")
    run = followed(place)
    record = run.sections(Record)
    assert [each.id for each in runs] == [each.id for each in record.followed]
    assert {
        other.id: "not comparable: processor Another",
        early.id: "it is interrupted",
        "copied": f"a copy of {runs[0].id}",
        broken.name: "its record is damaged",
    } == {each.folder: each.why for each in record.left_out}
    assert "4 left out" in told(run, "header")
    assert "processor Another" in told(run, "runs")


def test_a_run_names_its_like(place: Path) -> None:
    """`LIKE` takes the runs that are comparable with one run, though they are not the most."""
    many(place, [300_000.0] * 4)
    other = written(place, 20, machine=MACHINE | {"cpu_model": "Another"})
    run = followed(place, LIKE=other.id)
    assert [other.id] == [each.id for each in run.sections(Record).followed]
    assert "there is 1. 9 more would do" in answer(run)


def test_a_run_of_an_older_format_is_followed(place: Path) -> None:
    """A record of format 1 has the figures that one of today has, and is left as it is."""
    shutil.copytree(ROOT / "tests" / "records" / "runs" / "format-1", place / "runs" / "older")
    before = (place / "runs" / "older" / "run.json").read_bytes()
    run = followed(place, LIKE="older")
    (only,) = run.sections(Record).followed
    assert "older" == only.folder
    assert "optimised: capacity, msg/s" in told(run, "latest")
    assert "older/run.json" in (place / "runs" / "index.html").read_text(encoding="utf-8")
    assert before == (place / "runs" / "older" / "run.json").read_bytes()


def test_no_run_is_touched(place: Path) -> None:
    """A history writes its own folder and the index, nothing else."""
    many(place, CHANGED)
    before = {path: path.read_bytes() for path in place.glob("runs/*/*")}
    own = followed(place).folder
    assert before == {path: path.read_bytes() for path in place.glob("runs/*/*") if path.parent != own}


def test_the_record_alone_makes_the_page(place: Path) -> None:
    """Once the runs are gone every section is what it was."""
    many(place, CHANGED)
    run = followed(place)
    before = [told(run, name) for name in SECTIONS]
    for each in run.sections(Record).followed:
        shutil.rmtree(place / "runs" / each.folder)
    assert before == [told(load(run.id, place), name) for name in SECTIONS]


def test_a_record_without_series_has_every_section(place: Path) -> None:
    """Of a history that ended before its sum, each section says so."""
    run = Run("x", place)
    run.data.notebook, run.data.parameters = "history", {"NOTEBOOK": "benchmark", "LIKE": ""}
    for name in SECTIONS:
        assert told(run, name)
    assert "no results" in registry.table(run)


@pytest.mark.parametrize(
    ("last", "first", "clauses"),
    [
        ({}, {}, []),
        (
            {"versions": {"kernel": "6.1"}},
            {"versions": {"kernel": "6.2", "Python": "3.12"}},
            ["kernel 6.1 → 6.2", "Python unknown → 3.12"],
        ),
        ({"dirty": True}, {}, ["code of a differed from its commit"]),
    ],
)
def test_what_changed_beside_the_commit(last: dict[str, Any], first: dict[str, Any], clauses: list[str]) -> None:
    """Updates, and code that no commit has, stand beside a change point."""

    def made(name: str, given: dict[str, Any]) -> Followed:
        return Followed(
            **{"id": name, "folder": name, "created": "", "commit": "", "dirty": False, "versions": {}} | given
        )

    assert clauses == beside(made("a", last), made("b", first))


def test_a_commit_that_stayed_is_named_as_innocent(place: Path) -> None:
    """Where both runs are of one commit, the change is not its doing."""
    git = {"git": {"commit": "a" * 40, "dirty": False, "changed": []}}
    for number, capacity in enumerate(CHANGED):
        kernel = {"kernel": "6.1" if number < 7 else "6.2"}
        written(place, number, capacity, machine=MACHINE | git | kernel)
    assert "not the commit; kernel 6.1 → 6.2" in told(followed(place), "changes")


# -- what cannot be followed -----------------------------------------------------------------------------------------


def test_no_runs_is_one_line(place: Path, sentinel: Callable[..., Result]) -> None:
    """There is nothing to follow: what makes a run is said, and no folder is left."""
    assert_one_line(sentinel("run", "history"), "no runs in", "`make benchmark` makes one")
    assert not (place / "runs").exists()


@pytest.mark.parametrize(
    ("words", "value", "remedy"),
    [
        (["NOTEBOOK=nowhere"], "NOTEBOOK=nowhere: no runs of that notebook", "there are those of benchmark (2)"),
        (["NOTEBOOK=history"], "NOTEBOOK=history", "there are those of benchmark (2)"),
        (["NOTEBOOK=../benchmark"], "NOTEBOOK='../benchmark' is not allowed", "such as benchmark"),
        (["NOTEBOOK="], "NOTEBOOK='' is not allowed", "such as benchmark"),
        (
            ["LIKE=20200101T000000Z-x-0000"],
            "LIKE=20200101T000000Z-x-0000 is no finished run",
            "the newest of 2 runs is",
        ),
        (["RUNS=3"], "RUNS is not a parameter", "there are NOTEBOOK, LIKE"),
    ],
)
def test_what_cannot_be_followed_is_one_line(
    place: Path, words: list[str], value: str, remedy: str, sentinel: Callable[..., Result]
) -> None:
    """An unknown notebook, one without figures, an unknown run, an unknown parameter: nothing is begun."""
    before = [run.folder for run in many(place, [300_000.0] * 2)]
    assert_one_line(sentinel("run", "history", *words), value, remedy)
    assert before == sorted((place / "runs").iterdir())


def test_runs_that_all_failed_are_one_line(place: Path) -> None:
    """There are runs, and none of them can be followed."""
    written(place, 1, state="failed")
    with pytest.raises(SettingsError, match="none of its 1 runs is finished and has key figures"):
        followed(place)
