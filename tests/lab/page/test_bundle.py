"""A bundle: one zip whose page and links work wherever it is unpacked."""

from __future__ import annotations

import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest
from click.testing import CliRunner
from support.pages import page_of
from support.synthetic import made

from sentinel.cli import cli
from sentinel.errors import RunError
from sentinel.lab.page import links
from sentinel.lab.page.bundle import bundle

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run

ODD = "baseline,decode=msgspec & more"
"""A name that neither an address nor HTML takes as it is."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a page, memray's pages beside it, and a server's log."""
    run = made(tmp_path_factory.mktemp("original") / "lab", repeats=1)
    run.save()
    run.profiles.mkdir(parents=True)
    for name in ("baseline-flamegraph.html", "optimised-table.html", f"{ODD}-table.html", "baseline.bin"):
        (run.profiles / name).write_text("x")
    (run.folder / "stack").mkdir()
    (run.folder / "stack" / "redis.log").write_text("a log")
    run.report.write_text(page_of(run), encoding="utf-8")
    return run


@pytest.fixture
def run(original: Run, tmp_path: Path) -> Run:
    """The same in a place of this test's own."""
    return replace(original, root=Path(shutil.copytree(original.root, tmp_path / "lab")))


def hrefs(page: str) -> list[str]:
    """Links to files, those of numbers to what they are from left out."""
    return [unquote(link) for link in re.findall(r'<a href="([^"#]+)"', page)]


def raws(page: str) -> list[str]:
    """Links of numbers to the files that they are from."""
    return [unquote(link) for link in re.findall(r'<a class="raw" href="([^"#]+)"', page)]


def test_every_link_of_a_bundle_works_elsewhere(run: Run, tmp_path: Path) -> None:
    """Unpacked in another place, every link leads to a file; record, trials and captures are there, logs are not."""
    packed = bundle(run, tmp_path / "one.zip")
    with zipfile.ZipFile(packed) as unpacked:
        unpacked.extractall(tmp_path / "elsewhere")
    folder = tmp_path / "elsewhere" / run.id
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert ["profiles/baseline-flamegraph.html", "profiles/optimised-table.html"] == hrefs(page)
    assert all((folder / link).is_file() for link in (*hrefs(page), *raws(page)))
    assert {"run.json", "trials"} == {link.partition("/")[0] for link in raws(page)}
    where = "<code>profiles</code>, <code>run.json</code> and <code>trials</code>"
    assert re.search(rf"it links to \d+ files in {where}, which lie beside it\.", page)
    assert {"run.json", "report.html", "trials", "profiles"} == {path.name for path in folder.iterdir()}
    assert (folder / "profiles" / "baseline.bin").is_file()
    assert list(folder.glob("trials/*/resources.csv"))


def test_a_bundle_overwrites_nothing(run: Run, tmp_path: Path) -> None:
    """What is there already stays, and the message says what to do."""
    there = tmp_path / "there.zip"
    there.write_text("mine")
    with pytest.raises(RunError, match="exists already: remove it, or name another with --output"):
        bundle(run, there)
    assert "mine" == there.read_text()


def test_a_bundle_that_cannot_be_written_is_one_line(run: Run, tmp_path: Path) -> None:
    """A folder that is not there, a run without a page: an error with what to do, and no half of a zip."""
    with pytest.raises(RunError, match="cannot write"):
        bundle(run, tmp_path / "no" / "folder.zip")
    run.report.unlink()
    with pytest.raises(RunError, match=f"`sentinel report {run.id}` makes it"):
        bundle(run, tmp_path / "none.zip")
    assert not (tmp_path / "none.zip").exists()


def test_the_command_names_the_zip(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`sentinel bundle RUN` leaves `<run id>.zip` in the current folder and says so."""
    monkeypatch.chdir(run.root)
    (run.root / "notebooks").mkdir()
    done = CliRunner().invoke(cli, ["bundle", run.id])
    assert (0, f"{run.id}.zip\n") == (done.exit_code, done.output)
    assert zipfile.is_zipfile(run.root / f"{run.id}.zip")


# -- links -----------------------------------------------------------------------------------------------------------


def test_a_page_links_only_to_what_is_there(run: Run) -> None:
    """Beside its run a page keeps its links and counts them; without its profiles it has words, and is complete."""
    page = run.report.read_text(encoding="utf-8")
    assert all((run.folder / link).resolve().is_file() for link in hrefs(page))
    assert re.search(rf"it links to \d+ files in <code>profiles/{run.id}</code>, <code>run\.json</code>", page)
    assert f"sentinel bundle {run.id}" in page
    alone = links.settled(page, lambda _: None)
    assert [] == hrefs(alone) + raws(alone)
    assert "baseline: flame graph (not beside this page)" in alone
    assert links.COMPLETE in alone


def test_a_page_in_another_folder_finds_the_profiles(run: Run, tmp_path: Path) -> None:
    """`sentinel report out.ipynb` in the checkout links to its profiles; out of it there are none to link to."""
    target = f"../../profiles/{run.id}/baseline-flamegraph.html"
    assert f"profiles/{run.id}/baseline-flamegraph.html" == links.beside(target, run.root)
    assert target == links.beside(target, run.folder)
    assert links.beside(target, tmp_path) is None
    assert links.beside("../../profiles/no/such.html", run.folder) is None


def test_odd_names_survive_a_link() -> None:
    """Quotes, blanks and ampersands reach the file as its name has them."""
    page = f'<a href="../../profiles/r/{ODD.replace(" ", "%20").replace("&", "%26")}-table.html">t</a>{links.PLACE}'
    seen: list[str] = []
    links.settled(page, seen.append)
    assert [f"../../profiles/r/{ODD}-table.html"] == seen


def test_other_links_are_left_alone() -> None:
    """Links within the page and to other hosts are no files."""
    page = '<a href="#answer">a</a> <a href="https://example.org/">b</a> <a href="mailto:x@example.org">c</a>'
    assert page == links.settled(page, lambda _: None)
