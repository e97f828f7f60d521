"""Choices and configurations of a package of the user's own: found by entry points, named, measured and shown."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.executions import QUICK, assert_nothing_left, checkout, clean, sentinel
from support.sites import installed

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = """[sentinel.configurations]
slowly = slowly:SLOWLY
decode.one-by-one = slowly:ONE_BY_ONE
decode.absent = slowly:ABSENT
broken = nowhere:BROKEN
write.one-by-one = slowly:ONE_BY_ONE
"""
COLLIDING = """[sentinel.configurations]
optimised = slowly:SLOWLY
decode.one-by-one = slowly:ONE_BY_ONE
decode.msgspec = slowly:ONE_BY_ONE
"""
SWITCHED = "optimised;decode=one-by-one"
GROUP = "in the group sentinel.configurations"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package that adds a choice and a configuration."""
    return installed(tmp_path_factory.mktemp("site"), ENTRIES)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory, site: Path) -> str:
    """A search path on which another package registers names that are taken."""
    return f"{site}:{installed(tmp_path_factory.mktemp('crowded'), COLLIDING, 'crowd')}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, site: Path) -> Path:
    """A checkout in which the foreign configuration, and the foreign choice in one of our own, were measured."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    words = [f"{name}={value}" for name, value in (QUICK | {"CONFIGURATIONS": f"slowly,{SWITCHED}"}).items()]
    done = sentinel(folder, "run", "benchmark", *words, PYTHONPATH=str(site))
    assert (0, "") == (done.returncode, done.stderr if done.returncode else "")
    return folder


def test_a_foreign_choice_is_measured(place: Path) -> None:
    """A configuration named in CONFIGURATIONS, and one with a foreign choice switched in, are run and recorded."""
    (folder,) = place.glob("runs/*-benchmark-*")
    record = json.loads((folder / "run.json").read_text())
    assert ["slowly", SWITCHED.replace(";", ",")] == list(record["configurations"])
    assert {"one-by-one"} == {axes["decode"] for axes in record["configurations"].values()}
    assert "finished" == record["state"]
    assert all(trial["valid"] for trial in record["trials"] if "valid" in trial)
    assert_nothing_left(place / "runs")


def test_a_foreign_choice_is_on_the_page(place: Path, site: Path) -> None:
    """The page names configuration and choice, and is made again, whether the package is still there or not."""
    (path,) = place.glob("runs/*-benchmark-*/report.html")
    page = path.read_text(encoding="utf-8")
    assert "slowly" in page
    assert "one-by-one" in page
    for environment in ({"PYTHONPATH": str(site)}, {}):
        assert 0 == sentinel(place, "report", path.parent.name, **environment).returncode
        assert page == path.read_text(encoding="utf-8")


def test_what_there_is_to_choose_is_listed_without_importing_it(tmp_path: Path, site: Path) -> None:
    """`sentinel consume --help` lists foreign configurations and choices, broken ones too."""
    done = sentinel(tmp_path, "consume", "--help", PYTHONPATH=str(site), COLUMNS="300")
    listed = " ".join(done.stdout.split())
    assert "baseline, client-batching, optimised, broken, slowly." in listed
    assert "decode=json.loads|msgspec|absent|one-by-one," in listed


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("broken", f"entry point 'broken' (nowhere:BROKEN) of foreign {GROUP} cannot be loaded: No module named"),
        (
            "optimised,write=one-by-one",
            f"entry point 'write.one-by-one' (slowly:ONE_BY_ONE) of foreign {GROUP} is DecodeChoice(",
        ),
        ("optimised,decode=x", "decode='x' is not a choice: expected one of json.loads, msgspec, absent, one-by-one"),
        ("faster", "configuration='faster' is unknown: expected one of baseline, client-batching, optimised, broken"),
    ],
)
def test_an_entry_point_that_cannot_be_used_is_one_line(
    tmp_path: Path, site: Path, configuration: str, message: str
) -> None:
    """What is wrong is said in one line that names the entry point; the others do not suffer from it."""
    done = sentinel(tmp_path, "consume", "--configuration", configuration, PYTHONPATH=str(site))
    assert (1, True, 1) == (done.returncode, message in done.stderr, len(done.stderr.splitlines())), done.stderr


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        ("optimised", f"entry point 'optimised' (slowly:SLOWLY) of crowd {GROUP} collides with our own"),
        ("slowly,decode=msgspec", f"(slowly:ONE_BY_ONE) of crowd {GROUP} collides with our own"),
        ("slowly,decode=one-by-one", f"{GROUP} collides with entry point 'decode.one-by-one'"),
    ],
)
def test_a_name_that_is_taken_is_one_line(tmp_path: Path, crowded: str, configuration: str, message: str) -> None:
    """Where two would answer to one name neither is taken silently: the error names the entry points."""
    done = sentinel(tmp_path, "consume", "--configuration", configuration, PYTHONPATH=crowded)
    assert (1, True, 1) == (done.returncode, message in done.stderr, len(done.stderr.splitlines())), done.stderr


def test_parameters_say_what_is_wrong_with_an_entry_point(place: Path, site: Path, crowded: str) -> None:
    """CONFIGURATIONS is checked before anything starts; a broken or colliding entry point is not called a bad value."""
    for path, name, message in (
        (str(site), "broken", "cannot be loaded"),
        (crowded, "optimised", "collides with our own"),
        (str(site), "faster", "expected different names out of baseline, client-batching, optimised, broken, slowly,"),
    ):
        done = sentinel(place, "run", "benchmark", f"CONFIGURATIONS={name}", PYTHONPATH=path)
        assert (1, True, 1) == (done.returncode, message in done.stderr, len(done.stderr.splitlines())), done.stderr


COMMANDS = """import importlib.metadata as m, sys
asked, before = [], m.entry_points
m.entry_points = lambda **options: asked.append(options.get("group")) or before(**options)
import sentinel.cli
sentinel.cli.cli.main(["--help"], standalone_mode=False)
print(sorted({*asked}), "sentinel.consumer.configurations" in sys.modules, file=sys.stderr)"""


def test_nobody_looks_for_choices_who_needs_none(site: Path) -> None:
    """`sentinel --help` reads no entry points of configurations and imports none of their code."""
    command = [sys.executable, "-c", COMMANDS]
    done = subprocess.run(command, env=clean() | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=True)
    assert "['sentinel.commands'] False" == done.stderr.strip()
