"""Which runs of a checkout are under way: a locked file in each one's folder, unlocked when its process ends.

Two runs at once take each other's time. Each learns of the other: the later one finds the earlier one's file locked,
and leaves its own id in it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sentinel.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sentinel.lab.run.run import Run

FILE = "under-way"


class Claim:
    """The lock that marks a run as under way, until `release` or the end of this process.

    Args:
        run: The run that this process carries out; its folder exists.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._path = run.folder / FILE
        self._file = self._path.open("a+", encoding="utf-8")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self._before = [path for path in run.folder.parent.glob(f"*/{FILE}") if path != self._path and _locked(path)]
        for path in self._before:
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{run.id}\n")

    def release(self) -> list[str]:
        """End the claim.

        Returns:
            The ids of the runs that were under way at the same time, if only for a while.
        """
        self._file.seek(0)
        others = [*(path.parent.name for path in self._before), *self._file.read().split()]
        self._path.unlink(missing_ok=True)
        self._file.close()
        return others


@contextmanager
def sole(run: Run) -> Iterator[None]:
    """Carry out a run as the only process that executes its notebook, from its beginning to its page.

    Args:
        run: Its folder exists.

    Raises:
        RunError: another process does so now.
    """
    folder = os.open(run.folder, os.O_RDONLY)
    try:
        _lock(folder, run)
        yield
    finally:
        os.close(folder)


def _lock(folder: int, run: Run) -> None:
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"run {run.id} is under way in another process: wait for its end, or end it") from None


def under_way(run: Run) -> bool:
    """Whether a process is carrying out this run now."""
    return _locked(run.folder / FILE)


def _locked(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # gone meanwhile, or not ours to open: nothing that runs here
        return False
    return False
