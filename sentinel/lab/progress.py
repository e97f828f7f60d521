"""Progress of long work: a line in the notebook that updates in place, and a file for a runner that watches."""

from __future__ import annotations

import html
import json
from pathlib import Path

from IPython.display import HTML, display

from sentinel.settings import LabSettings


class Progress:
    """Counts expected seconds of work, names the step. The notebook keeps only the last state of its line."""

    def __init__(self, total: float) -> None:
        self._total = total
        self._done = 0.0
        self._label = "starting"
        path = LabSettings.from_env().progress
        self._file = Path(path) if path else None
        self._handle = display(HTML(""), display_id=True)
        self._show()

    def step(self, label: str) -> None:
        """Name what is going on now."""
        self._label = label
        self._show()

    def advance(self, seconds: float) -> None:
        """Count expected seconds as done."""
        self._done = min(self._total, self._done + seconds)
        self._show()

    def close(self, label: str) -> None:
        """Everything is done."""
        self._done, self._label = self._total, label
        self._show()

    def _show(self) -> None:
        if self._file is not None:
            line = {"done": round(self._done, 1), "total": round(self._total, 1), "label": self._label}
            with self._file.open("a") as file:
                file.write(json.dumps(line) + "\n")
        if self._handle is not None:
            share = 100 * self._done / self._total if self._total else 100
            bar = f'<progress max="100" value="{share:.0f}" style="width:16em"></progress>'
            self._handle.update(HTML(f"<p>{bar} {share:.0f} % {html.escape(self._label)}</p>"))
