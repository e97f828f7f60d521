"""Progress of long work: a line in the notebook that updates in place, and a file for a runner that watches."""

from __future__ import annotations

import html
import json
import os
import time
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from sentinel.settings import LabSettings


class Progress:
    """Counts expected seconds of work, names the step. The notebook keeps only the last state of its line."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._done = 0.0
        self._label = "starting"
        self._step = 0.0
        path = LabSettings.from_env().progress
        self._file = Path(path) if path else None
        # Outside a notebook it would print an object.
        self._handle = display(HTML(""), display_id=True) if get_ipython() else None
        self._show()

    def step(self, label: str, seconds: float = 0.0) -> None:
        """Name what is going on now, and how long it should take."""
        self._label, self._step = label, seconds
        self._show()

    def advance(self, seconds: float) -> None:
        """Count expected seconds as done."""
        self._done = min(self._total, self._done + seconds)
        self._step = 0.0
        self._show()

    def close(self, label: str) -> None:
        """Everything is done."""
        self._done, self._step, self._label = self._total, 0.0, label
        self._show()

    def _show(self) -> None:
        if self._file is not None:
            seconds = {"done": self._done, "total": self._total, "step": self._step}
            line = {"label": self._label, "at": time.time(), **{k: round(v, 1) for k, v in seconds.items()}}
            line["kernel"] = os.getpid()
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        if self._handle is not None:
            share = 100 * self._done / self._total if self._total else 100
            bar = f'<progress max="100" value="{share:.0f}" style="width:16em"></progress>'
            self._handle.update(HTML(f"<p>{bar} {share:.0f} % {html.escape(self._label)}</p>"))
