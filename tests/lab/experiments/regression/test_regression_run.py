"""`sentinel run regression` as a whole, on the embedded stack, in a clone with a planted slowdown.

Both runs have the same head, which nobody has installed before: the first installs it.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from support.clones import project
from support.executions import ROOT, clean, sentinel

from sentinel.lab.run import run as records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SMALL = ["STACK=embedded", "WORKERS=4", "MEMRAY=False"]
SHARE = f"3.{time.time_ns() % 10**9:09}"
"""Of the CPU time, burned once more; of these tests alone."""


@pytest.fixture
def regressions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The module of the benchmarks' folder, which is no package."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    yield importlib.import_module("regressions")
    sys.modules.pop("regressions", None)


@pytest.mark.timeout(300)
def test_one_round_leaves_a_whole_record_and_no_verdict(tmp_path: Path, regressions: Any) -> None:
    """One round could not tell (exit code 2): page, record and Markdown name both commits and what was imported."""
    clone = project(tmp_path / "clone")
    with (clone / regressions.HOT_PATH).open("a", encoding="utf-8") as changed:
        changed.write(regressions.PATCH.format(share=float(SHARE)))
    words = ["REPEATS=1", "MESSAGES=1000", "RATE=400", "DURATION=1", "BASE=HEAD", "--markdown", "table.md", *SMALL]
    done = sentinel(clone, "run", "regression", *words, timeout=280)
    assert (2, True) == (done.returncode, "installing . (" in done.stderr), done.stderr
    (run,) = records.find(clone)
    head, base = (run.data.own["sides"][label] for label in ("head", "base"))
    assert ([str(regressions.HOT_PATH)], []) == (head["changed"], base["changed"])
    assert (head["commit"], True) == (base["commit"], head["key"] != base["key"])
    assert [True] * 6 == [trial.valid for trial in run.data.trials]
    page = run.report.read_text(encoding="utf-8")
    for text in ("Could not tell", head["module"], base["module"], base["commit"][:12], str(regressions.HOT_PATH)):
        assert text in page
    assert (
        (clone / "table.md").read_text(encoding="utf-8").startswith("**Could not tell whether head, the working tree (")
    )


@pytest.mark.timeout(400)
def test_a_planted_slowdown_is_worse() -> None:
    """Three rounds are enough for four times the CPU: the command ends with 1, and the proof of it with 0."""
    words = ["--runs", "1", "--stack", "embedded", "--share", SHARE, "--only", "slower", "REPEATS=3", "MESSAGES=2000"]
    command = [sys.executable, str(ROOT / "benchmarks" / "regressions.py"), *words, "WORKERS=4"]
    done = subprocess.run(command, env=clean(), capture_output=True, encoding="utf-8", timeout=380, check=False)
    assert (0, True) == (done.returncode, "1/1 slower: worse (" in done.stdout), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["BASE=nowhere"], "'nowhere' is no branch, tag or commit of"),
        (["BASE=HEAD", "--markdown", "missing/table.md"], "expected a file in a folder that is there"),
    ],
)
def test_what_cannot_be_compared_stops_before_anything_starts(tmp_path: Path, words: list[str], message: str) -> None:
    """One line, exit code 1, and no run."""
    clone = project(tmp_path / "clone")
    done = sentinel(clone, "run", "regression", *words, *SMALL)
    assert (1, True, 1) == (done.returncode, message in done.stderr, len(done.stderr.splitlines()))
    assert [] == records.find(clone)
