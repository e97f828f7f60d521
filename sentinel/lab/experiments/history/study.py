"""A history: a study of runs that are there; it starts no server and rewrites nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.experiments.history.choice import chosen
from sentinel.lab.experiments.history.parameters import History
from sentinel.lab.experiments.history.record import Record
from sentinel.lab.experiments.history.summary import of_history
from sentinel.lab.run.run import project_root
from sentinel.lab.trials.study import Study

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

READING, SECONDS = "reading", 1.0
"""The kind of its work, and roughly how long it takes, for the progress bar only."""


class HistoryStudy(Study[History]):
    """Follows the key figures of comparable runs."""

    notebook = "history"

    def expected_seconds(self) -> dict[str, float]:
        """See Study."""
        return {READING: SECONDS}

    @classmethod
    def require(cls, parameters: History) -> None:
        """See Study: there are runs to follow."""
        chosen(parameters, project_root())

    def follow(self) -> None:
        """Read the runs, and keep what they measured.

        Raises:
            RunEndedError: the runs are gone meanwhile, or it was interrupted.
        """
        with self.keeping():
            self._progress.step("reading runs", SECONDS, kind=READING)
            record = chosen(self.parameters, self.run.root)
            self.run.data.add({name: getattr(record, name) for name in ("followed", "left_out", "alike", "series")})

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Study."""
        notebook = str(run.data.parameters["NOTEBOOK"])
        summed = of_history(notebook, run.sections(Record))
        return {name: getattr(summed, name) for name in ("series", "answer", "verdict")}
