"""Longer trials or more rounds: where the next minute of measuring buys most. Pure.

T. Kalibera and R. Jones, Rigorous Benchmarking in Reasonable Time (2013): a pilot's variance is split into what varies
between trials and what varies within one; at even cost-benefit a trial has √(c/w · T₁²/T₂²) windows, where c is what
a trial costs before its first window, w what a window costs, T₁² the variance within and T₂² that between trials.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

ROUNDS, LONGER = "more rounds", "longer trials"
NEAR = 1.1
"""A plan that takes up to 10 % less time is no reason to change."""


@dataclass(frozen=True)
class Allocation:
    """What a pilot says about the length of trials."""

    between: float
    """Variance of logarithms between trials, that of windows taken out; 0 where windows explain it all."""
    within: float
    """Variance of logarithms between the windows of a trial."""
    windows: int
    """Windows a trial of the pilot had."""
    best: int
    """Windows a trial should have."""
    window: float
    """Seconds a window."""
    fixed: float
    """Seconds that a trial costs beside its windows."""

    @property
    def advice(self) -> str:
        """`more rounds`, `longer trials`, or that they are as good as it gets: empty."""
        if self.cost(self.windows) <= NEAR * self.cost(self.best):
            return ""
        return LONGER if self.best > self.windows else ROUNDS

    def variance(self, windows: int) -> float:
        """Of the mean of one trial of so many windows."""
        return self.between + self.within / windows

    def cost(self, windows: int) -> float:
        """Seconds for one unit of precision (1 ÷ variance) with trials of so many windows."""
        return self.variance(windows) * (self.fixed + windows * self.window)

    def rounds(self, half_width: float, windows: int | None = None, legs: tuple[int, int] = (1, 1)) -> int:
        """Rounds that make the interval of a ratio as narrow as ± `half_width`, of trials of so many windows.

        Args:
            half_width: As a share, such as 0.05.
            windows: Of each trial; None takes the pilot's.
            legs: Trials a round of either side.
        """
        variance = self.variance(windows or self.best) * (1 / legs[0] + 1 / legs[1])
        return max(1, math.ceil(variance * (1.96 / math.log1p(half_width)) ** 2))

    def __str__(self) -> str:
        best, now = (f"{windows * self.window:,.0f} s" for windows in (self.best, self.windows))
        if not self.advice:
            return f"trials of {now} are as long as they should be"
        verb = "longer" if self.advice == LONGER else "shorter"
        saved = 100 * (1 - self.cost(self.best) / self.cost(self.windows))
        also = "" if verb == "longer" else ", and more rounds of them,"
        return f"{verb} trials{also} would take {saved:.0f} % less time: {best} each instead of {now}"


def allocate(pilot: ArrayLike, *, window: float, fixed: float, longest: int = 600) -> Allocation:
    """How many windows a trial should have.

    Args:
        pilot: A measure in each window of each trial of one configuration, positive, (rounds, windows) or
            (rounds, legs, windows). With several legs a round, what they share does not count: pairing takes it out.
            Windows should be long enough not to depend on each other.
        window: Seconds a window.
        fixed: Seconds that a trial costs beside them: start, warm-up, end.
        longest: Windows that a trial has at most.

    Raises:
        ValueError: If there are fewer than two trials of two windows, or a value is not positive.
    """
    values = np.asarray(pilot, float)
    values = values[:, None, :] if values.ndim == 2 else values
    rounds, legs, windows = values.shape
    if rounds * legs < 2 or windows < 2:
        raise ValueError(f"a pilot needs two trials of two windows, not {rounds * legs} of {windows}")
    if not (values > 0).all():
        raise ValueError(f"a pilot is made of positive numbers, not of {values.min():g}")
    logs = np.log(values)
    within = float(logs.var(axis=2, ddof=1).mean())
    means = logs.mean(axis=2)
    of_means = means.var(axis=1, ddof=1).mean() if legs > 1 else means.var(ddof=1)
    between = max(0.0, float(of_means) - within / windows)
    best = longest if not between else round(math.sqrt(fixed / window * within / between))
    return Allocation(between, within, windows, max(1, min(best, longest)), window, fixed)
