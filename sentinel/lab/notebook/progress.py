"""Progress of long work: a line in the notebook that updates in place, and a file for a runner that watches."""

from __future__ import annotations

import html
import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from sentinel.environment import LabSettings
from sentinel.lab.notebook import frontend
from sentinel.lab.notebook.estimate import Estimate, clock, share

if TYPE_CHECKING:
    from collections.abc import Mapping

WORK = ""
"""The kind of a step that has no other of its kind."""


class Progress:
    """Follows steps of several kinds, names the step that runs. The notebook keeps only the last state of its line.

    The percentage shown never falls: where work turns out slower than expected it stands still.

    Args:
        expected: Seconds of all steps of each kind.
    """

    def __init__(self, expected: Mapping[str, float]) -> None:
        self._estimate = Estimate(expected)
        self._began = self._since = time.monotonic()
        self._kind, self._label, self._note = WORK, "starting", ""
        self._step = 0.0
        self._percent = 0  # the highest shown so far
        self._closed = False
        path = LabSettings.from_env().progress
        self._file = Path(path) if path else None
        # Outside a notebook it would print an object.
        self._handle = display(HTML(""), display_id=True) if get_ipython() else None
        self._show()

    def step(self, label: str, seconds: float = 0.0, *, kind: str = WORK) -> None:
        """A step begins.

        Args:
            label: What is shown of it.
            seconds: How long it should take.
            kind: One of those that were expected; `WORK` for a step that has no other of its kind.
        """
        self._keep_percent()
        self._label, self._note, self._step, self._kind = label, "", seconds, kind
        self._since = time.monotonic()
        self._show()

    def note(self, text: str) -> None:
        """Add details to the step shown in a terminal; the notebook itself does not show them.

        Args:
            text: A short text, in place of the one before.
        """
        self._note = text
        self._write()

    def advance(self, seconds: float) -> None:
        """The step, or a part of it, is over; the time that it took corrects the estimate.

        Args:
            seconds: Seconds that it was expected to take.
        """
        now = self._keep_percent()
        self._estimate.done(self._kind, seconds, now - self._since)
        self._since = now
        self._step = 0.0
        self._show()

    def skip(self, kind: str, seconds: float = math.inf) -> None:
        """Steps of a kind will not be taken.

        Args:
            kind: Of the steps.
            seconds: Seconds that they were expected to take; all that is left of the kind where it is infinite, and
                less than zero where more steps will be taken than were expected.
        """
        self._estimate.skip(kind, seconds)

    def close(self, label: str) -> None:
        """All the work is done.

        Args:
            label: What is shown from now on.
        """
        self._label, self._note, self._step, self._closed = label, "", 0.0, True
        self._show()

    def _keep_percent(self) -> float:
        """Keep what is shown by now, before what it follows from changes; returns the moment."""
        return float(self._state()["at"])

    def _state(self) -> dict[str, Any]:
        now = time.monotonic()
        step = self._step * self._estimate.scale(self._kind)
        spent = min(step, now - self._since)
        left = 0.0 if self._closed else max(0.0, self._estimate.left - spent)
        seconds = {"elapsed": now - self._began, "step": step - spent, "left": left}
        self._percent = 100 if self._closed else max(self._percent, share(now - self._began, left))
        state = {"label": self._label, "note": self._note, "closed": self._closed, "at": now, "percent": self._percent}
        return state | seconds | {"kernel": os.getpid()}

    def _show(self) -> None:
        self._write()
        if self._handle is None:
            return
        state = self._state()
        # The line comes last: it is what stays in the notebook.
        self._handle.update(frontend.hidden() if self._closed else frontend.status(state))
        percent = state["percent"]
        rest = "" if self._closed else f", about {clock(state['left'])} left"
        bar = f'<progress max="100" value="{percent}" style="width:16em"></progress>'
        self._handle.update(HTML(f"<p>{bar} {state['percent']} % {html.escape(self._label)}{rest}</p>"))

    def _write(self) -> None:
        """Whole or not at all: whoever reads it sees no half state. No run ends because its progress is not seen."""
        if self._file is None:
            return
        part = self._file.with_suffix(".part")
        with suppress(OSError):
            part.write_text(json.dumps(self._state()), encoding="utf-8")
            part.replace(self._file)
