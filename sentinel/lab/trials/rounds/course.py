"""How far the rounds of one group of trials are, and whether another one comes. Pure: time is an argument.

It ends where every key ratio has settled at a look that was announced, at the last look, or where time is up: never
because a ratio says something. The looks follow from how long a round takes; they are fixed once the first has come.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sentinel.lab.formatting import counted
from sentinel.lab.run.trial_record import Settling
from sentinel.lab.statistics.rounds import settling
from sentinel.lab.statistics.rounds.sequential import affordable, announced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.estimates import Estimate

    KeyRatios = Callable[[Sequence[Outcome], Sequence[int]], Mapping[str, Estimate]]
    """The key ratios of trials by what each is called, with the intervals that belong to these looks."""

NAMED = 3
"""Ratios that the note names one by one; of more, those that are farthest from settled."""


class Course:
    """The rounds of one group so far.

    Args:
        ratios: The key ratios of the group's trials.
        settle: Half-width below which a ratio has settled, 0.05 for ± 5 %.
        within: Seconds that all rounds together may take.
        a_round: Seconds that a round should take; what the first really took counts.
        most: Rounds there are plans for.
    """

    def __init__(self, ratios: KeyRatios, *, settle: float, within: float, a_round: float, most: int) -> None:
        self._ratios, self._settle, self._within, self._most = ratios, settle, within, most
        self._estimates: Mapping[str, Estimate] = {}
        self._seconds = 0.0
        self.done = 0
        """Rounds so far."""
        self.looks = announced(affordable(within, a_round, most))
        """All looks that are announced, those to come among them."""
        self.settled = False
        """Whether all key ratios had settled at the last look."""

    def goes_on(self, outcomes: Sequence[Outcome], seconds: float) -> bool:
        """Whether another round comes.

        Args:
            outcomes: All trials of the group so far; one more round is over.
            seconds: Since the first round began.
        """
        self.done, self._seconds = self.done + 1, seconds
        self._announce(seconds / self.done)
        if self.done not in self.looks:
            return True
        self._estimates = self._ratios(outcomes, self.looks)
        self.settled = settling.settled(self._estimates.values(), self._settle)
        return not self.settled and self.done < self.looks[-1]

    def _announce(self, a_round: float) -> None:
        """Plan anew before the first look; after it, end with this round where time is up."""
        if self.done < self.looks[0]:
            self.looks = announced(max(self.done, affordable(self._within, a_round, self._most)))
        elif self._seconds + a_round > self._within:
            self.looks = (*(look for look in self.looks if look < self.done), self.done)

    @property
    def left(self) -> int:
        """Rounds to come, at most."""
        return self.looks[-1] - self.done

    @property
    def note(self) -> str:
        """How near the ratios are, for the line that shows the progress."""
        if not self._estimates:
            return "" if self.done in self.looks else f"first look after {counted(self.looks[0], 'round')}"
        widest = sorted(self._estimates, key=lambda name: -self._distance(name))
        if math.isinf(self._distance(widest[-1])):
            return "too few rounds for any interval"
        text = settling.progress({name: self._estimates[name] for name in widest[:NAMED]}, self._settle)
        rest = [settling.narrow(self._estimates[name], self._settle) for name in widest[NAMED:]]
        return f"{text}; {sum(rest)} of {len(rest)} others settled" if rest else text

    def _distance(self, name: str) -> float:
        """By which factor an interval is wider than it should be; infinite without one."""
        estimate = self._estimates[name]
        return estimate.half_width / settling.aim(estimate, self._settle) if estimate.keeps() else math.inf

    @property
    def ending(self) -> Settling:
        """How it ended, for the record."""
        full = self.done >= self._most
        return Settling(self.done, self._seconds, self._within, self.settled, full, len(self._estimates), self.note)
