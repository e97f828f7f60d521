"""Notebooks as VS Code executes them, by a stand-in that speaks to a real kernel as it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.executions import SMALL_LIVE, assert_nothing_left, edited
from support.vscode import opened

from sentinel.lab.page import page
from sentinel.lab.run import lookup, run_data
from sentinel.lab.run import run as runs

if TYPE_CHECKING:
    from pathlib import Path

SECRETS = {"REDIS_PASSWORD": "a", "INFLUX_PASSWORD": "b", "INFLUX_TOKEN": "c", "LAB_TOKEN": "d", "AGENT_HOST": "e"}
"""What `make env` writes into `.env`, which VS Code hands to every kernel."""


def notebook(folder: Path, name: str, given: dict[str, str]) -> Path:
    """A notebook with such parameters, in a checkout."""
    path = folder / "notebooks" / f"{name}.ipynb"
    path.parent.mkdir()
    path.write_text(edited(name, given), encoding="utf-8")
    return path


@pytest.mark.timeout(150)
def test_a_run_in_vscode_ends_in_its_page(tmp_path: Path) -> None:
    """The page is that of any other frontend, whatever style and variables the kernel has; the link leads to it."""
    path = notebook(tmp_path, "live", SMALL_LIVE)
    with opened(path, path.parent, **SECRETS) as window:
        window.run_all()
    window.save()
    (run,) = runs.find(tmp_path)
    outputs = [output for cell in window.notebook.cells for output in cell.get("outputs", [])]
    assert [] == [output for output in outputs if output.output_type in {"error", "stream"}]
    assert run_data.FINISHED == run.state
    assert [] == [problem for trial in run.data.trials for problem in trial.problems]
    assert f'href="../runs/{run.id}/report.html"' in outputs[-1].data["text/html"]
    written = run.report.read_text(encoding="utf-8")
    assert 1 <= written.count("<img ")
    assert "This cell failed" not in written
    page.write(run)
    assert run.report.read_text(encoding="utf-8") == written
    assert "<img " in lookup.report(str(path)).read_text(encoding="utf-8")
    assert_nothing_left(tmp_path / "runs")


def test_the_checkout_is_that_of_the_notebook(tmp_path: Path) -> None:
    """Wherever a setting of VS Code has the kernel start, runs go to the checkout that the notebook lies in."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    path = notebook(checkout, "benchmark", {})
    show = "from sentinel.lab.page.page import Link\nfrom sentinel.lab.run.run import project_root\n"
    show += "print(project_root(), Link(project_root() / 'runs/x/report.html')._repr_html_())"
    with opened(path, tmp_path) as window:
        (text,) = window.executed(show)
    assert text.text.startswith(f"{checkout} ")
    assert 'href="../runs/x/report.html"' in text.text
