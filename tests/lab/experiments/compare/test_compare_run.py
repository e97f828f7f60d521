"""`sentinel compare` as a whole: a study over two saved runs, executed like any other notebook."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.executions import checkout, sentinel
from support.pairs import parameters, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with two runs beside it."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    for name, slower in (("a", 1.0), ("b", 2.0)):
        run(folder, name, slower=slower, repeats=1, names=["optimised"])
    return folder


def folders(place: Path) -> list[str]:
    """Where both runs lie."""
    return [str(next((place / name / "runs").iterdir()).relative_to(place)) for name in ("a", "b")]


@pytest.mark.timeout(150)
def test_the_command_writes_a_run_of_its_own(place: Path) -> None:
    """Table and verdict on the terminal, a finished run without a stack, and a page."""
    done = sentinel(place, "compare", *folders(place))
    assert (0, True) == (done.returncode, "worse in" in done.stdout), done.stderr
    (folder,) = place.glob("runs/*-compare-*")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert ("finished", False) == (record["state"], "stack" in record)
    assert "Is this run better than that one?" in (folder / "report.html").read_text(encoding="utf-8")


def test_what_is_refused_leaves_nothing_behind(place: Path) -> None:
    """Exit code 1, a list of what differs, and no run."""
    before = sorted(path.name for path in (place / "runs").glob("*"))
    other = run(place, "other", repeats=1, names=["optimised"])
    other.data.parameters = parameters(other, WORKERS=128)
    other.save()
    done = sentinel(place, "run", "compare", f"A={folders(place)[0]}", f"B={other.folder}")
    assert (1, ["  WORKERS: A 16, B 128"]) == (done.returncode, done.stderr.splitlines()[1:])
    assert before == sorted(path.name for path in (place / "runs").glob("*"))
