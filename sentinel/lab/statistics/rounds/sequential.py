"""Looks at a growing number of rounds that are announced beforehand, and an error budget spent over them. Pure.

Whoever looks again after every round, and stops where it suits, is wrong far more often than 5 in 100. Here each look
has its own order statistics, so chosen that the intervals of *all* looks hold the truth together in 95 of 100
experiments (repeated confidence intervals, C. Jennison and B. W. Turnbull, 1989): then any rule may stop, on any look.
The budget grows with the share t of rounds done, on either side as 2 - 2Φ(z / √t) (K. K. G. Lan and D. L. DeMets,
1983, after P. C. O'Brien and T. R. Fleming): little early, nearly all at the end. What a look's coarse test cannot
spend is left to the later ones.

Where rounds are independent and without ties, the statistics of all looks have one joint distribution whatever the
noise: it is simulated (seeded), and each look's own share is the exact one of `ranks`. A pairing that changes between
looks, and a drift, add a little to the error: docs/measurements-verdicts.md says how much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds import ranks
from sentinel.lab.statistics.rounds.estimates import compare
from sentinel.lab.statistics.rounds.ranks import ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from sentinel.lab.statistics.rounds.estimates import Estimate
    from sentinel.lab.statistics.rounds.ranks import Floats

STEPS = (6, 8, 12, 16, 20, 24, 30)
"""Rounds at which there is a look: even, so that the order of trials was each way round equally often."""
PIECES, PIECE = 20, 5_000
"""Draws of the null distribution: 100,000, in pieces for the sake of memory."""


@dataclass(frozen=True)
class Plan:
    """When to look, and how often the interval of each look may miss."""

    looks: tuple[int, ...]
    paired: tuple[float, ...]
    """Error of each look's paired interval taken alone, exact; 0: that look is too early for one."""
    unpaired: tuple[float, ...]
    legs: tuple[int, int]

    def estimate(self, a: ArrayLike, b: ArrayLike, *, method: str | None = None) -> Estimate:
        """The ratio a ÷ b with the interval of this look, as `estimates.compare`.

        Args:
            a: Values as `estimates.compare` takes them; of a failed trial NaN.
            b: Likewise.
            method: `paired` or `unpaired`; None lets the control choose.

        Raises:
            ValueError: If there is no look at so many rounds.
        """
        rounds = len(np.asarray(a))
        if rounds not in self.looks:
            raise ValueError(f"there is no look at {rounds} rounds: the plan announced {self.looks}")
        at = self.looks.index(rounds)
        return compare(a, b, method=method, allowed=(self.paired[at], self.unpaired[at]))

    def ending(self, rounds: int) -> Plan:
        """The same plan where time is up after `rounds`: what is left of the budget goes to this last look."""
        return plan((*(look for look in self.looks if look < rounds), rounds), self.legs)

    def next_look(self, rounds: int) -> int | None:
        """The look after `rounds`; None after the last."""
        return next((look for look in self.looks if look > rounds), None)


def announced(most: int) -> tuple[int, ...]:
    """The looks of a plan of at most `most` rounds; the last is at `most` itself."""
    return (*(step for step in STEPS if step < most), most)


def affordable(seconds: float, a_round: float, most: int = STEPS[-1]) -> int:
    """Rounds that so many seconds allow: at least one.

    Args:
        seconds: That there are.
        a_round: Seconds that one takes.
        most: Rounds at most.
    """
    return max(1, min(most, int(seconds // a_round)))


@lru_cache
def plan(looks: tuple[int, ...], legs: tuple[int, int] = (1, 1), error: float = ERROR) -> Plan:
    """The plan of these looks.

    Args:
        looks: Rounds at which to look, rising; `announced` gives them.
        legs: Trials a round of either side, as the sides will be given to `Plan.estimate`.
        error: Share of experiments in which any of the intervals may miss the true ratio.
    """
    shares = [n / looks[-1] for n in looks]
    budget = [spent(share, error) for share in shares]
    paired = [ranks.signed_rank(n) for n in looks]
    sizes = [(n * legs[0], n * legs[1]) for n in looks]
    unpaired = [ranks.rank_sum(*size) for size in sizes]
    return Plan(
        looks,
        _errors(paired, _signed_ranks(looks), budget),
        _errors(unpaired, _rank_sums(tuple(sizes)), budget),
        legs,
    )


def spent(share: float, error: float = ERROR) -> float:
    """The part of the error that may be used up once this share of all rounds is done; all of it at the end."""
    from scipy.special import ndtr, ndtri

    one_side = 2 - 2 * ndtr(ndtri(1 - error / 4) / math.sqrt(share))
    return float(2 * one_side)


def _errors(chances: Sequence[Floats], drawn: NDArray[np.intp], budget: Sequence[float]) -> tuple[float, ...]:
    """The errors of each look's widest cut with which no more than the budget is spent up to it.

    `drawn`, (looks, draws): the smaller of the statistic and its mirror image, in each draw of the null.
    """
    inside = np.ones(drawn.shape[1], bool)
    errors = []
    for each, statistic, allowed in zip(chances, drawn, budget, strict=True):
        alone = ranks.cut(each, allowed)
        gone = 1 - inside.mean()
        first = np.bincount(statistic[inside], minlength=alone + 1)[:alone].cumsum() / len(inside)
        cut = int(np.searchsorted(gone + first, allowed, side="right"))
        errors.append(ranks.missed(each, cut))
        inside &= statistic >= cut
    return tuple(errors)


def _signed_ranks(looks: Sequence[int]) -> NDArray[np.intp]:
    random = np.random.default_rng(1)
    return np.hstack([_of_signs(random.standard_normal((PIECE, looks[-1])), looks) for _ in range(PIECES)])


def _of_signs(values: Floats, looks: Sequence[int]) -> NDArray[np.intp]:
    drawn = []
    for n in looks:
        order = np.argsort(np.abs(values[:, :n]), axis=1)
        positive = np.take_along_axis(values[:, :n], order, axis=1) > 0
        statistic = positive @ np.arange(1, n + 1)
        drawn.append(np.minimum(statistic, n * (n + 1) // 2 - statistic))
    return np.array(drawn)


def _rank_sums(sizes: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    random = np.random.default_rng(1)
    both = ([random.standard_normal((PIECE, most)) for most in sizes[-1]] for _ in range(PIECES))
    return np.hstack([_of_sides(a, b, sizes) for a, b in both])


def _of_sides(a: Floats, b: Floats, sizes: Sequence[tuple[int, int]]) -> NDArray[np.intp]:
    drawn = []
    for n, m in sizes:
        from_a = np.argsort(np.hstack((a[:, :n], b[:, :m])), axis=1) < n
        statistic = from_a @ np.arange(1, n + m + 1) - n * (n + 1) // 2
        drawn.append(np.minimum(statistic, n * m - statistic))
    return np.array(drawn)
