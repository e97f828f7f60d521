"""Comparisons of repeated trials: ratios with bootstrap intervals, and verdicts that may be "cannot tell".

The trial is the unit, not the message: messages of one run are correlated, and a million of them say no more about
the next run than one. `Ratio`, `Verdict` and `Comparison` are what run.json holds of it, numbers and words of the
vocabulary: `sentinel.lab.formatting` makes text of them. Pure; statistics from scipy.
"""

from __future__ import annotations

import math
import statistics
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import ArrayLike

    from sentinel.lab.statistics.rounds.estimates import Estimate

BAND = 0.05
"""Differences below 5 % are of no practical interest here."""
WIDE = 0.2
"""Noise floor beyond which an interval within it is no proof of "no difference": there is room for a real one."""
CONFIDENCE = 0.95
ENOUGH = 5
"""Trials a side from which the interval of a ratio has its nominal coverage; of three a side, it covers 90 of 100."""
BOOTSTRAP, RANGE = "percentile bootstrap of medians", "from one end of both intervals to the other"
"""Methods by which the interval of a ratio is found."""


class Word(StrEnum):
    """What a comparison may say."""

    BETTER = "better"
    WORSE = "worse"
    NO_DIFFERENCE = "no difference"
    UNSTABLE = "unstable"
    UNRESOLVED = "unresolved"
    CANNOT_TELL = "cannot tell"
    """In runs that were made before rounds were compared: either of the two above."""


class Ratio(msgspec.Struct, frozen=True, omit_defaults=True):
    """a ÷ b over rounds, with its interval; what is not finite is None, also in run.json."""

    value: float | None
    """The ratio itself; None where one side was not measured, or is zero."""
    low: float | None
    """Lower end of its interval; None where there is none."""
    high: float | None
    """Upper end, likewise."""
    n: int
    """Rounds in which both sides have a value; before rounds were compared, trials on the smaller side."""
    confidence: float | None = None
    """Coverage of the interval, from 0 to 1: of rounds the exact one, of a bootstrap the nominal one; None where there
    is no interval, and in runs of format 1."""
    method: str = ""
    """How the interval came about: `paired` or `unpaired` rounds, `BOOTSTRAP` or `RANGE`; empty in runs of format 1."""
    p: float | None = None
    """Two-sided, exact, of both sides being equal; None where the ratio is not one of rounds."""
    standard_error: float | None = None
    """Of the ratio's logarithm; None of fewer than three rounds."""
    needed: int = 0
    """Rounds from which such an interval can cover in 95 of 100 experiments; 0 where the ratio is not one of rounds."""

    def __post_init__(self) -> None:
        for name in ("value", "low", "high", "p", "standard_error"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                msgspec.structs.force_setattr(self, name, None)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its two ends; None where single trials, or resamples of zeros, leave none."""
        if self.n < 2 or self.value is None or self.low is None or self.high is None:
            return None
        return self.low, self.high

    @property
    def known(self) -> bool:
        """Whether there is an interval at all."""
        return self.interval is not None


UNKNOWN = Ratio(None, None, None, 0)
"""Of what was not measured on both sides."""


class Verdict(msgspec.Struct, frozen=True):
    """What a comparison says of one measure, and why."""

    measure: str
    """As `measures.measures` calls it."""
    word: Word
    """`better`, `worse`, `no difference`, `unstable` or `unresolved`; in older runs `cannot tell` for the last two."""
    ratio: Ratio
    """New ÷ old."""
    band: float
    """By which share either way a difference must exceed 1: the noise floor, less one."""
    control: bool
    """Whether an A/A control showed the band."""
    further: int | None = None
    """Rounds more that would settle it in 4 of 5 experiments; None where it is settled, and in older runs."""
    seconds: float | None = None
    """How long these take, s; None where that is not known."""
    disturbances: list[str] = []
    """What disturbed the machine, as clauses, where it is unstable."""

    @property
    def hidden(self) -> bool:
        """Whether run-to-run variation alone hides what there may be."""
        return hidden(self.ratio, self.band)


class Spread(msgspec.Struct, frozen=True, array_like=True):
    """The trials behind a median: smallest, largest, and how many."""

    low: float
    """The smallest value, in the measure's unit."""
    high: float
    """The largest, likewise."""
    n: int
    """Trials."""


class Noise(msgspec.Struct, frozen=True):
    """What the A/A control showed of capacity."""

    band: float = BAND
    """The noise floor, less one."""
    again: list[float] = []
    """Capacities of its second leg, msg/s; empty where it has none."""
    bands: dict[str, float] = {}
    """Noise floors by measure, less one; empty in benchmarks of format 1."""


class Comparison(msgspec.Struct, kw_only=True):
    """What run.json holds of configurations that were compared; keys that a run has not are empty."""

    summary: dict[str, dict[str, float | None]] = {}
    """Medians by column of the table and measure."""
    spread: dict[str, dict[str, Spread]] = {}
    compared: tuple[str, str] = ("", "")
    """Which was divided by which."""
    ratios: dict[str, Ratio] = {}
    """By measure."""
    noise: Noise = Noise()


def plain(record: msgspec.Struct) -> dict[str, Any]:
    """A record as run.json holds it.

    Args:
        record: `Ratio`, `Comparison` or another struct.

    Returns:
        Dictionaries, lists, texts, and numbers that are finite or None.
    """
    collected: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(record))
    return collected


def estimated(new: ArrayLike, old: ArrayLike, looks: Sequence[int] = ()) -> Estimate:
    """The ratio new ÷ old over rounds, with the interval that belongs to the way in which it was measured.

    Args:
        new: One side's values, (rounds,) or (rounds, legs), as `rounds.sides` gives them. NaN is a failed trial.
        old: The other side's, of the same rounds.
        looks: Where the number of rounds was not fixed: all rounds at which a look was announced, rising, those that
            never came among them. The interval of an early look leaves its share of the error to the later ones.

    Raises:
        ValueError: If a value is not positive, or the sides have different numbers of rounds.
    """
    import numpy as np

    from sentinel.lab.statistics.rounds import estimates, sequential

    sides = [np.asarray(side, float) for side in (new, old)]
    rounds, legs = len(sides[0]), tuple(side.shape[1] if side.ndim > 1 else 1 for side in sides)
    if not looks or not rounds:
        return estimates.compare(*sides)
    plan = sequential.plan(tuple(looks), (legs[0], legs[1]))
    return (plan if rounds in plan.looks else plan.ending(rounds)).estimate(*sides)


def ratio_of(estimate: Estimate) -> Ratio:
    """An estimate as run.json holds it.

    Args:
        estimate: A ratio over rounds.

    Returns:
        The ratio; of rounds too few for any interval, without one.
    """
    known = 0 < estimate.coverage < 1
    return Ratio(
        value=estimate.ratio,
        low=estimate.low if known else None,
        high=estimate.high if known else None,
        n=estimate.rounds,
        confidence=estimate.coverage if known else None,
        method=estimate.method,
        p=estimate.p if estimate.rounds else None,
        standard_error=estimate.standard_error,
        needed=estimate.needed,
    )


def nominal(n: int) -> float | None:
    """Nominal coverage of the bootstrap interval of a ratio of medians.

    Of few trials the interval reaches from best to worst: two draws of two lie wholly apart in 2 of the 6 ways to
    share four places.

    Args:
        n: Trials a side.

    Returns:
        Coverage from 0 to 1; None for single trials, which have no interval.
    """
    return CONFIDENCE if n >= ENOUGH else 0.9 if n > 2 else 0.67 if n == 2 else None


def ratio(a: Sequence[float], b: Sequence[float], seed: int = 1) -> Ratio:
    """Median of `a` ÷ median of `b`, with the percentile bootstrap interval of that ratio (scipy, 9,999 resamples).

    Args:
        a: One value a trial.
        b: One value a trial, in the same unit.
        seed: Of the resampling, so that the same values give the same interval.

    Returns:
        The ratio; without a value where a side is empty or the median of `b` is zero, without an interval where a side
        has fewer than two values or `b` holds a zero.
    """
    n = min(len(a), len(b))
    if not n or not statistics.median(b):
        return Ratio(None, None, None, n)
    value = statistics.median(a) / statistics.median(b)
    if n < 2 or not all(b):  # resamples of zeros alone would have no ratio
        return Ratio(value, None, None, n)
    import numpy as np
    from scipy import stats

    def of_medians(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(np.median(x, axis=axis) / np.median(y, axis=axis))

    result = stats.bootstrap(
        (np.asarray(a, float), np.asarray(b, float)),
        of_medians,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    values = result.confidence_interval
    return Ratio(value, float(values.low), float(values.high), n, nominal(n), BOOTSTRAP)


def noise(a: Sequence[float], control: Sequence[float]) -> float:
    """The noise floor, less one: the factor by which two sets of trials of the same configuration lie apart.

    The factor is that of their medians, the larger ÷ the smaller; single outliers widen the ratio's interval, not the
    floor.

    Args:
        a: One value a trial.
        control: One value a trial of the A/A control, in the same unit.

    Returns:
        A share, `BAND` at least, also where a side is empty or its median is zero.
    """
    if not a or not control or not statistics.median(a) or not statistics.median(control):
        return BAND
    apart = statistics.median(control) / statistics.median(a)
    return max(BAND, apart - 1, 1 / apart - 1)


def verdict(value: Ratio, band: float = BAND, *, higher_is_better: bool = True) -> Word:
    """What a ratio says, by where its whole interval lies.

    Beyond the noise floor, from 1 ÷ (1 + band) to 1 + band, it is a difference, however high the floor. Within the
    floor it is none, unless the floor itself is `WIDE`: then run-to-run variation hides what there may be.

    Args:
        value: New ÷ old.
        band: The noise floor, less one.
        higher_is_better: Whether more of the measure is better.

    Returns:
        `CANNOT_TELL` also where the ratio has no interval.
    """
    if value.interval is None:
        return Word.CANNOT_TELL
    (least, most), low, high = value.interval, 1 / (1 + band), 1 + band
    if least > high:
        return Word.BETTER if higher_is_better else Word.WORSE
    if most < low:
        return Word.WORSE if higher_is_better else Word.BETTER
    within = least >= low and most <= high
    return Word.NO_DIFFERENCE if within and band <= WIDE else Word.CANNOT_TELL


def hidden(value: Ratio, band: float) -> bool:
    """Whether run-to-run variation alone hides what a ratio with an interval may be.

    Args:
        value: New ÷ old.
        band: The noise floor, less one.
    """
    return value.known and band > WIDE and verdict(value, band) == Word.CANNOT_TELL
