"""Writes runs/index.html, whole or not at all; where several runs end at once, one after the other."""

from __future__ import annotations

import fcntl
import os
import secrets
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.run.run import RUNS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE = "index.html"
PATIENCE = 5.0
"""Seconds that one process waits for another's index: what comes later knows of all runs."""


def refresh(root: Path) -> None:
    """Write the index after a run; whatever is in its way is one line on stderr, and the run stays what it is.

    Args:
        root: The checkout that holds `runs/`.
    """
    try:
        write(root)
    except Exception as error:  # noqa: BLE001 - the index is made of what the runs hold; no run may fail of it
        sys.stderr.write(f"{RUNS / FILE} is not up to date ({error}); `sentinel index` writes it anew\n")


def write(root: Path) -> Path:
    """Write the index of all runs.

    Args:
        root: The checkout that holds `runs/`.

    Returns:
        The path of the page.

    Raises:
        RunError: there are no runs, or the page cannot be written; what was there stays as it was.
    """
    from sentinel.lab.index.page import page
    from sentinel.lab.run.listing import entries

    folder = root / RUNS
    part = folder / f".{FILE}-{secrets.token_hex(4)}.part"
    if not any(path.is_dir() for path in folder.glob("[!.]*")):
        raise RunError(f"no runs in {folder}: `make benchmark` makes one")
    try:
        with _alone(folder):
            part.write_text(page(entries(root)), encoding="utf-8", errors="replace")
            part.replace(folder / FILE)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(f"cannot write {folder / FILE}: {error.strerror}") from error
    return folder / FILE


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, or go on without it once patience is at an end: a process may have been stopped."""
    handle, end = os.open(folder, os.O_RDONLY), time.monotonic() + PATIENCE
    try:
        while not _locked(handle) and time.monotonic() < end:
            time.sleep(0.02)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
