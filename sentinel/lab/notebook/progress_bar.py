"""The progress of an executed notebook on stderr: one line that is drawn anew, or whole lines where no terminal is.

Its kernel keeps what it does now in a file; see `progress.Progress`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from sentinel.lab.notebook.estimate import clock, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROGRESS = "progress.json"
"""The file's name in a run's folder."""
REPORT = 6.0
"""Seconds that the figures and the page take, for the progress bar only."""
STARTING, REPORTING = "starting the kernel and the stack", "drawing the report"
LOOK, LINE = 0.25, 15.0
"""Seconds between two looks at the file, and at most between two lines where there is no terminal."""


@contextmanager
def watched(progress: Path) -> Iterator[None]:
    """Show on stderr how far the notebook is, while the block runs.

    Args:
        progress: The file that the kernel writes its state into; it need not be there yet.
    """
    line = TerminalLine() if sys.stderr.isatty() else LogLines()
    done = threading.Event()
    thread = threading.Thread(target=_watch, args=(progress, done, line), daemon=True)
    thread.start()
    try:
        yield
        line.finished = True
    finally:
        done.set()
        thread.join()


def _watch(progress: Path, done: threading.Event, line: TerminalLine | LogLines) -> None:
    began, highest = time.monotonic(), 0
    while not done.wait(LOOK):
        now = standing(state(progress), time.monotonic() - began, time.monotonic())
        highest = max(highest, now.percent)  # it never falls, whatever an estimate learns
        line.show(replace(now, percent=highest))
    line.close(time.monotonic() - began)


def state(progress: Path) -> dict[str, Any]:
    """What the kernel wrote of its state.

    Args:
        progress: The file that the kernel writes into.

    Returns:
        The keys of `progress.Progress`'s file; empty where it is missing or half written.
    """
    try:
        return dict(json.loads(progress.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


@dataclass(frozen=True)
class Standing:
    """How far the work is."""

    percent: int
    time: str
    step: str
    note: str = ""
    """What the step tells of itself."""

    @property
    def words(self) -> str:
        """The step, and what it tells."""
        return f"{self.step}: {self.note}" if self.note else self.step


def standing(state: Mapping[str, Any], elapsed: float, now: float) -> Standing:
    """How far the work is now.

    Args:
        state: See `state`.
        elapsed: Seconds since the start.
        now: Seconds on the monotonic clock, which all processes share.
    """
    if not state:
        return Standing(0, clock(elapsed), STARTING)
    # Within a step the time that has passed is the best guess there is.
    passed = max(0.0, now - state["at"])
    if state["closed"]:
        left, step = max(1.0, REPORT - passed), REPORTING
    else:
        left, step = max(0.0, state["left"] - min(passed, state["step"])) + REPORT, state["label"]
    return Standing(share(elapsed, left), f"{clock(elapsed)} of about {clock(elapsed + left)}", step, state["note"])


class TerminalLine:
    """One line that is drawn anew."""

    LAYOUT = "{percentage:3.0f}% |{bar:20}| {unit}  {desc}"

    def __init__(self) -> None:
        self.finished = False
        """Whether the work came to its end; else the line is left as it was."""
        self._bar = tqdm(total=100, desc=STARTING, unit="0:00", bar_format=self.LAYOUT, mininterval=0)

    def show(self, now: Standing) -> None:
        """Draw the line."""
        self._bar.n, self._bar.unit = now.percent, now.time
        self._bar.set_description_str(now.words)

    def close(self, elapsed: float) -> None:
        """Draw the line for the last time.

        Args:
            elapsed: Seconds since the start.
        """
        if self.finished:
            self.show(Standing(100, clock(elapsed), "done"))
        self._bar.close()


class LogLines:
    """A whole line at each step, and at least one every `LINE` seconds."""

    def __init__(self) -> None:
        self.finished = False
        """See TerminalLine."""
        self._step, self._due = "", 0.0

    def show(self, now: Standing) -> None:
        """Write a line, if one is due."""
        moment = time.monotonic()
        if now.step != self._step or moment >= self._due:
            self._step, self._due = now.step, moment + LINE
            print(f"{now.percent:3}% {now.time}  {now.words}", file=sys.stderr, flush=True)

    def close(self, elapsed: float) -> None:
        """Write the last line.

        Args:
            elapsed: Seconds since the start.
        """
        if self.finished:
            self.show(Standing(100, clock(elapsed), "done"))
