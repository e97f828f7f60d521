"""A lab that carries out rounds of trials as duets, as long as the machine bears them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sentinel.lab.parameters import Common
from sentinel.lab.run.trial_record import Outcome
from sentinel.lab.trials.duets import rules
from sentinel.lab.trials.duets.duet import Duet
from sentinel.lab.trials.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.trial_record import Plan

P = TypeVar("P", bound=Common)


class DuetLab(Lab[P]):
    """A lab with duets."""

    def duets(self, rounds: Sequence[Sequence[Plan]]) -> list[Outcome]:
        """Carry out the trials of each round at the same time; the order of their starts alternates.

        The first duet that saturates the machine ends that: the run has a warning, and all rounds are carried out with
        one trial after the other. What was measured in duets then counts no more, for a comparison is of one kind.

        Args:
            rounds: The legs of each, under equal loads; they are numbered here.

        Returns:
            The outcomes that may count: of duets in the order of `rounds`.

        Raises:
            RunEndedError: as in `carry_out`.
        """
        outcomes = list[Outcome]()
        if self._dismissed_before(rounds):
            return self.carry_out([*rules.in_turn(rounds)])
        with self.keeping():
            for number, legs in enumerate(rounds):
                if whole := [*filter(None, self.recalled(legs))]:
                    outcomes += whole
                    continue
                together = self._duet(legs, backwards=rules.backwards(number))
                outcomes += together
                self.outcomes += together
                if why := rules.saturated(together):
                    self._dismiss(outcomes, why)
                    break
                self.checkpoint()
            else:
                return outcomes
        return self.carry_out([*rules.in_turn(rounds)])

    def _dismissed_before(self, rounds: Sequence[Sequence[Plan]]) -> bool:
        """Whether an earlier session of this run has begun with one trial after the other."""
        groups = {plan.group for legs in rounds for plan in legs if plan.paced}
        return any(o.valid and not o.beside for o in self._stored.left if o.plan.paced and o.plan.group in groups)

    def _duet(self, legs: Sequence[Plan], *, backwards: bool) -> list[Outcome]:
        self._supervision.ask()
        seconds = sum(map(self.expected, legs))
        label = f"{legs[0].kind}: {' beside '.join(plan.label for plan in legs)}, round {legs[0].repeat + 1}"
        self._progress.step(label, seconds, kind=legs[0].kind)
        outcomes = Duet(*map(self._numbered_trial, legs), backwards=backwards).run()
        self._progress.advance(seconds)
        return outcomes

    def _dismiss(self, outcomes: Sequence[Outcome], why: str) -> None:
        """The duets so far do not count."""
        numbered = {outcome.plan.number for outcome in outcomes}
        self.outcomes[:] = [outcome for outcome in self.outcomes if outcome.plan.number not in numbered]
        numbers = ", ".join(str(outcome.plan.number) for outcome in outcomes)
        self.run.data.warnings.append(
            f"Consumers at the same time saturate this machine ({why}): they were measured one after the other, and"
            f" trials {numbers} do not count."
        )
