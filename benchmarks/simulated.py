"""Simulated experiments whose truth is known: noise of several kinds, and how it was judged before.

A round has three trials, in an order that alternates: the new configuration, then both legs of the old one's A/A
control. A value is the truth times the exponential of its noise, of which a part may be shared within a round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from sentinel.lab.statistics.rounds.estimates import PAIRED, UNPAIRED

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEGS = (1, 2)
"""Trials a round of the new configuration and of the old one."""
DRIFT, STRONGER = 1.3, 2.0
"""Factors by which a drifting session changes all values from its first trial to its last."""
EFFECT = 1.2
BAND = 0.05
RESAMPLES = 999


def normal(random: np.random.Generator, *shape: int) -> Floats:
    """Noise that makes values lognormal."""
    return random.standard_normal(shape)


def heavy(random: np.random.Generator, *shape: int) -> Floats:
    """Heavy-tailed noise: Student's t of three degrees of freedom, with a variance of 1."""
    return np.asarray(random.standard_t(3, shape) / np.sqrt(3))


def skewed(random: np.random.Generator, *shape: int) -> Floats:
    """Noise to one side, as disturbances make it: exponential, with a mean of 0 and a variance of 1."""
    return random.exponential(size=shape) - 1


KINDS: dict[str, Callable[..., Floats]] = {"lognormal": normal, "heavy-tailed": heavy, "skewed": skewed}


@dataclass(frozen=True)
class Cell:
    """A kind of experiment."""

    kind: str
    level: float
    """Standard deviation of the logarithm of a value."""
    shared: float = 0.0
    """Share of the variance that the trials of a round have in common."""
    drift: float = 1.0
    """The factor by which all values change from the first trial to the last."""
    truth: float = 1.0
    """new ÷ old."""

    @property
    def structure(self) -> str:
        """How the trials hang together."""
        if self.drifts:
            return f"drift {self.drift:g}×"
        return "shared" if self.shared else "independent"

    @property
    def drifts(self) -> bool:
        """Whether all values change over the session."""
        return self.drift > 1

    def draw(self, random: np.random.Generator, experiments: int, rounds: int) -> tuple[Floats, Floats]:
        """The new configuration's values, (experiments, rounds), and the old one's, (experiments, rounds, 2)."""
        noise = KINDS[self.kind]
        own, common = noise(random, experiments, rounds, 3), noise(random, experiments, rounds, 1)
        logs = self.level * (np.sqrt(1 - self.shared) * own + np.sqrt(self.shared) * common)
        if self.drifts:
            logs = logs + np.log(self.drift) * moments(rounds) / (3 * rounds - 1)
        values = np.exp(logs)
        return self.truth * values[..., 0], values[..., 1:]


def moments(rounds: int) -> Floats:
    """When each trial took place, in trials, where rounds go A B C, C B A, A B C and so on."""
    within = np.where(np.arange(rounds)[:, None] % 2 == 0, np.arange(3), np.arange(3)[::-1])
    return np.asarray(3.0 * np.arange(rounds)[:, None] + within)


def former(random: np.random.Generator, new: Floats, old: Floats) -> list[str]:
    """The words of the rule before: medians of unpaired trials, percentile bootstrap, the A/A ratio as the band.

    The old configuration's second leg serves the band alone.
    """
    words = []
    for a, b, again in zip(new, old[..., 0], old[..., 1], strict=True):
        low, high = _bootstrap(random, a, b)
        apart = np.median(again) / np.median(b)
        band = max(BAND, apart - 1, 1 / apart - 1)
        words.append("worse" if low > 1 + band else "better" if high < 1 / (1 + band) else "")
    return words


def _bootstrap(random: np.random.Generator, a: Floats, b: Floats) -> tuple[float, float]:
    rows = random.integers(0, len(a), (2, RESAMPLES, len(a)))
    low, high = np.percentile(np.median(a[rows[0]], axis=1) / np.median(b[rows[1]], axis=1), [2.5, 97.5])
    return float(low), float(high)


def bound(cell: Cell, rounds: int, method: str) -> float:
    """The power that theory allows at an error of 5 %, NaN where it names none.

    Of lognormal noise that of Student's test, paired or of two samples (J. Cohen, 1988), which is the best there is;
    of independent heavy-tailed noise that of an estimate as good as Fisher's information allows, asymptotically.
    """
    error = cell.level * np.sqrt((1 / LEGS[0] + 1 / LEGS[1]) * (1 - cell.shared) / rounds)
    if cell.kind == "lognormal":
        freedom = rounds - 1 if method == PAIRED else rounds * sum(LEGS) - 2
        quantile, shift = special.stdtrit(freedom, 0.975), np.log(EFFECT) / error
        return float(stats.nct.sf(quantile, freedom, shift))
    if cell.kind == "heavy-tailed" and method == UNPAIRED and not cell.shared and not cell.drifts:
        # Of t with ν degrees of freedom the information is (ν + 1) / (ν + 3), and the variance ν / (ν - 2).
        return float(special.ndtr(np.log(EFFECT) / error * np.sqrt(3 * 4 / 6) - special.ndtri(0.975)))
    return float("nan")
