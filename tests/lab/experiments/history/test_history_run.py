"""A history carried out as a user does, through papermill: table, page and record, in a checkout of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.browser import browsed
from support.executions import checkout, sentinel
from support.histories import many

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.timeout(120)
def test_a_history_is_run_like_any_notebook(tmp_path: Path) -> None:
    """The terminal has the answer, the page its figures in a real browser, the index both; no server was started."""
    place = checkout(tmp_path)
    many(place, [300_000.0] * 6 + [200_000.0] * 6)
    done = sentinel(place, "run", "history", "NOTEBOOK=benchmark")
    assert (0, True) == (done.returncode, "Capacity of optimised: worse, 0.67×" in done.stdout), done.stderr
    (folder,) = place.glob("runs/*-history-*")
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert ("finished", False, 12) == (record["state"], "stack" in record, len(record["followed"]))
    dom, console = browsed(folder / "report.html", place / "profile")
    assert ([], False, 8) == (console, "This cell failed" in dom, dom.count("<svg "))
    index = (place / "runs" / "index.html").read_text(encoding="utf-8")
    assert f"{folder.name}/report.html" in index
    assert "12 comparable runs" in index
