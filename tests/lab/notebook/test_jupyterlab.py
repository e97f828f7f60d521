"""Notebooks in the real JupyterLab, as `make lab` starts it, in a real chromium: what Run All shows and leaves."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import nbformat
import psutil
import pytest
from playwright.sync_api import Page, sync_playwright
from support.browser import program
from support.executions import QUICK, ROOT, SMALL_LIVE, assert_nothing_left, clean, edited, eventually

from sentinel.lab.notebook.jupyterlab import before_saving
from sentinel.lab.run import run as runs
from sentinel.lab.run import run_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = 60_000
"""ms that anything here may take."""
STATUS = "#sentinel-status"
LINK = '.jp-OutputArea-output a[href*="report.html"]'
VIEW = '.jp-OutputArea-output img[alt*="CPU"]'
TROUBLE = ", ".join(
    f'.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.{kind}"]' for kind in ("stderr", "error")
)


# -- what is saved ---------------------------------------------------------------------------------------------------


def executed(path: Path) -> dict[str, Any]:
    """A notebook as JupyterLab has it after it was run and looked at."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for number, cell in enumerate(content["cells"]):
        cell["metadata"] |= {"trusted": True, "scrolled": True}
        if cell["cell_type"] == "code":
            cell["metadata"]["execution"] = {"iopub.execute_input": "now"}
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "a result"}]
            cell["execution_count"] = number
    content["metadata"]["language_info"] = {"name": "python", "version": "3.11.7", "file_extension": ".py"}
    content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return dict(content)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda path: path.stem)
def test_what_was_only_run_is_saved_as_committed(path: Path) -> None:
    """Byte for byte, and an edit stays."""
    content, committed = executed(path), path.read_text(encoding="utf-8")
    before_saving({"type": "notebook", "content": content}, f"notebooks/{path.name}", contents_manager=None)
    assert committed == nbformat.writes(nbformat.from_dict(content)) + "\n"
    edited = executed(path)
    edited["cells"][1]["source"][0] = "MINE: int = 1  # an edit\n"
    before_saving({"type": "notebook", "content": edited}, f"notebooks/{path.name}", contents_manager=None)
    content["cells"][1]["source"][0] = "MINE: int = 1  # an edit\n"
    assert content == edited


@pytest.mark.parametrize("place", ["runs/x/benchmark.ipynb", "mine.ipynb", "notebooks/notes.txt"])
def test_what_lies_elsewhere_is_saved_whole(place: str) -> None:
    """A run's executed notebook, or one of the user's own, keeps its outputs; a text is no notebook."""
    kind = "notebook" if place.endswith("ipynb") else "file"
    content = executed(ROOT / "notebooks" / "live.ipynb") if kind == "notebook" else "text"
    model = {"type": kind, "content": content}
    before = json.dumps(model)
    before_saving(model, place)
    assert before == json.dumps(model)


# -- in the browser --------------------------------------------------------------------------------------------------


class Checkout:
    """A folder like a checkout, with notebooks of its own, and the address of the JupyterLab that is rooted in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""
        self.pid = 0
        """JupyterLab's."""
        (folder / "notebooks").mkdir()
        for name, given in (("benchmark", QUICK), ("live", SMALL_LIVE)):
            self.notebook(name).write_text(edited(name, given), encoding="utf-8")

    def notebook(self, name: str) -> Path:
        """Where it lies."""
        return self.folder / "notebooks" / f"{name}.ipynb"

    def started(self) -> list[psutil.Process]:
        """All processes that the notebooks' kernels have started."""
        kernels = psutil.Process(self.pid).children()
        return [process for kernel in kernels for process in kernel.children(recursive=True)]


@contextmanager
def jupyterlab(place: Checkout) -> Iterator[None]:
    """It runs there as `make lab` starts it, on a free port, with settings and kernels of nobody else."""
    token, home = secrets.token_hex(16), place.folder.with_name("home")
    env = {name: value for name, value in clean().items() if "JUPYTER" not in name}
    env |= {"JUPYTER_TOKEN": token, "HOME": str(home), "JUPYTER_CONFIG_DIR": str(home), "JUPYTER_DATA_DIR": str(home)}
    env |= {"JUPYTER_RUNTIME_DIR": str(home / "runtime"), "IPYTHONDIR": str(home / "ipython")}
    root = ["--allow-root"] if os.geteuid() == 0 else []
    command = [sys.executable, "-m", "sentinel.lab.notebook.jupyterlab", "--no-browser", "--port=0", *root]
    with (place.folder / "lab.log").open("w") as log:
        process = subprocess.Popen(command, cwd=place.folder, env=env, stdout=log, stderr=log)
    place.pid = process.pid
    try:
        eventually(lambda: list((home / "runtime").glob("jpserver-*.json")), 40)
        (told,) = (home / "runtime").glob("jpserver-*.json")
        place.address = f"{json.loads(told.read_text())['url']}lab?token={token}"
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout in which JupyterLab runs."""
    actual = Checkout(tmp_path_factory.mktemp("checkout"))
    with jupyterlab(actual):
        yield actual


@pytest.fixture(scope="module")
def tab(place: Checkout) -> Iterator[Page]:
    """One tab of a browser that reaches this machine alone."""
    quiet = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program(), args=quiet)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.set_default_timeout(LONG)
        page.goto(place.address)
        yield page
        browser.close()


def choose(tab: Page, menu: str, item: str) -> None:
    """Take an item of a menu."""
    tab.get_by_role("menuitem", name=menu, exact=True).click()
    tab.locator(".lm-Menu-item").filter(has_text=re.compile(rf"^{item}")).first.click()


def opened(tab: Page, place: Checkout, name: str) -> None:
    """Open a notebook, and wait for its kernel."""
    tab.goto(place.address.replace("/lab?", f"/lab/tree/notebooks/{name}.ipynb?reset&"))
    tab.get_by_text("Python 3 (ipykernel) | Idle").wait_for()


def in_sight(tab: Page, selector: str) -> bool:
    """Whether the whole of it is within the window."""
    box, size = tab.locator(selector).first.bounding_box(), tab.viewport_size
    assert size is not None
    return box is not None and box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def run_all(tab: Page, step: str) -> None:
    """Run all cells, and see in the window's lower part that such a step runs, though its cell is out of sight."""
    choose(tab, "Run", "Run All Cells")
    tab.locator(STATUS).filter(has_text=re.compile(rf"\d+ % {step}.*, about \d+:\d\d left")).wait_for()
    assert in_sight(tab, STATUS)


def ended_well(tab: Page, place: Checkout, name: str) -> runs.Run:
    """All that is to be there once a notebook has come to its end; returns its run."""
    link = tab.locator(LINK)
    link.wait_for()
    run = runs.find(place.folder)[-1]
    assert [] == tab.locator(TROUBLE).all_inner_texts()
    assert 0 == tab.locator(STATUS).count()
    assert (name, run_data.FINISHED) == (run.data.notebook, run.state)
    assert [] == [problem for trial in run.data.trials for problem in trial.problems]
    answered = tab.request.get(link.get_attribute("href") or "")
    assert run.report.read_text(encoding="utf-8") == answered.text()
    return run


def assert_saved_as_it_was(tab: Page, place: Checkout, name: str) -> None:
    """Saving changes not one byte of a notebook that was run and not edited, though it shows its outputs."""
    path = place.notebook(name)
    before, moment = path.read_bytes(), path.stat().st_mtime_ns
    tab.keyboard.press("Control+s")
    eventually(lambda: path.stat().st_mtime_ns > moment and path.read_bytes().endswith(b"}\n"), 20)  # written whole
    assert before == path.read_bytes()
    assert tab.locator(".jp-OutputArea-output").count() > 4


@pytest.mark.timeout(100)
def test_a_watch_is_where_the_eye_is(tab: Page, place: Checkout) -> None:
    """Run All brings the live view into the window while it is drawn; the notebook ends with its page and is clean."""
    opened(tab, place, "live")
    run_all(tab, "watching")
    tab.locator(VIEW).wait_for()
    assert in_sight(tab, VIEW)
    ended_well(tab, place, "live")
    assert_saved_as_it_was(tab, place, "live")
    assert 0 == tab.get_by_text("Jupyter news").count()  # asks for no leave to ask the network


@pytest.mark.timeout(120)
def test_an_interrupted_notebook_can_be_run_again(tab: Page, place: Checkout) -> None:
    """What was started before an interrupt is gone, its record is kept, and the next Run All ends well."""
    opened(tab, place, "benchmark")
    run_all(tab, r"capacity: optimised \(again\)")
    started = place.started()
    assert len(started) >= 3  # supervisor, bus, store
    choose(tab, "Kernel", "Interrupt Kernel")
    tab.locator(TROUBLE).filter(has_text=re.compile("interrupted; 1 of 4 trials .* kept in")).first.wait_for()
    eventually(lambda: not [process for process in started if process.is_running()], 20)
    interrupted = runs.find(place.folder)[-1]
    assert (run_data.INTERRUPTED, True) == (interrupted.state, interrupted.report.exists())
    run_all(tab, "capacity")
    run = ended_well(tab, place, "benchmark")
    assert interrupted.id != run.id
    assert in_sight(tab, LINK)
    assert_nothing_left(place.folder / "runs")
    assert_saved_as_it_was(tab, place, "benchmark")
