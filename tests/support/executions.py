"""Notebooks executed small, in a checkout of a test's own, and what their processes leave behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SMALL = {
    "STACK": "embedded",
    "DURATION": "1",
    "REPEATS": "1",
    "MESSAGES": "1000",
    "WORKERS": "3",
    "RATE": "200",
    "HEADLINE_RATE": "1000",
}
QUICK = SMALL | {"CONFIGURATIONS": "optimised", "MEMRAY": "False", "PYSPY": "False"}
SWITCHED = "optimised,decode=json.loads"
SMALL_SWEEP = {
    "STACK": "embedded",
    "CONFIGURATIONS": f"baseline,{SWITCHED.replace(',', ';')}",
    "RATES": "300",
    "DURATION": "1",
    "REPEATS": "1",
}
SMALL_ABLATION = {
    "STACK": "embedded",
    "REPEATS": "auto",
    "WITHIN": "2s",  # less than a round takes: there is one
    "MESSAGES": "1000",
    "WORKERS": "4",
    "MEMRAY": "False",
}
SMALL_LIVE = {"STACK": "embedded", "SECONDS": "3", "RATE": "200", "WORKERS": "3", "INTERVAL": "0.5", "WINDOW": "10"}

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""An environment in which Python takes all text for ASCII."""


def checkout(folder: Path) -> Path:
    """The folder, made to look like a checkout: the notebooks, and nothing measured yet."""
    (folder / "notebooks").symlink_to(ROOT / "notebooks")
    return folder


def edited(name: str, given: dict[str, str]) -> str:
    """The tracked notebook with other values in its parameters, as a user writes them there."""
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", 4)
    for parameter, value in given.items():
        quoted = rf'\g<1>"{value}"' if not re.fullmatch(r"[\d.]+|True|False", value) else rf"\g<1>{value}"
        pattern = rf"^({parameter}: \w+ = )\S+"
        notebook.cells[1].source = re.sub(pattern, quoted, notebook.cells[1].source, flags=re.MULTILINE)
    return nbformat.writes(notebook) + "\n"


def clean() -> dict[str, str]:
    """The environment without any external stack, and without make's own variables."""
    away = {"REDIS_URL", "INFLUX_URL", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    return {name: value for name, value in os.environ.items() if name not in away}


def sentinel(place: Path, *words: str, timeout: float = 150, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command there, with these variables in the environment."""
    return _ran(place, str(BIN / "sentinel"), *words, timeout=timeout, **env)


def make(place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the checkout's `make` there, with this environment of ours in place of its own."""
    own = ("make", "--no-print-directory", "-f", str(ROOT / "Makefile"), "-o", "install", f"VENV={BIN.parent}")
    return _ran(place, *own, *words, timeout=150, **env)


def _ran(place: Path, *command: str, timeout: float, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=place, env=clean() | env, capture_output=True, encoding="utf-8", timeout=timeout, check=False
    )


def eventually(holds: Callable[[], object], seconds: float = 40) -> None:
    """Wait until it holds; fail after so many seconds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def belonging_to(folder: Path) -> list[psutil.Process]:
    """Live processes whose command line names the folder."""
    collected = []
    for process in psutil.process_iter(["cmdline", "status"]):
        named = any(str(folder) in word for word in process.info["cmdline"] or [])
        if named and process.info["status"] != psutil.STATUS_ZOMBIE:
            collected.append(process)
    return collected


def assert_nothing_left(folder: Path) -> None:
    """No process that names the folder is left after a while."""
    end = time.monotonic() + 20
    while (left := belonging_to(folder)) and time.monotonic() < end:
        time.sleep(0.2)
    assert [] == [p.cmdline() for p in left if p.is_running()]
