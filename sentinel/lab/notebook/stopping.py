"""Stops of a notebook that is executed: the first signal interrupts its kernel, a second one ends everything."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tqdm import tqdm

from sentinel.lab.notebook.progress_bar import state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """A second signal asked for an end at once."""


@contextmanager
def stoppable(progress: Path) -> Iterator[list[int]]:
    """Let Ctrl-C, SIGTERM and SIGHUP interrupt the kernel, which keeps what it has, while the block runs.

    A second signal ends everything at once. A watch takes an interrupt for its end, and goes on to its report.

    Args:
        progress: The file in which the kernel names its process id.

    Yields:
        A list that fills with the exit codes of the signals that came.

    Raises:
        Stopped: a second signal came, or the first came before there was a kernel.
    """
    stopped: list[int] = []

    def stop(signum: int, _: object) -> None:
        stopped.append(128 + signum)
        kernel = state(progress).get("kernel")
        if kernel is None or len(stopped) > 1:
            raise Stopped
        tqdm.write("stopping; what was measured is kept (once more: at once)", file=sys.stderr)
        os.kill(kernel, signal.SIGINT)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
