"""Executes a notebook through papermill into a run's folder, with a progress bar, and exports its report.

Parameters are checked before anything starts. The kernel is this interpreter's. Whatever ends this process, the kernel
ends with it, and the kernel's warden ends the servers.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
from tqdm import tqdm

from sentinel.errors import RunError, SettingsError, TrialError
from sentinel.lab.export import export
from sentinel.lab.parameters import from_words
from sentinel.lab.runs import Run, load, new_id
from sentinel.settings import announce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOTEBOOKS = Path("notebooks")
PROGRESS = "progress.jsonl"
OUTSIDE = 8.0
"""Seconds that kernel, figures and page take, for the progress bar only."""
QUIET_KERNEL = ["--IPKernelApp.log_level=40"]
"""ipykernel warns of unencrypted TCP at every start; it listens on loopback only."""


def find_notebook(name: str) -> Path:
    """`benchmark`, or a path, to the notebook.

    Raises:
        SettingsError: there is no such notebook; the message lists what there is.
    """
    path = Path(name) if name.endswith(".ipynb") else NOTEBOOKS / f"{name}.ipynb"
    if not path.exists():
        there = ", ".join(sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb"))) or "none here"
        raise SettingsError(f"no notebook at {path} (start from the repository's root): there are {there}")
    return path


def check_words(notebook: Path, words: Iterable[str]) -> dict[str, Any]:
    """The parameters that `NAME=VALUE` words set, checked against the notebook.

    Raises:
        SettingsError: a name that the notebook does not have, or a value that is not allowed.
    """
    logging.getLogger("papermill").setLevel(logging.WARNING)
    return from_words(words, papermill.inspect_notebook(str(notebook)))


def execute(notebook: Path, parameters: dict[str, Any]) -> Run:
    """Execute into a new run's folder, export the report, return the run.

    Raises:
        RunError: the folder cannot be written.
        TrialError: a cell failed; what was executed is kept, and named in the message.
    """
    run = Run(new_id(notebook.stem)).create()
    progress = run.folder / PROGRESS
    announce(run.id, progress)
    # As an exception, a SIGTERM lets papermill shut its kernel down.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: interrupt(progress))
    try:
        with watched(progress):
            papermill.execute_notebook(
                str(notebook),
                str(run.notebook),
                parameters,
                kernel_name="python3",
                progress_bar=False,
                extra_arguments=QUIET_KERNEL,
            )
    except papermill.PapermillExecutionError as error:
        raise TrialError(
            f"{notebook} failed: {error.ename}: {error.evalue} (the executed notebook: {run.notebook})"
        ) from error
    finally:
        progress.unlink(missing_ok=True)
    run = load(run.id)
    export(run.notebook, run.report, f"{notebook.stem} {run.id}")
    return run


def interrupt(progress: Path) -> None:
    """Ctrl-C: tell the kernel, where that only ends what it does sooner; else this process ends, and all with it."""
    if (kernel := _state(progress).get("kernel")) is None:
        raise KeyboardInterrupt
    os.kill(kernel, signal.SIGINT)


@contextmanager
def watched(progress: Path) -> Iterator[None]:
    """A progress bar that follows the notebook's progress file."""
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(progress, done), daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _watch(progress: Path, done: threading.Event) -> None:
    # Where nobody watches, a line every now and then is enough.
    every = 0.2 if sys.stderr.isatty() else 15.0
    layout = "{percentage:3.0f}% |{bar:20}| {elapsed} of about {unit}  {desc}"
    with tqdm(total=100.0, desc="starting the kernel", unit="…", bar_format=layout, mininterval=0) as bar:
        while not done.wait(every):
            _show(bar, progress)
        _show(bar, progress)


def _state(progress: Path) -> dict[str, Any]:
    """What the notebook does now; empty before it says so, or within half a line."""
    try:
        return dict(json.loads(progress.read_text().splitlines()[-1]))
    except (OSError, IndexError, ValueError):
        return {}


def _show(bar: Any, progress: Path) -> None:
    if not (state := _state(progress)):
        return
    bar.total = state["total"]
    # Within a step the time that has passed is the best guess there is.
    bar.n = min(bar.total, state["done"] + min(state["step"], time.time() - state["at"]))
    bar.unit = tqdm.format_interval(state["total"] + OUTSIDE)
    bar.set_description_str(state["label"])


def export_again(name: str) -> Path:
    """Make the page of a run (by id), or of any executed notebook (by path), anew.

    Raises:
        RunError: no such run or notebook.
    """
    if name.endswith(".ipynb"):
        notebook, page = Path(name), Path(name).with_suffix(".html")
        if not notebook.exists():
            raise RunError(f"no notebook at {notebook}")
    else:
        run = load(name)
        notebook, page = run.notebook, run.report
        if not notebook.exists():
            raise RunError(
                f"{run.folder} holds no executed notebook: only `sentinel run` puts one there;"
                " give the path of the notebook that papermill wrote instead"
            )
    export(notebook, page, page.stem)
    return page
