"""The records of running programs, followed line by line into a window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.live.figures import QUANTILES
from sentinel.lab.experiments.live.window import Window
from sentinel.lab.run import series
from sentinel.lab.trials.tail import Tail
from sentinel.runtime.record import INTERVALS, LEDGER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Feed:
    """Brings a trial's folder, while it grows or afterwards, into a window.

    Args:
        folder: The trial's folder.
        window: What the lines go into.
    """

    def __init__(self, folder: Path, window: Window) -> None:
        self._folder = folder
        self._window = window
        self._tails: dict[Path, Tail] = {}

    def read(self) -> None:
        """Bring the lines that were written since the last call."""
        for folder in series.senders(self._folder):
            # Looked at before the lines: whoever has ended by now has written its last one.
            ended = (folder / LEDGER).exists()
            for line in self._new(folder):
                if folder.name == series.AGENT:
                    self._window.agent(line)
                else:
                    self._window.load(folder.name, line)
            if ended:
                self._window.ended(folder.name)
        for line in self._new(self._folder / series.CONSUMER):
            self._window.consumer(line)

    def _new(self, folder: Path) -> list[dict[str, Any]]:
        return self._tails.setdefault(folder, Tail(folder / INTERVALS)).lines()


def replayed(folder: Path, seconds: float, quantiles: Sequence[float] = QUANTILES) -> Window:
    """A window with all that the programs recorded in a trial's folder.

    Args:
        folder: The trial's folder.
        seconds: How far the window reaches back.
        quantiles: At which key figures have latencies, from 0 to 1.
    """
    window = Window(seconds, quantiles)
    Feed(folder, window).read()
    return window
