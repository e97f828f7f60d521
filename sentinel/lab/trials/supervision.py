"""What must hold while a run goes on: the stack's own servers run, and the disk has room for the record.

Asked a few times a second while a trial is waited for, so that a run ends as soon as it cannot succeed any more.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from sentinel.errors import BusError, RunEndedError, RunError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.stack import Stack

NEEDED = 300_000_000
"""Free bytes without which no run begins. Chosen, not measured: what a run takes depends on its parameters."""
RESERVE = 50_000_000
"""Free bytes that a run leaves: below them it ends, while its record can still be written."""
EVERY = 0.25
"""Seconds between two looks while a trial is waited for."""


class Supervision:
    """Watches over one run's stack and the disk under its folder."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder

    def check(self) -> None:
        """Look once.

        Raises:
            RunEndedError: a server of the stack has ended, or the disk is nearly full.
            StackError: the process supervisor itself is gone.
        """
        for server in self._stack.servers:
            if (code := server.poll()) is not None:
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                raise RunEndedError(f"{server.name} (pid {server.pid}) ended with {how}; its log is {server.log}")
        if (free := shutil.disk_usage(self._folder).free) < RESERVE:
            raise RunEndedError(
                f"the disk under {self._folder} is nearly full: {free / 1e6:.0f} MB are left, of which"
                f" {RESERVE / 1e6:.0f} MB are kept for the record; make room and run it again"
            )

    def ask(self) -> None:
        """Look, and ask bus and store whether they still answer; between trials only, since it takes a moment.

        Raises:
            RunEndedError: one of them does not answer, has ended, or the disk is nearly full.
        """
        from sentinel import bus, store

        self.check()
        try:
            bus.server_version(self._stack.bus)
            store.identify(self._stack.store)
        except (BusError, StoreError) as error:
            self.check()  # the end of a process says more than a refused connection
            raise RunEndedError(f"the stack does not answer any more: {error}") from error


def require_room(folder: Path, needed: int = NEEDED) -> None:
    """Refuse to begin a run that the disk has no room for.

    Args:
        folder: Of the run; the nearest folder above it that exists is asked.
        needed: Bytes.

    Raises:
        RunError: less is free.
    """
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if (free := shutil.disk_usage(there).free) < needed:
        raise RunError(
            f"{free / 1e6:.0f} MB are free under {there}, but a run needs {needed / 1e6:.0f} MB for the store's data"
            " and its record: make room, or run it in a checkout on another disk"
        )
