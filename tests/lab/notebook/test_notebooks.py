"""The notebooks' form, and what the runner refuses before anything starts."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from support.executions import ROOT, checkout, sentinel

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def cells(path: Path, kind: str) -> list[str]:
    """Sources of one kind of cell."""
    return [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == kind]


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    """Each notebook of the repository."""
    return Path(request.param)


def test_notebook_asks_one_question(notebook: Path) -> None:
    """There is one H1, in the first cell, and it is a question."""
    headings = [line for text in cells(notebook, "markdown") for line in text.splitlines() if line.startswith("# ")]
    assert len(headings) == 1
    assert headings[0].endswith("?")
    assert cells(notebook, "markdown")[0].startswith(headings[0])


def test_parameters_stand_in_the_second_cell(notebook: Path) -> None:
    """Exactly one cell is tagged `parameters`, it is the second, and each line is a typed literal with a comment."""
    tagged = [i for i, c in enumerate(nbformat.read(notebook, 4).cells) if "parameters" in c.metadata.get("tags", [])]
    assert tagged == [1]
    lines = nbformat.read(notebook, 4).cells[1].source.splitlines()
    assert [] == [line for line in lines if not re.fullmatch(r"[A-Z0-9_]+: (int|float|str|bool) = [^#]+  # .+", line)]


def test_notebook_holds_no_logic(notebook: Path) -> None:
    """No function, no class, no cell over eight lines but the parameters: what is needed lives in the lab."""
    code = cells(notebook, "code")
    assert [] == [text for text in code if re.search(r"^\s*(def|class) ", text, re.MULTILINE)]
    assert [] == [text for text in code[1:] if len(text.splitlines()) > 8]


def test_notebook_types_no_results(notebook: Path) -> None:
    """After the first cell no number with a unit stands in the prose: results come from data."""
    prose = "\n".join(cells(notebook, "markdown")[1:])
    assert [] == re.findall(r"\d[\d.,]*\s*(?:%|ms|µs|us|s|MB|KB|msg/s|bytes|×|x)\b", prose)


def test_notebook_tags_what_a_page_begins_with(notebook: Path) -> None:
    """Answer, main figure and head, and key results where there are any: a heading, and a cell that shows it."""
    content = nbformat.read(notebook, 4)
    for tag in ("answer", "figure", "header", *(["key-results"] if notebook.stem != "live" else [])):
        tagged = [cell.cell_type for cell in content.cells if tag in cell.metadata.get("tags", [])]
        assert (tag, ["markdown", "code"]) == (tag, tagged)


def test_notebook_is_clean_in_git(notebook: Path) -> None:
    """No outputs, no execution counts, a small file, and this interpreter's kernel."""
    content = nbformat.read(notebook, 4)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [] == [cell for cell in code if cell.outputs or cell.execution_count]
    assert notebook.stat().st_size < 500_000
    assert content.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(
    ("word", "expected_text"),
    [
        ("WORKERS=0", "WORKERS='0' is not allowed: expected a whole number"),
        ("DURATION=soon", "DURATION='soon' is not allowed: expected seconds"),
        ("RATE=-1", "RATE='-1' is not allowed: expected a number"),
        ("CONFIGURATIONS=fastest", "CONFIGURATIONS='fastest' is not allowed"),
        ("WORKER=3", "WORKER is not a parameter (did you mean WORKERS?)"),
    ],
)
def test_wrong_parameter_stops_before_anything_starts(tmp_path: Path, word: str, expected_text: str) -> None:
    """A wrong name or value is one line that says what is allowed, and no folder is made."""
    checkout(tmp_path)
    done = sentinel(tmp_path, "run", "benchmark", word)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {expected_text}")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()
