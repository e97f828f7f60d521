"""Comparisons of configurations as run.json holds them: ratios over rounds with exact intervals, and one of five words.

The round is the unit, not the message: messages of one run are correlated, and a million of them say no more about
the next run than one. `rounds` has the statistics, `metrics` applies them to trials, `sentinel.lab.formatting` makes
text of what is here. Pure.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from sentinel.lab.statistics.rounds.estimates import Estimate

BAND = 0.05
"""Differences below 5 % are of no practical interest here."""
WIDE = 0.2
"""Noise floor beyond which a run made before rounds were compared said that variation hides what there may be."""
CONFIDENCE = 0.95
"""Share of experiments in which an interval must hold the true ratio, for anything to follow from it."""
BOOTSTRAP, RANGE = "percentile bootstrap of medians", "from one end of both intervals to the other"
"""Methods of ratios that are not ones of rounds: before rounds were compared, and of two knees."""


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

    @property
    def of_rounds(self) -> bool:
        """Whether rounds were compared."""
        return self.needed > 0

    @property
    def short(self) -> bool:
        """Whether its rounds are too few for anything to follow from its interval."""
        return self.of_rounds and (self.confidence or 0.0) < CONFIDENCE - 1e-12


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
    def settled(self) -> bool:
        """Whether it is known if there is a difference."""
        return self.word in {Word.BETTER, Word.WORSE, Word.NO_DIFFERENCE}

    @property
    def hidden(self) -> bool:
        """Of a run made before rounds were compared: whether run-to-run variation alone hides what there may be."""
        return self.word == Word.CANNOT_TELL and self.ratio.known and self.band > WIDE


class Spread(msgspec.Struct, frozen=True, array_like=True):
    """The trials behind a median: smallest, largest, and how many."""

    low: float
    """The smallest value, in the measure's unit."""
    high: float
    """The largest, likewise."""
    n: int
    """Trials."""


class Noise(msgspec.Struct, frozen=True):
    """What the A/A control showed."""

    band: float = BAND
    """The noise floor, less one; 0 where no second leg showed it, in older runs `BAND`."""
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
