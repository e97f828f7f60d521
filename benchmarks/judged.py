"""Many experiments judged at once, as `sentinel.lab.statistics.rounds` judges one.

The same order statistics, the same rule for pairing and the same plan, over a first axis of experiments;
`tests/test_simulated.py` holds that both say the same. The noise floor is asked for where it can change the word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata
from simulated import LEGS

from sentinel.lab.statistics.rounds import floor, pairing, ranks, sequential
from sentinel.lab.statistics.rounds.decision import BETTER, MARGIN, NO_DIFFERENCE, WORSE, decide
from sentinel.lab.statistics.rounds.estimates import PAIRED, UNPAIRED, compare
from sentinel.lab.statistics.rounds.settling import SETTLE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from simulated import Floats

    from sentinel.lab.statistics.rounds.decision import Decision

    Flags = NDArray[np.bool_]

OPEN = "not known"
"""Unstable or unresolved: the simulation does not tell these apart."""


@dataclass
class Judged:
    """Estimates of many experiments; each array has one value for each of them. Logarithms."""

    ratio: Floats
    low: Floats
    high: Floats
    missed: Floats
    """Share of experiments in which such an interval misses, as it says itself."""
    paired: Flags
    rounds: Floats

    def hold(self, truth: float) -> Flags:
        """Whether each interval holds this ratio."""
        return np.asarray((self.low <= np.log(truth)) & (np.log(truth) <= self.high))

    @property
    def differ(self) -> Flags:
        """Whether each interval excludes 1."""
        return (self.low > 0) | (self.high < 0)

    @property
    def narrow(self) -> Flags:
        """Whether each has settled."""
        near = np.abs(self.ratio) <= np.log1p(SETTLE)
        return (self.high - self.low) / 2 <= np.log1p(np.where(near, SETTLE / 2, SETTLE))

    def take(self, other: Judged, where: Flags) -> None:
        """Put the values of `other`, which are those of the experiments `where`, in place."""
        for name, values in vars(self).items():
            values[where] = getattr(other, name)

    def words(self, old: Floats) -> list[str]:
        """What each says, where less is better; `old`: the control, (experiments, rounds, 2)."""
        margin = np.log1p(MARGIN)
        equal = (self.low >= -margin) & (self.high <= margin)
        words = [NO_DIFFERENCE if known else OPEN for known in equal]
        for at in np.flatnonzero(self.differ & ~equal):
            method = PAIRED if self.paired[at] else UNPAIRED
            if abs(self.ratio[at]) > np.log(floor.floor(old[at, : int(self.rounds[at])], method, LEGS)):
                words[at] = WORSE if self.ratio[at] > 0 else BETTER
        return words


def judge(new: Floats, old: Floats, allowed: tuple[float, float] = (ranks.ERROR, ranks.ERROR)) -> Judged:
    """Each experiment's estimate.

    Args:
        new: (experiments, rounds).
        old: (experiments, rounds, 2).
        allowed: Errors of a paired and of an unpaired interval.
    """
    x, y = np.log(new), np.log(old)
    n = x.shape[1]
    paired = _pairs(y)
    sides = ranks.signed_rank(n), ranks.rank_sum(n, 2 * n)
    cuts = [ranks.cut(chances, error) for chances, error in zip(sides, allowed, strict=True)]
    ratio, low, high, missed = np.empty((4, len(x)))
    for where, values, chances, cut in (
        (paired, ranks.averages(x[paired] - y[paired].mean(axis=2)), sides[0], cuts[0]),
        (~paired, ranks.differences(x[~paired], y[~paired].reshape(-1, 2 * n)), sides[1], cuts[1]),
    ):
        ordered = np.sort(values, axis=1)
        ratio[where] = np.median(ordered, axis=1)
        low[where], high[where] = (ordered[:, cut - 1], ordered[:, -cut]) if cut else (-np.inf, np.inf)
        missed[where] = ranks.missed(chances, cut)
    return Judged(ratio, low, high, missed, paired, np.full(len(x), float(n)))


def _pairs(control: Floats) -> Flags:
    """`estimates.chosen` for each experiment; `control`: logarithms."""
    n = control.shape[1]
    if not ranks.cut(ranks.signed_rank(n)):
        return np.zeros(len(control), bool)
    enough = max(pairing.break_even(n, n, 2 * n), pairing.critical(n, pairing.EVIDENT))
    together = _correlation(control[..., 0], control[..., 1])
    over_time = _correlation(control.mean(axis=2), np.broadcast_to(np.arange(n), control.shape[:2]))
    return (together >= enough) | (np.abs(over_time) >= pairing.critical(n, pairing.TREND / 2))


def _correlation(a: Floats, b: NDArray[np.generic]) -> Floats:
    x, y = (rankdata(side, axis=1) - (side.shape[1] + 1) / 2 for side in (a, b))
    return np.asarray((x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1)))


def looks(new: Floats, old: Floats, *, planned: bool = True) -> list[Judged]:
    """Estimates at each look of a plan; `planned`: with its errors, or with 5 % at each."""
    plan = sequential.plan(sequential.announced(new.shape[1]), LEGS)
    errors = zip(plan.paired, plan.unpaired, strict=True)
    return [
        judge(new[:, :rounds], old[:, :rounds], *([allowed] if planned else []))
        for rounds, allowed in zip(plan.looks, errors, strict=True)
    ]


def automatic(new: Floats, old: Floats) -> Judged:
    """REPEATS=auto where all these rounds can be had: looks as announced, until it has settled."""
    *early, last = looks(new, old)
    for look in reversed(early):
        stopped = look.narrow
        chosen = Judged(*(values[stopped] for values in vars(look).values()))
        last.take(chosen, stopped)
    return last


def advised(new: Floats, old: Floats, rounds: int) -> tuple[list[int], list[bool]]:
    """The further rounds that experiments ask for which are unresolved after so many, and whether these settle them.

    Those that ask for more than there are do not count.
    """
    asked, settled = [], []
    for a, b in zip(new, old, strict=True):
        further = _decide(a, b, rounds).further or 0
        if 0 < further <= len(a) - rounds:
            asked.append(further)
            settled.append(_decide(a, b, rounds + further).settled)
    return asked, settled


def _decide(a: Floats, b: Floats, rounds: int) -> Decision:
    estimate = compare(a[:rounds], b[:rounds])
    return decide(estimate, floor.floor(b[:rounds], estimate.method, LEGS), higher_is_better=False)
