"""Following a record that a running program writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


class Tail:
    """Follows one growing file of JSON lines; a line that is still being written is left for the next look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def lines(self) -> list[dict[str, Any]]:
        """What was added since the last look; nothing while there is no file."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._read += len(whole) + len(newline)
        return [json.loads(line) for line in whole.splitlines()]
