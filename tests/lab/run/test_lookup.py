"""Looking up: what is meant by a run's id, folder or file is rendered; what is no run or notebook is one line."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from support.commandline import assert_one_line
from support.synthetic import made

from sentinel.lab.run.lookup import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.commandline import Result

    from sentinel.lab.run.run import Run

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run in the checkout that is the current folder."""
    place = tmp_path / "checkout"
    place.mkdir()
    (place / "notebooks").symlink_to(ROOT / "notebooks")
    run = made(place, repeats=1)
    run.save()
    monkeypatch.chdir(place)
    return run


def notebook(path: Path, *, executed: bool = True, prose: str = "# Anything?") -> Path:
    """A notebook of somebody's own."""
    outputs = [new_output("stream", text="said")] if executed else []
    code = new_code_cell("print('said')", outputs=outputs, execution_count=1 if executed else None)
    nbformat.write(new_notebook(cells=[new_markdown_cell(prose), code]), path)
    return path


# -- runs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{id}",
        "runs/{id}",
        "runs/{id}/",
        "./runs/{id}",
        "{root}/runs/{id}",
        "runs/../runs/{id}/run.json",
        "runs/{id}/notebook.ipynb",
        "{root}/runs/{id}/report.html",
    ],
)
def test_every_way_to_name_a_run_means_it(run: Run, text: str) -> None:
    """Its id, its folder as a shell completes it, and a file of it are the same run, in its checkout."""
    actual = resolve(text.format(id=run.id, root=run.root))
    assert (run.id, run.folder, run.profiles, run.data) == (actual.id, actual.folder, actual.profiles, actual.data)


def test_a_run_is_found_from_another_folder(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the checkout an id and `runs/<id>` still mean the run."""
    (run.root / "below").mkdir()
    monkeypatch.chdir(run.root / "below")
    assert [run.folder] * 3 == [resolve(name).folder for name in (run.id, f"runs/{run.id}", f"../runs/{run.id}")]


def test_a_copy_elsewhere_is_rendered_in_place(run: Run, tmp_path: Path, sentinel: Callable[..., Result]) -> None:
    """A run's folder alone is enough: outside of any checkout its page is made beside the copy's record."""
    copy = Path(shutil.copytree(run.folder, tmp_path / "mailed" / "any name"))
    result = sentinel("report", f"{copy}/")
    assert (0, f"{copy}/report.html\n", "") == result
    assert "This cell failed" not in (copy / "report.html").read_text(encoding="utf-8")
    assert not run.report.exists()


def test_a_runs_own_page_is_replaced(run: Run, sentinel: Callable[..., Result]) -> None:
    """`report.html` of a run is its page, whatever is in it: it is made anew."""
    run.report.write_text("an older one", encoding="utf-8")
    assert (0, f"{run.report}\n", "") == sentinel("report", run.id)
    assert "What does it cost" in run.report.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["", ".", "..", "bogus", "runs/bogus", "runs/bogus/", "runs", "/", "x" * 5000, "é/\x1b"]
)
def test_no_run_is_one_line(run: Run, text: str, sentinel: Callable[..., Result]) -> None:
    """What means no run is refused with what would."""
    assert_one_line(sentinel("report", text), "no run", "`sentinel runs` lists them")


@pytest.mark.parametrize(
    "spoilt",
    [b"", b"{", b"\x00\xff", b"[]", b"[" * 100_000, b'{"format": 99}', {"summary": None}, {"trials": 3},
     {"trials": [{}]}, {"notebook": None}, {"notebook": ["x"], "state": "running"}, {"parameters": None}],
)  # fmt: skip
def test_a_damaged_record_is_no_traceback(run: Run, spoilt: Any, sentinel: Callable[..., Result]) -> None:
    """A record that is none is one line with its path; one with a fault in it makes a page as far as it goes."""
    text = spoilt if isinstance(spoilt, bytes) else json.dumps(run.data.to_dict() | spoilt).encode()
    (run.folder / "run.json").write_bytes(text)
    result = sentinel("report", run.id)
    if result.code:
        assert_one_line(result, run.id, "")
    else:
        assert (f"{run.report}\n", "") == (result.out, result.err)


# -- notebooks -------------------------------------------------------------------------------------------------------


def test_an_executed_notebook_is_made_a_page(tmp_path: Path, sentinel: Callable[..., Result]) -> None:
    """The page lies beside the notebook; made again it replaces itself."""
    path = notebook(tmp_path / "my own.ipynb")
    for _ in range(2):
        assert (0, f"{tmp_path}/my own.html\n", "") == sentinel("report", str(path))
    assert "Anything?" in (tmp_path / "my own.html").read_text(encoding="utf-8")


def test_a_page_of_somebody_else_is_kept(tmp_path: Path, sentinel: Callable[..., Result]) -> None:
    """An html beside the notebook that we did not make stays, unless it is said to go."""
    path, html = notebook(tmp_path / "x.ipynb"), tmp_path / "x.html"
    html.write_text("written by hand", encoding="utf-8")
    assert_one_line(sentinel("report", str(path)), str(html), "--force")
    assert "written by hand" == html.read_text(encoding="utf-8")
    assert 0 == sentinel("report", str(path), "--force").code
    assert "Anything?" in html.read_text(encoding="utf-8")


V3 = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
WHOLE = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "markdown"}]})
NO_NOTEBOOKS = {
    "empty": (b"", "it is empty"),
    "blank": (b" \n", "it is empty"),
    "truncated": (WHOLE[:60].encode(), "it is no JSON, or only a part of it"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\xff", "it is not text in UTF-8"),
    "deep": (b"[" * 100_000, "it is no JSON, or only a part of it"),
    "text": (b"# Title", "it is no JSON, or only a part of it"),
    "a number": (b"4", "it is other JSON, without nbformat"),
    "other JSON": (b'{"cells": []}', "it is other JSON, without nbformat"),
    "nbformat 3": (json.dumps(V3).encode(), "it has nbformat 3, but 4 is expected: open it in JupyterLab"),
    "nbformat x": (b'{"nbformat": "x"}', "it has nbformat 'x', but 4 is expected"),
    "no cells": (b'{"nbformat": 4, "nbformat_minor": 5}', "it does not follow nbformat 4"),
    "half a cell": (WHOLE.encode(), "it does not follow nbformat 4"),
    "cells of text": (WHOLE.replace('{"cell_type": "markdown"}', '"x"').encode(), "it does not follow nbformat 4"),
}


@pytest.mark.parametrize("kind", NO_NOTEBOOKS)
@pytest.mark.parametrize("command", ["report", "run"])
def test_no_notebook_is_one_line(tmp_path: Path, command: str, kind: str, sentinel: Callable[..., Result]) -> None:
    """Whatever a file called .ipynb holds, neither command is left with a traceback, and nothing is made."""
    content, why = NO_NOTEBOOKS[kind]
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    assert_one_line(sentinel(command, str(path)), str(path), why)
    assert ["x.ipynb"] == [left.name for left in tmp_path.iterdir()]


@pytest.mark.parametrize("command", ["report", "run"])
def test_a_folder_is_no_notebook(tmp_path: Path, command: str, sentinel: Callable[..., Result]) -> None:
    """A folder of that name, and a notebook that is not there, are named."""
    (tmp_path / "x.ipynb").mkdir()
    assert_one_line(sentinel(command, str(tmp_path / "x.ipynb")), "x.ipynb", "Is a directory")
    assert_one_line(sentinel(command, str(tmp_path / "y.ipynb")), "y.ipynb", "no notebook at")


def test_a_notebook_that_was_never_executed_has_no_page(
    tmp_path: Path, run: Run, sentinel: Callable[..., Result]
) -> None:
    """An empty page is no report: how to execute it is said instead."""
    for path in (notebook(tmp_path / "x.ipynb", executed=False), run.root / "notebooks" / "benchmark.ipynb"):
        assert_one_line(sentinel("report", str(path)), f"nothing of {path} was executed", "run all its cells")
        assert not path.with_suffix(".html").exists()


@pytest.fixture
def readonly(tmp_path: Path) -> Iterator[Path]:
    """A folder that cannot be written, with an executed notebook and a run in it."""
    folder = tmp_path / "readonly"
    folder.mkdir()
    root = os.geteuid() == 0
    if root:  # whom no mode keeps from writing
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
    notebook(folder / "x.ipynb")
    made(folder, repeats=1).save()
    if root:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    else:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
    yield folder
    if root:
        subprocess.run(["umount", str(folder)], check=True)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_one_line(readonly: Path, sentinel: Callable[..., Result]) -> None:
    """The page that cannot be written is named, with the reason."""
    (folder,) = (readonly / "runs").iterdir()
    for given, page in [(readonly / "x.ipynb", readonly / "x.html"), (folder, folder / "report.html")]:
        assert_one_line(sentinel("report", str(given)), f"cannot write {page}", "")
