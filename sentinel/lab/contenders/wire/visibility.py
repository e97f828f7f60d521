"""Visible: intended send → readable by a query, a fifth latency, seen by a reader of its own beside a paced load.

Ten times a second it asks the store for the newest point. As old as that is when the answer has come, so long did it
take to become readable, the gap to the next message included.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sentinel import store
from sentinel.errors import StoreError
from sentinel.lab.process.beside import Beside
from sentinel.lab.run.series import VISIBLE
from sentinel.model.histogram import Recorder
from sentinel.runtime.record import Record
from sentinel.store.newest import newest

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.child import Child
    from sentinel.settings import StoreSettings

EVERY = 0.1
"""Seconds between two queries."""


class Reader(Beside):
    """Reads the newest point of a run back, from the start of its block until the load has ended.

    Args:
        folder: The trial's; receives a record of what was seen.
        settings: The store.
        run: Tag of the trial's points.
        load: The load generator.
    """

    def __init__(self, folder: Path, settings: StoreSettings, run: str, load: Child) -> None:
        super().__init__("reader")
        self._record = Record(folder / VISIBLE)
        self._settings = settings
        self._run = run
        self._load = load
        self._answers = 0

    def work(self) -> None:
        """Ask ten times a second while the load runs, then end the record."""
        connection = store.StoreClient(self._settings)
        try:
            server = store.identify(self._settings)
            while not self.done.wait(EVERY) and self._load.poll() is None:
                self._look(newest(connection, server, self._run))
        except StoreError:  # the trial itself says what is wrong with the store
            pass
        finally:
            connection.close()
            self._record.close({"answers": self._answers})

    def _look(self, moment: int | None) -> None:
        self._answers += 1
        if moment is not None:
            now, seen = time.time_ns(), Recorder()
            seen.record(now - moment)
            self._record.interval({"at": now, VISIBLE: seen.to_dict()})
