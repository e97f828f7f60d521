"""The knee of a configuration: the highest rate that meets the SLO, out of trials at several rates. Pure.

The search for it (`climb`) assumes monotonicity: what sustains a rate sustains every lower one. The answer only assumes
it of the chance to do so: it is a decreasing fit to all trials at all rates, and where they contradict each other its
interval is wide.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from scipy import optimize

from sentinel.lab.statistics import tails
from sentinel.lab.statistics.sustained import most_growth, reached

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sentinel.lab.run.trial_record import Outcome

CLIMB, CONFIRM = "climb", "confirm"
"""Phases."""
HOLDS, FAILS, SILENT = "meets the SLO", "fails", "inconclusive"
"""Verdicts on a trial, and on a rate."""
LOSS, BACKLOG, BEHIND, SLOW = "loss", "backlog", "not sustained", "stored p99"
"""Why a trial fails."""
GENERATOR, INVALID = "generator", "invalid"
"""Why it is inconclusive."""
UNDECIDED = {GENERATOR, INVALID}
"""Reasons that speak against the measurement, not against the configuration."""
_rate = attrgetter("rate")
HALF = 0.5 + 1e-9
"""Share of trials above which a rate counts as met: a fit of floats to one half may be a hair above it."""


@dataclass(frozen=True)
class Step:
    """One trial at one rate."""

    configuration: str
    """Which was offered it."""
    rate: float
    """Offered, msg/s."""
    phase: str
    """`CLIMB` or `CONFIRM`."""
    trial: int
    """Its number in the run."""
    sent: float
    """What the load generator sent, msg/s."""
    growth: float
    """Messages by which the backlog grew from the end of the warm-up to the end of the load."""
    why: str
    """Why it does not meet the SLO; empty if it does."""

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS` or `SILENT`."""
        return SILENT if self.why in UNDECIDED else FAILS if self.why else HOLDS


def reason(outcome: Outcome, sent: float, growth: float, slo: float) -> str:
    """Why a trial does not meet the SLO: nothing lost, the load sustained (see `sustained`), stored p99 within a bound.

    Loss and a growing backlog come first: whatever the load generator left out, the consumer did not keep up with less.

    Args:
        outcome: The trial.
        sent: What the load generator sent, msg/s.
        growth: Messages by which the backlog grew.
        slo: The most that stored p99 may be, ms; of fewer messages than carry it, the maximum.

    Returns:
        One of the reasons above; empty if it meets the SLO.
    """
    if not outcome.valid:
        return INVALID
    if outcome.lost or growth >= most_growth(outcome.plan.load):
        return LOSS if outcome.lost else BACKLOG
    if not _offered(outcome, sent, slo):
        return GENERATOR
    if not outcome.sustained:
        return BEHIND
    stored = tails.reading(outcome, "stored", tails.highest([outcome], "stored"))
    if stored is None:
        return INVALID
    return SLOW if stored > slo else ""


def _offered(outcome: Outcome, sent: float, slo: float) -> bool:
    """Whether the load generator sent all, and in time."""
    load, delay = outcome.plan.load, tails.reading(outcome, "send_delay", tails.highest([outcome], "send_delay")) or 0.0
    whole, seconds = outcome.sender.get("scheduled") or load.rate * load.duration, load.duration
    return not outcome.sender.get("unsent") and reached(whole / seconds, sent * seconds, seconds) and delay <= slo


@dataclass(frozen=True)
class Level:
    """All trials of one configuration at one rate: why each does not meet the SLO, empty where it does."""

    rate: float
    climb: tuple[str, ...]
    confirm: tuple[str, ...]

    @property
    def trials(self) -> tuple[str, ...]:
        """The trials of both phases, those of the climb first."""
        return self.climb + self.confirm

    @property
    def met(self) -> int:
        """How many meet the SLO."""
        return self.trials.count("")

    @property
    def failed(self) -> int:
        """How many fail; the others are inconclusive."""
        return sum(why not in {"", *UNDECIDED} for why in self.trials)

    @property
    def decided(self) -> int:
        """How many speak for or against the configuration."""
        return self.met + self.failed

    @property
    def climbed(self) -> str:
        """What the climb makes of it: the best of its trials."""
        return HOLDS if self.met else FAILS if self.failed else SILENT

    @property
    def why(self) -> str:
        """The commonest reason against it; of what is inconclusive only where nothing else is. Empty without any."""
        reasons = Counter(why for why in self.trials if why and (why in UNDECIDED) == (not self.failed))
        return reasons.most_common(1)[0][0] if reasons else ""


def levels(steps: Iterable[Step]) -> list[Level]:
    """Trials grouped by rate.

    Args:
        steps: Trials of one configuration, in the order in which they were carried out.

    Returns:
        A level for every rate, rising.
    """
    by_rate: dict[float, dict[str, list[str]]] = {}
    for step in steps:
        by_rate.setdefault(step.rate, {CLIMB: [], CONFIRM: []})[step.phase].append(step.why)
    return [Level(rate, tuple(whys[CLIMB]), tuple(whys[CONFIRM])) for rate, whys in sorted(by_rate.items())]


# -- the knee --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Knee:
    """What the sweep of one configuration found; rates in msg/s."""

    rate: float | None
    """The highest rate (msg/s) at which more than half of the trials meet the SLO, by a decreasing fit, if any."""
    low: float | None
    """The highest rate (msg/s) up to which no trial fails."""
    high: float | None
    """The lowest rate (msg/s) from which on no trial meets the SLO; None where some do at the highest of all."""
    next: float | None
    """The next rate (msg/s) that was offered beyond; None if none was."""
    why: str
    """What speaks against that: the commonest reason."""
    held: tuple[int, int] = (0, 0)
    """At `rate`: so many trials meet the SLO, of so many."""
    missed: tuple[int, int] = (0, 0)
    """At `next`: so many trials do not, of so many."""
    errors: tuple[float, float] | None = None
    """The chance, at most, that `low` is too high, and that `high` is too low; None in older runs."""

    at_least: bool = field(init=False)
    """Whether nothing speaks against the configuration at the next rate: it may sustain more."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at_least", self.next is None or self.why in UNDECIDED)

    @property
    def coverage(self) -> float | None:
        """Share of sweeps, at least, whose interval holds the rate that half of all trials meet; None if not known."""
        known = self.errors is not None and (self.low is not None or self.high is not None)
        return max(0.0, 1 - sum(self.errors or ())) if known else None


def chance(seen: Sequence[Level], rate: float, *, met: bool, more: int = 0) -> float:
    """The chance, at most, of trials that agree like this, were each as likely as not to (exact, binomial).

    They agree by meeting the SLO, from `rate` (msg/s) on upwards, or by failing, from there on downwards: those up to
    whichever rate tells most, after `more` trials that would agree.
    """
    counted = [x for x in seen if x.rate >= rate] if met else [x for x in reversed(seen) if x.rate <= rate]
    agree, n, least = more, more, 0.5**more
    for level in counted:
        agree, n = agree + (level.met if met else level.failed), n + level.decided
        least = min(least, sum(math.comb(n, k) for k in range(agree, n + 1)) / 2**n)
    return least


def locate(steps: Iterable[Step]) -> Knee:
    """The knee of one configuration.

    Args:
        steps: All its trials, of both phases.
    """
    seen = levels(steps)
    top, beyond = around(seen)
    failing = min((level.rate for level in seen if level.failed), default=math.inf)
    meeting = max((level.rate for level in seen if level.met), default=0.0)
    low = max((level for level in seen if level.met and level.rate < failing), key=_rate, default=None)
    high = min((level for level in seen if level.failed and level.rate > meeting), key=_rate, default=None)
    return Knee(
        rate=top.rate if top else None,
        low=low.rate if low else None,
        high=high.rate if high else None,
        next=beyond.rate if beyond else None,
        why=beyond.why if beyond else "",
        held=(top.met, len(top.trials)) if top else (0, 0),
        missed=(len(beyond.trials) - beyond.met, len(beyond.trials)) if beyond else (0, 0),
        errors=(chance(seen, low.rate, met=True) if low else 0.0, chance(seen, high.rate, met=False) if high else 0.0),
    )


def around(seen: Sequence[Level]) -> tuple[Level | None, Level | None]:
    """The levels on both sides of the knee.

    The fit is isotonic: of all shares of trials that meet the SLO that do not rise with the rate, those nearest to the
    ones seen, each rate with the weight of its trials.

    Args:
        seen: One configuration's trials by rate, rising.

    Returns:
        The last level at which the fit is above one half, and the next that was offered; None where there is none.
    """
    decided = [level for level in seen if level.decided]
    if not decided:
        return None, seen[0] if seen else None
    shares, weights = ([level.met / level.decided for level in decided], [level.decided for level in decided])
    fit = optimize.isotonic_regression(shares, weights=weights, increasing=False).x
    top = max((level for level, share in zip(decided, fit, strict=True) if share > HALF), key=_rate, default=None)
    return top, next((level for level in seen if top is None or level.rate > top.rate), None)
