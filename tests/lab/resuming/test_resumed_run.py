"""A real run that is killed, resumed, interrupted, and resumed to its end."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.executions import BIN, QUICK, assert_nothing_left, checkout, clean, eventually, sentinel

from sentinel.lab.run import run as runs
from sentinel.lab.run import run_data
from sentinel.lab.run.claim import under_way

if TYPE_CHECKING:
    from pathlib import Path

WORDS = [f"{name}={value}" for name, value in QUICK.items()]
"""Two capacity trials, a latency trial and one of the headline."""


def started(place: Path, trial: int, *words: str) -> subprocess.Popen[str]:
    """`sentinel run benchmark` there, once a trial has begun."""
    command = [str(BIN / "sentinel"), "run", "benchmark", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=place, env=clean(), encoding="utf-8", **pipes)
    eventually(lambda: list(place.glob(f"runs/*/trials/{trial}")))
    return process


def killed(place: Path) -> runs.Run:
    """A run whose runner and kernel were killed within its second capacity trial: half of its first round is there."""
    process = started(place, 1, *WORDS)
    for each in (process, *psutil.Process(process.pid).children()):
        each.kill()
    process.communicate()
    (run,) = runs.find(place)
    eventually(lambda: not under_way(run))
    return run


def assert_kept(run: runs.Run, state: str, why: str) -> None:
    """Record and page are there, of the trials that were finished."""
    again = runs.load(run.id, run.root)
    assert (state, why) == (again.state, again.data.why)
    assert again.data.summary["optimised"]["capacity"] > 0
    assert "This run ended before its time" in again.report.read_text(encoding="utf-8")
    assert not under_way(again)


@pytest.mark.timeout(300)
def test_a_run_goes_on_after_a_kill_and_after_an_interrupt(tmp_path: Path) -> None:
    """Killed in its first round, interrupted in its latency trial, then whole: only that round is measured twice."""
    run = killed(checkout(tmp_path))
    assert (run_data.RUNNING, [0]) == (run.state, [o.plan.number for o in run.data.trials])
    assert 0 == sentinel(tmp_path, "report", run.id).returncode
    assert_kept(run, run_data.FAILED, "its process was killed")
    process, begin = started(tmp_path, 4, "--resume", run.id), time.monotonic()
    process.send_signal(signal.SIGINT)
    _, text = process.communicate(timeout=60)
    assert time.monotonic() - begin < 30
    *_, first, _, last = text.splitlines()
    assert (130, f"resume:   sentinel run benchmark --resume {run.id}") == (process.returncode, last)
    assert f"error: interrupted; 2 of 4 trials are kept in runs/{run.id}" in first
    assert_kept(run, run_data.INTERRUPTED, "interrupted")
    done = sentinel(tmp_path, "run", "benchmark", "--resume", run.id)
    assert 0 == done.returncode, done.stderr
    (run,) = runs.find(tmp_path)
    assert ("finished", [2, 3, 5, 6], [True] * 4) == (
        run.state,
        [o.plan.number for o in run.data.trials],
        [o.valid for o in run.data.trials],
    )
    assert [0] == [o.plan.number for o in run.data.resumption.replaced]
    page = run.report.read_text(encoding="utf-8")
    assert re.search(r"after trial 0 \(its process was killed\), for \d+ s; .* after trial 3 \(interrupted\)", page)
    assert "This cell failed" not in page
    assert "This run ended before its time" not in page
    assert_nothing_left(tmp_path)
