"""The progress bar of an executed notebook, which follows the file that its kernel appends to."""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRESS = "progress.jsonl"
"""The file's name in a run's folder."""
OUTSIDE = 8.0
"""Seconds that kernel, figures and page take, for the progress bar only."""


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


def state(progress: Path) -> dict[str, Any]:
    """What the notebook does now; empty before it says so, or within half a line."""
    try:
        return dict(json.loads(progress.read_text().splitlines()[-1]))
    except (OSError, IndexError, ValueError):
        return {}


def _show(bar: Any, progress: Path) -> None:
    if not (now := state(progress)):
        return
    bar.total = now["total"]
    # Within a step the time that has passed is the best guess there is.
    bar.n = min(bar.total, now["done"] + min(now["step"], time.time() - now["at"]))
    bar.unit = tqdm.format_interval(now["total"] + OUTSIDE)
    bar.set_description_str(now["label"])
