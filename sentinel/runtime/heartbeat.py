"""A sign of life for whoever watches a process from outside: a file whose age says how long ago its work went on.

A container's health check needs no more than `find FILE -mmin -0.5`. Without a file nothing is written.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sentinel.errors import SettingsError


class Heartbeat:
    """A file that is touched while the work goes on.

    Args:
        path: the file; empty: none.

    Raises:
        SettingsError: the file cannot be written at the start.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path) if path else None
        if self._path is not None:
            try:
                self._path.touch()
            except OSError as error:
                raise SettingsError(f"cannot write the heartbeat to {self._path}: {error.strerror}") from error

    def beat(self) -> None:
        """Touch the file. Where that fails the file grows old, which is what its watcher looks for."""
        if self._path is not None:
            with suppress(OSError):
                self._path.touch()
