"""What is carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.lab.trials import plans
from sentinel.lab.trials.lab import Lab
from tape.parameters import Tape
from tape.summary import of_tape

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome, Plan


class TapeLab(Lab[Tape]):
    """One configuration, drained again and again."""

    notebook = "tape"

    def expected_seconds(self) -> dict[str, float]:
        """See Study."""
        return self.expected_of(self._plans())

    def _plans(self) -> list[Plan]:
        return plans.capacity(self.parameters)[: self.parameters.TURNS]

    def turns(self) -> list[Outcome]:
        """Every turn."""
        return self.carry_out(self._plans())

    @staticmethod
    def summarise(run: Run, outcomes: list[Outcome]) -> dict[str, Any]:
        """See Study."""
        return of_tape(outcomes)
