"""Notebooks without the runner: plain papermill leaves a run, and whatever ends it leaves no process."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import nbformat
import psutil
import pytest
from support.executions import (
    BIN,
    QUICK,
    ROOT,
    SMALL_LIVE,
    assert_nothing_left,
    belonging_to,
    checkout,
    clean,
    eventually,
    sentinel,
)

from sentinel.lab.experiments.live.record import of_run
from sentinel.lab.run import run as runs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that this file's runs share."""
    return checkout(tmp_path_factory.mktemp("checkout"))


@pytest.mark.timeout(120)
def test_an_interrupt_ends_a_watch_with_its_report(tmp_path: Path) -> None:
    """Ctrl-C is the end of the watch, not of the notebook: the kernel's cell ends, ledger and answer follow."""
    checkout(tmp_path)
    words = [f"{name}={value}" for name, value in (SMALL_LIVE | {"SECONDS": "60"}).items()]
    process = subprocess.Popen([str(BIN / "sentinel"), "run", "live", *words], cwd=tmp_path, stderr=subprocess.DEVNULL)
    notes = "runs/*/trials/0/load/0/intervals.jsonl"
    try:
        eventually(lambda: any(path.stat().st_size for path in tmp_path.glob(notes)), 60)
        process.send_signal(signal.SIGINT)
        assert 0 == process.wait(40)
    finally:
        process.kill()
        process.wait()
    (run,) = runs.find(tmp_path)
    (trial,) = run.data.trials
    assert (True, True) == (trial.valid, of_run(run).watched.interrupted)
    assert 0 < trial.sender["sent"] == trial.stored
    assert "(interrupted)" in run.data.verdict[0]
    assert run.report.exists()
    assert_nothing_left(tmp_path / "runs")


@pytest.mark.timeout(120)
def test_plain_papermill_works(place: Path) -> None:
    """The notebook needs no runner: papermill alone leaves a run, and its output can be made a page."""
    words = [word for name, value in SMALL_LIVE.items() for word in ("-p", name, value)]
    command = [str(BIN / "papermill"), "notebooks/live.ipynb", "out.ipynb", *words]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    run = runs.find(place)[-1]
    assert "This cell failed" not in run.report.read_text(encoding="utf-8")
    assert run.report.name in (place / "out.ipynb").read_text(encoding="utf-8")
    assert sentinel(place, "report", "out.ipynb").returncode == 0
    assert (place / "out.html").exists()


def test_nbconvert_ends_the_same_way(tmp_path: Path) -> None:
    """A notebook that knows neither runner nor papermill, executed where it lies, leaves record and page too."""
    content = nbformat.read(ROOT / "notebooks" / "live.ipynb", 4)
    (cell,) = [cell for cell in content.cells if "parameters" in cell.metadata.get("tags", [])]
    cell.source += '\nSECONDS, RATE, STACK = 2, 200, "embedded"'
    (tmp_path / "notebooks").mkdir()
    nbformat.write(content, tmp_path / "notebooks" / "live.ipynb")
    command = [
        str(BIN / "jupyter"),
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--output",
        "out.ipynb",
        "live.ipynb",
    ]
    done = subprocess.run(
        command, cwd=tmp_path / "notebooks", env=clean(), capture_output=True, encoding="utf-8", timeout=50, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (run,) = runs.find(tmp_path)
    assert "This cell failed" not in run.report.read_text(encoding="utf-8")
    assert f"{run.id}/report.html" in (tmp_path / "notebooks" / "out.ipynb").read_text(encoding="utf-8")


def test_plain_papermill_refuses_unknown_parameter(place: Path) -> None:
    """papermill itself only warns of an unknown name; the notebook stops before anything is started."""
    command = [str(BIN / "papermill"), "notebooks/benchmark.ipynb", "wrong.ipynb", "-p", "workers", "3"]
    before = runs.find(place)
    done = subprocess.run(command, cwd=place, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 1
    assert "workers is not a parameter (did you mean WORKERS?)" in done.stderr
    assert before == runs.find(place)


LONG = {"benchmark": (QUICK | {"DURATION": "60"}, 3), "live": (SMALL_LIVE | {"SECONDS": "60"}, 4)}
"""Parameters of a long execution, and its processes but for the bus: store, consumer, load generator, agent."""


@pytest.fixture(params=LONG)
def papermill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """papermill in the midst of a long execution, its servers running."""
    checkout(tmp_path)
    given, least = LONG[request.param]
    words = [word for name, value in given.items() for word in ("-p", name, value)]
    command = [str(BIN / "papermill"), f"notebooks/{request.param}.ipynb", "out.ipynb", *words]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(lambda: len(belonging_to(tmp_path / "runs")) >= least, 40)
        yield process, tmp_path / "runs"
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("papermill", "signum"), [("benchmark", signal.SIGKILL), ("live", signal.SIGTERM)], indirect=["papermill"]
)
@pytest.mark.timeout(90)
def test_no_server_outlives_papermill(papermill: tuple[subprocess.Popen[bytes], Path], signum: int) -> None:
    """Whatever kills papermill, bus, store, consumer, agent and load generator are gone soon after."""
    process, folder = papermill
    process.send_signal(signum)
    process.wait(20)
    assert_nothing_left(folder)


@pytest.mark.parametrize("papermill", ["live"], indirect=True)
@pytest.mark.timeout(90)
def test_nothing_outlives_the_kernel(papermill: tuple[subprocess.Popen[bytes], Path]) -> None:
    """A kernel that is killed takes everything that it started with it."""
    process, folder = papermill
    (kernel,) = [child for child in psutil.Process(process.pid).children() if "ipykernel" in " ".join(child.cmdline())]
    kernel.kill()
    assert_nothing_left(folder)
    process.wait(30)
