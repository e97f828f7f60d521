"""What a ratio over rounds says, in one of five words, and what would settle it where it says nothing. Pure.

- *no difference*: the whole interval lies within ± 5 %;
- *better*, *worse*: the interval excludes 1, and the ratio lies beyond the noise floor, however high that is;
- *unstable*: neither, the floor itself is wider than ± 5 %, and no number of rounds within reach would narrow it;
- *unresolved*: neither, and further rounds would settle it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sentinel.lab.statistics.rounds.ranks import ERROR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.statistics.rounds.estimates import Estimate

BETTER, WORSE, NO_DIFFERENCE, UNSTABLE, UNRESOLVED = "better", "worse", "no difference", "unstable", "unresolved"
TURNED = {BETTER: WORSE, WORSE: BETTER, NO_DIFFERENCE: NO_DIFFERENCE}
"""What each word becomes where less is better."""
MARGIN = 0.05
"""Differences below 5 % are of no practical interest here."""
POWER = 0.8
MOST = 100_000
"""Rounds that are looked ahead."""
REACH = 30
"""Rounds further than which nobody measures: what takes more is the machine's fault."""


@dataclass(frozen=True)
class Decision:
    """What a ratio says."""

    word: str
    """`better`, `worse`, `no difference`, `unstable` or `unresolved`."""
    estimate: Estimate
    floor: float
    """The factor that chance alone stays within; 1 where no control measured it."""
    further: int | None = None
    """Rounds more that would settle it in 4 of 5 experiments; None where it is settled."""
    seconds: float | None = None
    """How long these take."""
    disturbances: tuple[str, ...] = ()
    """What disturbs the machine, where it is unstable."""

    @property
    def settled(self) -> bool:
        """Whether it is known if there is a difference."""
        return self.word in {BETTER, WORSE, NO_DIFFERENCE}

    def __str__(self) -> str:
        if self.word == UNSTABLE:
            because = f": {', '.join(self.disturbances)}" if self.disturbances else ""
            return f"unstable (equal trials differ by up to {_percent(self.floor - 1)} %{because})"
        if self.further is not None:
            return f"unresolved (about {_rounds(self.further)} more{_minutes(self.seconds)} would settle it)"
        return self.word


def decide(
    estimate: Estimate,
    floor: float = math.nan,
    *,
    higher_is_better: bool = True,
    margin: float = MARGIN,
    seconds_a_round: float | None = None,
    disturbances: Sequence[str] = (),
) -> Decision:
    """The word for a ratio; an interval that covers in fewer than 95 of 100 experiments decides nothing.

    Args:
        estimate: New ÷ old.
        floor: `floor.floor` of the control, for the same method and legs; NaN where there is no control.
        higher_is_better: Of the measure.
        margin: The share below which a difference is of no interest, 0.05 for ± 5 %.
        seconds_a_round: How long a round takes, where that is known.
        disturbances: What is known to disturb the machine (steal, jitter, changing frequency), in words.
    """
    known = floor if math.isfinite(floor) else 1.0
    word = _word(estimate, known, margin)
    if word != UNRESOLVED:
        return Decision(word if higher_is_better else TURNED[word], estimate, known)
    further = further_rounds(estimate, known, margin)
    seconds = None if seconds_a_round is None else further * seconds_a_round
    if known > 1 + margin and further > REACH:
        return Decision(UNSTABLE, estimate, known, further, seconds, tuple(disturbances))
    return Decision(UNRESOLVED, estimate, known, further, seconds)


def _word(estimate: Estimate, floor: float, margin: float) -> str:
    """Of a measure of which more is better."""
    if not estimate.keeps():
        return UNRESOLVED
    if 1 / (1 + margin) <= estimate.low and estimate.high <= 1 + margin:
        return NO_DIFFERENCE
    if estimate.low > 1 and estimate.ratio > floor:
        return BETTER
    if estimate.high < 1 and estimate.ratio < 1 / floor:
        return WORSE
    return UNRESOLVED


def further_rounds(estimate: Estimate, floor: float = 1.0, margin: float = MARGIN) -> int:
    """How many rounds more settle a ratio in 4 of 5 experiments that look like this one so far.

    Predictive power (C. Jennison and B. W. Turnbull, Group Sequential Methods, 2000, chapter 10): of the logarithm x
    after n rounds, with a spread s a round, the one after m lies around x with the variance s² (1/n - 1/m). It is
    settled where it lies beyond its half-width z s / √m, or by as much within `margin`.

    Args:
        estimate: The ratio so far.
        floor: The noise floor so far, a factor: where it is wider than the interval, its spread counts.
        margin: As for `decide`.
    """
    from scipy.special import ndtr, ndtri

    n, limit, z = estimate.rounds, math.log1p(margin), float(ndtri(1 - ERROR / 2))
    if not n or not math.isfinite(estimate.standard_error):
        return max(1, estimate.needed - n)
    x, s = math.log(estimate.ratio), max(estimate.standard_error, math.log(floor) / z) * math.sqrt(n)
    surely = math.ceil((2 * z * s / limit) ** 2)  # half a margin wide: whatever it is, it is one or the other
    m = np.arange(max(n + 1, estimate.needed), min(max(surely, n + 1, estimate.needed), MOST) + 1)
    half, spread = z * s / np.sqrt(m), np.maximum(s * np.sqrt(1 / n - 1 / m), 1e-12)
    between = [ndtr((edge - x) / spread) - ndtr((-edge - x) / spread) for edge in (half, np.maximum(limit - half, 0))]
    enough = (1 - between[0] + between[1] >= POWER) | (m >= surely)
    return int(m[np.argmax(enough)] if enough.any() else m[-1]) - n


def _rounds(n: int) -> str:
    return f"{n:,} round{'s' * (n != 1)}"


def _minutes(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f" ({math.ceil(seconds)} s)" if seconds < 60 else f" ({math.ceil(seconds / 60)} min)"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share >= 0.01 else f"{100 * share:.1f}"
