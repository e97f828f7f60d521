"""Whether the rounds' pairing helps, decided from the A/A control alone. Pure.

The rule looks at how the two legs of one configuration rise and fall together and over the session, never at which
interval is narrower: choosing the narrower one would make both too narrow.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks

if TYPE_CHECKING:
    from sentinel.lab.statistics.rounds.ranks import Floats

LEAST = 3
"""Rounds below which no correlation is looked at: rounds are paired as they were measured."""
TREND = 0.05
"""Error of the test for a trend over the session, two-sided."""
EVIDENT = 0.2
"""Error of the test for a correlation between the legs, one-sided. Pairing independent trials costs power; not pairing
correlated ones costs less of it, and makes the interval cover more than it says: so neither is held to 5 %."""


def helps(control: Floats, sizes: tuple[int, int]) -> bool:
    """Whether rounds are to be compared as pairs.

    They are where the control's legs rise and fall together, evidently and by more than pairing costs, or where they
    drift over the session.

    Args:
        control: The A/A control's legs, (rounds, 2), logarithms. Rounds with a missing leg do not count.
        sizes: How many values either side of the comparison has.
    """
    whole = control[np.isfinite(control).all(axis=1)]
    if len(whole) < LEAST:
        return True
    together = correlation(whole[:, 0], whole[:, 1])
    over_time = correlation(whole.mean(axis=1), np.arange(len(whole), dtype=float))
    enough = max(break_even(len(whole), *sizes), critical(len(whole), EVIDENT))
    return not (together < enough and abs(over_time) < critical(len(whole), TREND / 2))


def correlation(a: Floats, b: Floats) -> float:
    """Spearman's rank correlation; NaN where one side does not vary."""
    from scipy.stats import rankdata

    x, y = (ranked - ranked.mean() for ranked in (rankdata(a), rankdata(b)))
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread else float("nan")


@lru_cache
def break_even(rounds: int, a: int, b: int) -> float:
    """The correlation from which pairing gains more than it costs; 1 where so few pairs can keep no error of 5 %.

    Pairing takes the share ρ out of the variance. It costs degrees of freedom, `rounds` - 1 in place of a + b - 2, and
    its coarser test keeps its error with a margin. Both are even where √(1 - ρ) is the ratio of Student's quantiles.

    Args:
        rounds: How many there are.
        a: Trials of the one side.
        b: Trials of the other.
    """
    from scipy.special import stdtrit

    paired, unpaired = ((chances, ranks.cut(chances)) for chances in (ranks.signed_rank(rounds), ranks.rank_sum(a, b)))
    if not paired[1] or not unpaired[1]:
        return 1.0 if unpaired[1] else -1.0
    wide = stdtrit(rounds - 1, 1 - ranks.missed(*paired) / 2)
    narrow = stdtrit(a + b - 2, 1 - ranks.missed(*unpaired) / 2)
    return float(1 - (narrow / wide) ** 2)


@lru_cache
def critical(rounds: int, error: float) -> float:
    """The rank correlation that chance alone exceeds with this probability (Student's approximation)."""
    from scipy.special import stdtrit

    quantile = float(stdtrit(rounds - 2, 1 - error))
    return quantile / float(np.sqrt(rounds - 2 + quantile**2))
