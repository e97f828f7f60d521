"""Experiments of a package of the user's own: found by an entry point, run and shown like the lab's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.executions import ROOT, assert_nothing_left, checkout, sentinel
from support.sites import installed

from sentinel.errors import SettingsError
from sentinel.lab import registry

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = """[sentinel.experiments]
tape = tape:EXPERIMENT
shelf = shelf:EXPERIMENT
broken = nowhere:EXPERIMENT
other = tape:EXPERIMENT
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two packages as pip would install them: their code, and what they register."""
    return installed(tmp_path_factory.mktemp("site"), ENTRIES)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """A checkout in which the foreign experiment was run."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    done = sentinel(folder, "run", "tape", "TURNS=3", "STACK=embedded", PYTHONPATH=str(site))
    assert (0, "") == (done.returncode, done.stderr if done.returncode else "")
    assert "3 turns, the slowest at" in done.stdout
    return folder


def pages(place: Path, name: str) -> str:
    """The page of the one run of that name."""
    (path,) = place.glob(f"runs/*-{name}-*/report.html")
    return path.read_text(encoding="utf-8")


def test_a_foreign_experiment_gets_its_page(place: Path) -> None:
    """Its own sections, figures and verdict stand on the page, made from its own notebook."""
    page = pages(place, "tape")
    assert page.count("<li>") >= 3
    assert "How steady is one configuration?" in page
    assert "3 turns, the slowest at" in page
    assert_nothing_left(place / "runs")


def test_a_foreign_run_is_listed_and_rendered_again(place: Path, site: Path) -> None:
    """`sentinel runs` lists it like any other, and its page is made again from its record alone."""
    (entry,) = json.loads(sentinel(place, "runs", "--json", PYTHONPATH=str(site)).stdout)[:1]
    assert ("tape", "finished") == (entry["notebook"], entry["state"])
    before = pages(place, "tape")
    assert 0 == sentinel(place, "report", entry["id"], PYTHONPATH=str(site)).returncode
    assert before == pages(place, "tape")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("TURNS=10", "TURNS='10' is not allowed: expected a whole number from 1 to 9"),
        ("TURN=1", "TURN is not a parameter (did you mean TURNS?)"),
    ],
)
def test_the_parameters_of_a_foreign_experiment_are_checked(place: Path, site: Path, word: str, message: str) -> None:
    """Its own rules hold for its parameters, before anything starts."""
    done = sentinel(place, "run", "tape", word, PYTHONPATH=str(site))
    assert (1, True) == (done.returncode, message in done.stderr)


def test_a_study_starts_no_server(place: Path, site: Path) -> None:
    """A notebook over runs that are there is run, recorded and shown like the others, without any stack."""
    done = sentinel(place, "run", "shelf", PYTHONPATH=str(site))
    assert (0, "There is 1 run.") == (done.returncode, done.stdout.splitlines()[0] if done.stdout else done.stderr)
    (folder,) = place.glob("runs/*-shelf-*")
    record = json.loads((folder / "run.json").read_text())
    assert ("finished", False, False) == (record["state"], "stack" in record, (folder / "stack").exists())
    assert "-tape-" in pages(place, "shelf")
    assert {"tape", "shelf"} == {each["notebook"] for each in json.loads(sentinel(place, "runs", "--json").stdout)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("broken", "experiment 'broken' (nowhere:EXPERIMENT) cannot be loaded: No module named 'nowhere'"),
        ("other", "expected an Experiment of that name"),
        ("nobody", "no notebook at notebooks/nobody.ipynb"),
    ],
)
def test_an_experiment_that_cannot_be_had_is_one_line(place: Path, site: Path, name: str, message: str) -> None:
    """What is wrong with an entry point, or with a name, is said in one line, and no others suffer from it."""
    done = sentinel(place, "run", name, PYTHONPATH=str(site))
    assert (1, True, 1) == (done.returncode, message in done.stderr, len(done.stderr.splitlines()))


def test_every_folder_is_an_experiment() -> None:
    """The lab's own are found by their folders, and named as their notebooks and their runs."""
    names = registry.names()
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} <= set(names)
    for name in names:
        assert name == registry.experiment(name).study().notebook
    with pytest.raises(SettingsError, match="no experiment 'x': there are ablation, bench-check, benchmark"):
        registry.experiment("x")
