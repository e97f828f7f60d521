"""However a run ends, what it measured is kept: a record, a page, and one line that says why."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from support.executions import BIN, ROOT, clean, eventually
from support.records import record

from sentinel.errors import RunError
from sentinel.lab import registry
from sentinel.lab.experiments.sweep.knee import Knee
from sentinel.lab.machine import provenance
from sentinel.lab.notebook import runner
from sentinel.lab.page import page
from sentinel.lab.run import run as runs
from sentinel.lab.run import run_data
from sentinel.lab.run.claim import Claim, under_way
from sentinel.lab.run.conclusion import unanswered
from sentinel.lab.trials.supervision import require_room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = {
    "STACK": "embedded",
    "CONFIGURATIONS": "optimised",
    "DURATION": "30",
    "REPEATS": "1",
    "MESSAGES": "1000",
    "WORKERS": "4",
    "RATE": "200",
    "HEADLINE_RATE": "500",
    "MEMRAY": "False",
    "PYSPY": "False",
}
"""Two short capacity trials, then long latency trials."""


class Running:
    """`sentinel run benchmark` in a checkout of its own, in the midst of its third trial."""

    def __init__(self, place: Path) -> None:
        (place / "notebooks").symlink_to(ROOT / "notebooks")
        self.place = place
        words = [f"{name}={value}" for name, value in LONG.items()]
        self.process = subprocess.Popen(
            [str(BIN / "sentinel"), "run", "benchmark", *words],
            cwd=place,
            env=clean(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        eventually(lambda: list(place.glob("runs/*/trials/2/consumer/ready")))

    def server(self, name: str) -> psutil.Process:
        """The stack's bus or store."""
        words = {"store": "sentinel.lab.stack.embedded_store", "bus": "valkey"}
        for process in psutil.process_iter(["cmdline", "cwd"]):
            line = " ".join(process.info["cmdline"] or [])  # a bus rewrites its own, but works in its data folder
            if str(self.place) in f"{line} {process.info['cwd']}" and words[name] in line:
                return process
        raise AssertionError(name)

    def ended(self, within: float = 40) -> tuple[runs.Run, str]:
        """Wait for its end: the run, and what it said on stderr."""
        _, text = self.process.communicate(timeout=within)
        (run,) = runs.find(self.place)
        return run, text


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A run under way."""
    actual = Running(tmp_path)
    with actual.process:
        yield actual
        actual.process.kill()


def assert_kept(run: runs.Run, state: str, expected_text: str) -> None:
    """Record and page are there, of the two trials that were finished, and the last line says so."""
    assert (state, 2) == (run.state, len(run.data.trials))
    assert "Traceback" not in expected_text
    assert f"2 of 4 trials are kept in runs/{run.id}" in expected_text
    shown = run.report.read_text(encoding="utf-8")
    assert "This run ended before its time" in shown
    assert run.data.summary["optimised"]["capacity"] > 0
    assert not under_way(run)


@pytest.mark.timeout(100)
def test_a_signal_keeps_what_was_measured(running: Running) -> None:
    """SIGTERM, like any signal of `test_stopping`: record, page, one line, and the signal's exit code, in seconds."""
    begin = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    run, result = running.ended()
    assert 128 + signal.SIGTERM == running.process.returncode
    assert time.monotonic() - begin < 30
    assert "error: interrupted; " in result
    assert_kept(run, run_data.INTERRUPTED, result)


@pytest.mark.parametrize("name", ["store", "bus"])
@pytest.mark.timeout(100)
def test_the_end_of_a_server_ends_the_run(running: Running, name: str) -> None:
    """A server that dies is named with its signal and its log; no trial waits for it."""
    running.server(name).kill()
    run, result = running.ended()
    assert 1 == running.process.returncode
    assert "ended with signal 9; its log is" in result
    assert_kept(run, run_data.FAILED, result)


@pytest.mark.timeout(100)
def test_a_killed_kernel_loses_no_trial(running: Running) -> None:
    """Where the kernel itself is killed, the runner concludes its record."""
    (kernel,) = [c for c in psutil.Process(running.process.pid).children() if "ipykernel" in " ".join(c.cmdline())]
    kernel.kill()
    run, result = running.ended()
    assert 1 == running.process.returncode
    assert_kept(run, run_data.FAILED, result)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system takes root")
@pytest.mark.timeout(100)
def test_a_disk_that_fills_ends_the_run(tmp_path: Path) -> None:
    """A run ends in seconds where the disk fills under it, and its record still finds room."""
    (tmp_path / "runs").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(tmp_path / "runs")], check=True)
    try:
        running = Running(tmp_path)
        free = shutil.disk_usage(tmp_path / "runs").free
        with (tmp_path / "runs" / "filler").open("wb") as file:
            file.truncate(0)
            os.posix_fallocate(file.fileno(), 0, free - 20_000_000)
        run, result = running.ended()
        assert 1 == running.process.returncode
        assert "is nearly full" in result
        assert_kept(run, run_data.FAILED, result)
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path / "runs")], check=True)


def test_a_run_needs_room(tmp_path: Path) -> None:
    """Free space is looked at before anything starts, under the nearest folder that is there."""
    require_room(tmp_path / "runs" / "x", 1)
    with pytest.raises(RunError, match=r"MB are free under .*, but a run needs"):
        require_room(tmp_path / "runs" / "x", 10**18)


@pytest.mark.parametrize(
    ("given", "expected_text"),
    [
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "INFLUX_URL is not set; set it, or take STACK=native"),
        ({"REDIS_URL": "redis://127.0.0.1:1", "INFLUX_URL": "http://127.0.0.1:1"}, "127.0.0.1:1"),
    ],
)
def test_a_stack_that_cannot_be_had_leaves_nothing(tmp_path: Path, given: dict[str, str], expected_text: str) -> None:
    """Half an external stack, or one that does not answer, is one line before a kernel or a folder is made."""
    (tmp_path / "notebooks").symlink_to(ROOT / "notebooks")
    command = [str(BIN / "sentinel"), "run", "benchmark"]
    done = subprocess.run(command, cwd=tmp_path, env=clean() | given, capture_output=True, check=False, timeout=50)
    assert 1 == done.returncode
    assert expected_text in done.stderr.decode()
    assert 1 == len(done.stderr.decode().splitlines())
    assert not (tmp_path / "runs").exists()


def test_runs_at_the_same_time_know_of_each_other(tmp_path: Path) -> None:
    """The later run finds the earlier one under way, and the earlier one learns of it before it ends."""
    first, second = (runs.Run(name, tmp_path).create() for name in ("first", "second"))
    earlier = Claim(first)
    assert (True, False) == (under_way(first), under_way(second))
    later = Claim(second)
    assert ["first"] == later.release()
    assert ["second"] == earlier.release()
    assert (False, False) == (under_way(first), under_way(second))
    assert [] == Claim(first).release()


def committed(folder: Path) -> None:
    """A repository with everything in `folder` committed."""
    git = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, *words], check=True)


def test_the_record_names_the_code_that_ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit and changes are those of the package's checkout; notebooks and the current folder do not count."""
    package, notebook = tmp_path / "lab" / "sentinel", tmp_path / "lab" / "notebooks" / "x.ipynb"
    for path in (package / "__init__.py", package / "cli.py", notebook, tmp_path / "other" / "file"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1\n", encoding="utf-8")
    committed(tmp_path / "lab")
    committed(tmp_path / "other")
    monkeypatch.chdir(tmp_path / "other")
    notebook.write_text("2\n", encoding="utf-8")
    actual = provenance.code(package)
    assert (False, []) == (actual["dirty"], actual["changed"])
    (package / "cli.py").write_text("2\n", encoding="utf-8")
    (package / "new.py").write_text("2\n", encoding="utf-8")
    assert ["sentinel/cli.py", "sentinel/new.py"] == provenance.code(package)["changed"]
    assert actual["commit"] == provenance.code(package)["commit"]


def test_code_outside_a_checkout_is_unknown(tmp_path: Path) -> None:
    """A package within somebody else's checkout, untracked there, has no commit."""
    (tmp_path / "file").write_text("1\n", encoding="utf-8")
    committed(tmp_path)
    (tmp_path / "site" / "sentinel").mkdir(parents=True)
    (tmp_path / "site" / "sentinel" / "__init__.py").touch()
    assert {} == provenance.code(tmp_path / "site" / "sentinel")


def test_a_machine_without_git_has_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no git, the commit is unknown, and that is no error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert {} == provenance.code()


def test_a_copied_run_makes_the_same_page(tmp_path: Path) -> None:
    """A run's folder alone, wherever it lies, gives the page of the run it is a copy of, every section of it."""
    copied = shutil.copytree(ROOT / "runs" / "example", tmp_path / "mailed")
    (copied / "report.html").unlink()
    shown = page.write(runs.load_folder(copied)).read_text(encoding="utf-8")
    assert "This cell failed" not in shown
    assert shown.count("<img ") >= 6
    assert "Lab.open" not in shown


@pytest.mark.timeout(60)
def test_a_kernel_whose_port_was_taken_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that ends before it answers costs an attempt, not the run; one that never starts is said in a line."""
    notebook, run = tmp_path / "telling.ipynb", runs.Run("telling", tmp_path)
    run.create()
    nbformat.write(new_notebook(cells=[new_code_cell("1 + 1")]), notebook)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = [taken.getsockname()[1]] * runner.KERNEL_STARTS + [0]

        class Unlucky(runner.OwnKernel):
            """Its first ports belong to somebody else by the time it binds them."""

            def __init__(self, **options: object) -> None:
                super().__init__(**options, shell_port=ports.pop(0), cache_ports=False)

        monkeypatch.setattr(runner, "OwnKernel", Unlucky)
        failed = runner._executed(notebook, run, {})
        assert f"could be started in {runner.KERNEL_STARTS} attempts" in str(failed)
        ports[:] = [taken.getsockname()[1], 0]
        assert runner._executed(notebook, run, {}) is None
    assert [] == ports


def test_questions_without_a_valid_trial_are_named() -> None:
    """The exit code tells a program that nothing valid was measured, with the first reason."""
    run = runs.load("example", ROOT)
    assert "" == unanswered(run)
    for trial in run.data.trials:
        if trial.plan.group == "headline":
            trial.valid, trial.problems = False, ["the store was away"]
    assert "no valid trial of: latency of optimised. The first reason: the store was away" == unanswered(run)
    assert "no trial was carried out" in unanswered(runs.Run("x", ROOT, record(stack={"kind": "native", "label": ""})))


def test_a_miss_is_told_to_those_who_ask() -> None:
    """No rate within the SLO, or a load that was not sustained, is a miss."""
    run = runs.load("example", ROOT)
    missed = registry.experiment("benchmark").missed
    assert "" == missed(run)
    number = next(trial.plan.number for trial in run.data.trials if trial.plan.kind == "latency")
    run.data.trials[number].sustained = False
    assert f"the load was not sustained in trial {number}" == missed(run)
    knees = {"baseline": Knee(None, None, None, None, ""), "optimised": Knee(5.0, 5.0, None, None, "")}
    swept = runs.Run("x", ROOT, record(knees={name: asdict(knee) for name, knee in knees.items()}))
    assert "no rate offered meets the SLO: baseline" == registry.experiment("sweep").missed(swept)


@pytest.mark.timeout(100)
def test_the_kernel_is_this_interpreters(tmp_path: Path) -> None:
    """A foreign kernel called python3 that Jupyter would find first is not taken: cells run in this interpreter."""
    spec = tmp_path / "jupyter" / "kernels" / "python3"
    spec.mkdir(parents=True)
    foreign = {"argv": ["/bin/false", "{connection_file}"], "display_name": "foreign", "language": "python"}
    (spec / "kernel.json").write_text(json.dumps(foreign), encoding="utf-8")
    telling = new_notebook(cells=[new_code_cell("import sys\nraise LookupError(sys.executable)")])
    telling.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(telling, tmp_path / "telling.ipynb")
    done = subprocess.run(
        [str(BIN / "sentinel"), "run", "telling.ipynb"],
        cwd=tmp_path,
        env=clean() | {"JUPYTER_PATH": str(tmp_path / "jupyter")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=50,
    )
    assert f"telling.ipynb failed: LookupError: {sys.executable} " in done.stderr
