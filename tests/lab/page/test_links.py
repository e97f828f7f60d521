"""Links of a page: to files that are there, by the shortest way; a number without its file is a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sentinel.lab.page.links import PLACE, beside, settled

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20260101T000000Z-benchmark-0000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder within a checkout, with a trial, and a profile beside."""
    for file in (f"runs/{RUN}/trials/3/trial.json", f"runs/{RUN}/run.json", f"profiles/{RUN}/a.html"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("x")
    return tmp_path / "runs" / RUN


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (f"../../runs/{RUN}/trials/3/trial.json", "trials/3/trial.json"),
        (f"../../runs/{RUN}/run.json", "run.json"),
        (f"../../runs/{RUN}/trials/4/trial.json", None),
        (f"../../profiles/{RUN}/a.html", f"../../profiles/{RUN}/a.html"),
        (f"../../profiles/{RUN}/b.html", None),
        ("run.json", "run.json"),
        ("none.json", None),
    ],
)
def test_a_link_leads_from_the_page_to_the_file(folder: Path, target: str, expected: str | None) -> None:
    """Within the run's folder, or to what lies beside it; None where no file is."""
    assert expected == beside(target, folder)


def test_a_copy_of_a_run_has_its_own_files(folder: Path, tmp_path: Path) -> None:
    """Whatever the copied folder is called and wherever it lies."""
    copy = folder.rename(tmp_path / "copied")
    assert "trials/3/trial.json" == beside(f"../../runs/{RUN}/trials/3/trial.json", copy)


def test_a_page_elsewhere_leads_to_the_run(folder: Path, tmp_path: Path) -> None:
    """A notebook's page at the root, or in another run's folder, links to the run that it is about."""
    other = tmp_path / "runs" / "other"
    (other / "trials" / "3").mkdir(parents=True)
    (other / "trials" / "3" / "trial.json").write_text("y")
    target = f"../../runs/{RUN}/trials/3/trial.json"
    assert f"runs/{RUN}/trials/3/trial.json" == beside(target, tmp_path)
    assert f"../{RUN}/trials/3/trial.json" == beside(target, other)
    assert folder.is_dir()


def test_a_number_without_its_file_stays_a_number(folder: Path) -> None:
    """Other links say that their file is not there; the footer counts the links that are left, by folder."""
    places = ("run.json", "trials/3/trial.json", "trials/9/trial.json")
    numbers = [f'<a class="raw" href="../../runs/{RUN}/{file}">{n}</a>' for n, file in enumerate(places)]
    text = settled(
        f'{"; ".join(numbers)}; <a href="gone.html">a page</a>{PLACE}', lambda target: beside(target, folder)
    )
    assert text.startswith(
        '<a class="raw" href="run.json">0</a>; <a class="raw" href="trials/3/trial.json">1</a>; 2; a page (not beside'
    )
    assert "it links to 2 files in <code>run.json</code> and <code>trials</code>." in text
