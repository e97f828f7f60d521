"""The trials that a run has when it is resumed: which of them stay, and which are measured again. Pure.

The legs of a round are compared as pairs, so they are of one session: a round that is not whole is measured again as a
whole. Nothing in a memory or profile trial is timed, so each of them stays by itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from sentinel.lab.run.trial_record import MEMORY, PILOT, PROFILE

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Iterable, Sequence

    from sentinel.lab.run.trial_record import Outcome, Plan


class Stored:
    """Trials of a run's earlier sessions, until the same are asked for again; none in a new run.

    Args:
        outcomes: All that the record has.
        replaced: Those that count no more; what is measured again is added to them.
        refused: Contenders that failed their verification, so that their trials are invalid whenever they are tried.
        gaps: Groups of trials whose failures stay: the gaps that they left have decided how many rounds there are.
    """

    def __init__(
        self,
        outcomes: Iterable[Outcome],
        replaced: list[Outcome],
        refused: Collection[str] = (),
        *,
        gaps: Collection[str] = (),
    ) -> None:
        self._by_plan: dict[Plan, deque[Outcome]] = {}
        for outcome in outcomes:
            self._by_plan.setdefault(_bare(outcome.plan), deque()).append(outcome)
        self._refused, self._gaps = refused, gaps
        self.replaced = replaced

    @property
    def left(self) -> list[Outcome]:
        """Those that were not asked for yet."""
        return list(chain.from_iterable(self._by_plan.values()))

    def of(self, plans: Sequence[Plan]) -> list[Outcome | None]:
        """What stays of these trials.

        Args:
            plans: Of whole rounds; numbers do not matter.

        Returns:
            For each plan its outcome; None where it is to be carried out, as all legs of its round are.
        """
        rounds: dict[Hashable, list[int]] = {}
        for place, plan in enumerate(plans):
            rounds.setdefault(_round(plan), []).append(place)
        kept: list[Outcome | None] = [None] * len(plans)
        for legs in rounds.values():
            for place, outcome in zip(legs, self._whole([plans[place] for place in legs]), strict=False):
                kept[place] = outcome
        return kept

    def _whole(self, legs: Sequence[Plan]) -> list[Outcome]:
        """The outcomes of a round's legs; empty where one is missing, and those that are there count no more."""
        there = [queue.popleft() for plan in legs if (queue := self._by_plan.get(_bare(plan)))]
        if len(there) == len(legs) and all(map(self._stays, there)):
            return there
        self.replaced += there
        return []

    def _stays(self, outcome: Outcome) -> bool:
        """Whether it says something of the consumer: it is valid, or messages were counted and do not add up.

        A trial without a ledger says nothing: a process did not start or was killed, a server or the disk failed.
        """
        if outcome.plan.configuration in self._refused or outcome.plan.group in self._gaps:
            return True
        if outcome.plan.kind == MEMORY and not outcome.memory:  # the session ended before its capture was summed up
            return False
        return outcome.valid or bool(outcome.sender and outcome.consumer)

    def drop(self) -> None:
        """Nobody asks any more: what is left counts no more."""
        self.replaced += self.left
        self._by_plan.clear()


def _bare(plan: Plan) -> Plan:
    return replace(plan, number=0)


def _round(plan: Plan) -> Hashable:
    """What the legs of a round have in common; a pilot is one round."""
    if plan.label.endswith(PILOT):
        return PILOT
    return _bare(plan) if plan.kind in {MEMORY, PROFILE} else (plan.group, plan.repeat)
