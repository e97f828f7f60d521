"""A lab that carries out pairs of trials as duets, as long as the machine bears them."""

from __future__ import annotations

from dataclasses import replace
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

    def duets(self, rounds: Sequence[tuple[Plan, Plan]]) -> list[Outcome]:
        """Carry out rounds of two trials at the same time; the order of their starts alternates.

        The first duet that saturates the machine ends that: the run has a warning, and all rounds are carried out with
        one trial after the other. What was measured in duets then counts no more.

        Args:
            rounds: Two legs each, under equal loads; they are numbered here.

        Returns:
            The outcomes that may count: in duets both legs of a round one after the other, in the order of `rounds`.

        Raises:
            RunEndedError: as in `carry_out`.
        """
        outcomes = list[Outcome]()
        with self.keeping():
            for number, pair in enumerate(rounds):
                two = self._duet(*pair, first=rules.first(number))
                outcomes += two
                self.outcomes += two
                if why := rules.saturated(two):
                    rules.dismiss(outcomes, why)
                    self._warn(why)
                    break
                self.checkpoint()
            else:
                return outcomes
        return self.carry_out([*rules.in_turn(rounds)])

    def _duet(self, a: Plan, b: Plan, *, first: int) -> tuple[Outcome, Outcome]:
        """Both legs of one round."""
        self._supervision.ask()
        seconds = self.expected(a) + self.expected(b)
        label = f"{a.kind}: {a.label} beside {b.label}, round {a.repeat + 1}"
        self._progress.step(label, seconds, kind=a.kind)
        legs = [self._trial(replace(bare, number=self._numbered())) for bare in (a, b)]
        outcomes = Duet(*legs, first=first).run()
        self._progress.advance(seconds)
        return outcomes

    def _warn(self, why: str) -> None:
        self.run.data.warnings.append(
            f"Two consumers at the same time saturate this machine ({why}): they were measured one after the other."
        )
