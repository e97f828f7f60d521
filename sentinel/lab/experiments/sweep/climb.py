"""The search for the knee: which rate is offered next. Pure.

First a climb: one trial a rate, up a ladder, until a rate fails; a trial that does not meet the SLO is repeated at
once, and the better of the two counts there. Then bisections between the highest rate that met it and the lowest that
did not. Then a confirmation by fresh repeats at the knee and at the next rate up, and wherever those move it to, until
it stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sentinel.lab.experiments.sweep.knee import CLIMB, CONFIRM, HOLDS, Level, Step, around, levels
from sentinel.lab.trials.plans import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

BISECTIONS = 2
"""How often a step of the ladder is halved."""
ROUNDING = 1.01
"""Quotient by which two rates of three digits may miss theirs."""


Trial: TypeAlias = "Callable[[str, float, str], Step]"
"""Carries out one trial: configuration, rate (msg/s), phase."""


def rounded(rate: float) -> float:
    """A rate to three significant digits, so that it is easily said.

    Args:
        rate: msg/s.
    """
    return float(f"{rate:.3g}")


@dataclass(frozen=True)
class Ladder:
    """The rates of a climb, msg/s: a list, or from `start` by `factor` up to `ceiling`, which is the last."""

    start: float
    factor: float
    ceiling: float
    rates: tuple[float, ...] = ()

    @property
    def finest(self) -> float:
        """Quotient of two rates between which none is offered; a list is taken as it is."""
        return math.inf if self.rates else self.factor ** (0.5**BISECTIONS)

    @property
    def rungs(self) -> list[float]:
        """All rates of the ladder, rising."""
        values = [self.rates[0] if self.rates else self.start]
        while (higher := self.above(values[-1])) is not None:
            values.append(higher)
        return values

    def above(self, rate: float) -> float | None:
        """The next rate up the ladder.

        Args:
            rate: msg/s, on the ladder or between two rungs.

        Returns:
            msg/s; None at the top.
        """
        higher = self.rates or (min(rounded(rate * self.factor), self.ceiling),)
        return next((item for item in higher if item > rate), None)

    def between(self, low: float, high: float) -> float | None:
        """The geometric mean of two rates, rounded.

        Args:
            low: The lower rate, msg/s.
            high: The higher rate, msg/s.

        Returns:
            msg/s; None where no rate is offered between two so near, but for the rounding.
        """
        middle = rounded(math.sqrt(low * high))
        return middle if high / low > ROUNDING * self.finest and low < middle < high else None


def _of(steps: Sequence[Step], name: str) -> list[Step]:
    return [step for step in steps if step.configuration == name]


# -- climbing --------------------------------------------------------------------------------------------------------


def climb(names: Sequence[str], trial: Trial, ladder: Ladder) -> list[Step]:
    """Find where each configuration begins to fail; they take turns, so that a drift of the machine meets all alike.

    Args:
        names: The configurations.
        trial: Carries out one trial: configuration, rate (msg/s), phase.
        ladder: The rates.

    Returns:
        Every trial, in the order in which they were carried out.
    """
    steps: list[Step] = []
    while wanted := {name: rate for name in names if (rate := next_rate(_of(steps, name), ladder)) is not None}:
        for name, rate in wanted.items():
            steps.append(trial(name, rate, CLIMB))
            if steps[-1].why:  # one bad trial alone is not the knee
                steps.append(trial(name, rate, CLIMB))
    return steps


def next_rate(steps: Sequence[Step], ladder: Ladder) -> float | None:
    """The rate that one configuration's climb offers next.

    Args:
        steps: The configuration's trials so far.
        ladder: The rates.

    Returns:
        msg/s; None when the climb is over.
    """
    if not steps:
        return ladder.rungs[0]
    seen = {level.rate: level.climbed for level in levels(steps)}
    held = max((rate for rate, verdict in seen.items() if verdict == HOLDS), default=None)
    broken = min((rate for rate, verdict in seen.items() if verdict != HOLDS), default=None)
    if broken is None:
        return ladder.above(max(seen))
    return None if held is None else ladder.between(held, broken)


# -- confirming ------------------------------------------------------------------------------------------------------


def confirm(steps: Sequence[Step], trial: Trial, ladder: Ladder, repeats: int) -> list[Step]:
    """Repeat the rates around each configuration's knee, interleaved.

    Args:
        steps: The climb's trials, of all configurations.
        trial: Carries out one trial: configuration, rate (msg/s), phase.
        ladder: The rates.
        repeats: Trials at each rate.

    Returns:
        The trials of the confirmation, in the order in which they were carried out.
    """
    names, done = list(dict.fromkeys(step.configuration for step in steps)), list(steps)
    while pairs := {f"{n} {rate}": (n, rate) for n in names for rate in to_confirm(levels(_of(done, n)), ladder)}:
        done += [trial(*pairs[pair], CONFIRM) for _, pair in interleaved(list(pairs), repeats)]
    return done[len(steps) :]


def to_confirm(collected: Sequence[Level], ladder: Ladder) -> list[float]:
    """The rates that one configuration's confirmation offers next.

    Args:
        collected: The configuration's trials so far by rate, rising.
        ladder: The rates.

    Returns:
        msg/s; empty when the confirmation is over.
    """
    confirmed = {level.rate for level in collected if level.confirm}
    top, beyond = around(collected)
    if missing := [level.rate for level in (top, beyond) if level is not None and level.rate not in confirmed]:
        return missing
    if top is None:
        return []
    further = ladder.above(top.rate) if beyond is None else ladder.between(top.rate, beyond.rate)
    return [further] if further is not None else []
