"""Labs that repeat their trials round by round: so often as REPEATS says, or until the ratios have settled."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, TypeVar

from sentinel.lab.parameters import Settled
from sentinel.lab.statistics.rounds.sequential import affordable
from sentinel.lab.trials.lab import Lab
from sentinel.lab.trials.rounds.course import Course

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Outcome, Plan
    from sentinel.lab.trials.rounds.course import KeyRatios

S = TypeVar("S", bound=Settled)


class RepeatingLab(Lab[S]):
    """A lab whose groups of trials share WITHIN, where REPEATS is `auto`.

    A group gets an even part of what is left, so that none is without; what it does not use is left to the next.
    """

    groups: ClassVar[tuple[str, ...]]
    """The groups of trials whose ratios have to settle, in their order."""
    _spent = 0.0
    """Seconds of WITHIN that were used."""

    def foreseen(self, planned: Sequence[Plan]) -> list[Plan]:
        """The trials of one group that there will probably be: all where REPEATS is a number.

        Args:
            planned: Those of all rounds.
        """
        if not self.parameters.automatic:
            return list(planned)
        rounds = affordable(self.parameters.WITHIN / len(self.groups), self._a_round(planned))
        return [plan for plan in planned if plan.repeat < rounds]

    def _a_round(self, planned: Sequence[Plan]) -> float:
        """Roughly how long a round takes, in seconds."""
        return sum(self.expected(plan) for plan in planned if not plan.repeat)

    def within(self, group: str) -> float:
        """Seconds that are left for a group of trials, whose turn it is."""
        return max(0.0, self.parameters.WITHIN - self._spent) / (len(self.groups) - self.groups.index(group))

    def repeated(self, planned: Sequence[Plan], ratios: KeyRatios) -> list[Outcome]:
        """Carry out the trials of one group, round by round.

        Args:
            planned: Those of all rounds that there may be.
            ratios: The key ratios, asked for at announced looks where REPEATS is `auto`: there it ends once they have
                settled, or its part of WITHIN is used up.

        Raises:
            RunEndedError: as `carry_out`.
        """
        if not self.parameters.automatic:
            return self.carry_out(planned)
        with self.keeping():
            return self._until_settled(planned, ratios)

    def timed(self, planned: Sequence[Plan], number: int = 0, note: str = "") -> tuple[list[Outcome], float]:
        """Carry out what takes a part of WITHIN.

        Args:
            planned: One round of a group of trials.
            number: Which, from 0.
            note: See `carry_out`.

        Returns:
            Its outcomes, and the seconds that they took, also where that was in an earlier session of the run: so it
            decides again as it has decided then.
        """
        group, began = planned[0].group, time.monotonic()
        noted = self.run.data.resumption.took.setdefault(group, [])
        with self.keeping():
            outcomes = self.carry_out(planned, note=note)
            if self.of_this_session(outcomes) or number >= len(noted):
                noted[number : number + 1] = [time.monotonic() - began]
                self.checkpoint()
        return outcomes, noted[number]

    def _until_settled(self, planned: Sequence[Plan], ratios: KeyRatios) -> list[Outcome]:
        p, group, a_round = self.parameters, planned[0].group, self._a_round(planned)
        within, ahead = self.within(group), len({plan.repeat for plan in self.foreseen(planned)})
        course = Course(ratios, settle=p.SETTLE, within=within, a_round=a_round, most=p.rounds)
        outcomes: list[Outcome] = []
        seconds, goes_on = 0.0, True
        while goes_on:
            self.run.data.looks[group] = list(course.looks)
            of_round = [plan for plan in planned if plan.repeat == course.done]
            latest, took = self.timed(of_round, course.done, course.note)
            outcomes, seconds = [*outcomes, *latest], seconds + took
            goes_on = course.goes_on(outcomes, seconds)
            left = course.left if goes_on else 0
            self._progress.skip(planned[0].kind, (ahead - 1 - left) * a_round)
            ahead = left
        self._spent += seconds
        self.run.data.looks[group] = list(course.looks)
        self.run.data.settling[group] = course.ending
        return outcomes
