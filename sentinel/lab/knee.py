"""The knee of a configuration: which rate is offered next, and which is the highest that holds. Pure.

First a climb: one trial a rate, up a ladder, until a rate does not hold; a trial that does not hold is repeated at
once, and the better of the two counts. Then bisections between the highest rate that held and the lowest that did not.
Then a confirmation by fresh repeats at those two rates; where they contradict the climb, at the next rate down or up,
and between, so that in the end a rate at which most repeats hold stands right below one at which they do not.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from sentinel.lab.outcome import most_growth
from sentinel.lab.plans import interleaved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sentinel.lab.outcome import Outcome

CLIMB, CONFIRM = "climb", "confirm"
"""Phases."""
HOLDS, FAILS, SILENT = "holds", "fails", "says nothing"
"""Verdicts on a trial, and on a rate."""
LOSS, BACKLOG, SLOW, GENERATOR, INVALID = "loss", "backlog", "stored p99", "generator", "invalid"
"""Why a trial does not hold."""
SAYS_NOTHING = {GENERATOR, INVALID}
"""Reasons that speak against the measurement, not against the configuration."""
SENT = 0.98
"""Share of the offered rate that the load generator has to send."""
BISECTIONS = 2
"""How often a step of the ladder is halved."""
ROUNDING = 1.01
"""Quotient by which two rates of three digits may miss theirs."""


@dataclass(frozen=True)
class Step:
    """One trial at one rate."""

    configuration: str
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
    """Why it does not hold; empty if it does."""

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS` or `SILENT`."""
        return SILENT if self.why in SAYS_NOTHING else FAILS if self.why else HOLDS


Trial: TypeAlias = "Callable[[str, float, str], Step]"
"""Carries out one trial: configuration, rate (msg/s), phase."""


def reason(outcome: Outcome, sent: float, growth: float, slo: float) -> str:
    """Why a trial does not hold, empty if it does; `sent` in msg/s, `growth` in messages, `slo` of stored p99 in ms.

    Loss and a growing backlog come first: whatever the load generator left out, the consumer did not keep up with less.
    """
    rate = outcome.plan.load.rate
    stored, delay = (outcome.latencies.get(kind, {}).get("p99") for kind in ("stored", "send_delay"))
    if not outcome.valid:
        return INVALID
    if outcome.lost:
        return LOSS
    if growth >= most_growth(outcome.plan.load):
        return BACKLOG
    if outcome.sender.get("unsent") or sent < SENT * rate or (delay or 0.0) > slo:
        return GENERATOR
    if stored is None:
        return INVALID
    return SLOW if stored > slo else ""


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
        """All of them, rising."""
        found = [self.rates[0] if self.rates else self.start]
        while (higher := self.above(found[-1])) is not None:
            found.append(higher)
        return found

    def above(self, rate: float) -> float | None:
        """The next rung; None at the top."""
        higher = self.rates or (min(rounded(rate * self.factor), self.ceiling),)
        return next((one for one in higher if one > rate), None)

    def between(self, low: float, high: float) -> float | None:
        """The geometric middle of two rates; None where they are as near as it gets, but for the rounding."""
        middle = rounded(math.sqrt(low * high))
        return middle if high / low > ROUNDING * self.finest and low < middle < high else None


def rounded(rate: float) -> float:
    """To three significant digits: a rate that can be said."""
    return float(f"{rate:.3g}")


@dataclass(frozen=True)
class Level:
    """All trials of one configuration at one rate: why each did not hold, empty where it did."""

    rate: float
    climb: tuple[str, ...]
    confirm: tuple[str, ...]

    @property
    def trials(self) -> tuple[str, ...]:
        """Those that count: the confirmation's, before there are any the climb's."""
        return self.confirm or self.climb

    @property
    def verdict(self) -> str:
        """More than half of the repeats hold, or at least half fail, or neither; of a climb, the best of its trials."""
        held, failed = self.trials.count(""), sum(why not in {"", *SAYS_NOTHING} for why in self.trials)
        if self.confirm:
            return HOLDS if 2 * held > len(self.confirm) else FAILS if 2 * failed >= len(self.confirm) else SILENT
        return HOLDS if held else FAILS if failed else SILENT

    @property
    def whole(self) -> bool:
        """Whether every trial holds, the climb's too."""
        return not any(self.climb + self.confirm)

    @property
    def why(self) -> str:
        """The commonest reason behind its verdict; empty if it holds."""
        silent = self.verdict == SILENT
        reasons = Counter(why for why in self.trials if why and (why in SAYS_NOTHING) == silent)
        return reasons.most_common(1)[0][0] if reasons and self.verdict != HOLDS else ""


def levels(steps: Iterable[Step]) -> list[Level]:
    """One configuration's trials by rate, rising."""
    found: dict[float, dict[str, list[str]]] = {}
    for step in steps:
        found.setdefault(step.rate, {CLIMB: [], CONFIRM: []})[step.phase].append(step.why)
    return [Level(rate, tuple(whys[CLIMB]), tuple(whys[CONFIRM])) for rate, whys in sorted(found.items())]


def _of(steps: Sequence[Step], name: str) -> list[Step]:
    return [step for step in steps if step.configuration == name]


# -- climbing --------------------------------------------------------------------------------------------------------


def climb(names: Sequence[str], trial: Trial, ladder: Ladder) -> list[Step]:
    """Find where each configuration stops holding; they take turns, so that a drift of the machine meets all alike."""
    steps: list[Step] = []
    while wanted := {name: rate for name in names if (rate := next_rate(_of(steps, name), ladder)) is not None}:
        for name, rate in wanted.items():
            steps.append(trial(name, rate, CLIMB))
            if steps[-1].why:  # one bad trial alone is not the knee
                steps.append(trial(name, rate, CLIMB))
    return steps


def next_rate(steps: Sequence[Step], ladder: Ladder) -> float | None:
    """The rate that one configuration's climb offers next; None when it is over."""
    if not steps:
        return ladder.rungs[0]
    seen = {level.rate: level.verdict for level in levels(steps)}
    held = max((rate for rate, verdict in seen.items() if verdict == HOLDS), default=None)
    broken = min((rate for rate, verdict in seen.items() if verdict != HOLDS), default=None)
    if broken is None:
        return ladder.above(max(seen))
    return None if held is None else ladder.between(held, broken)


# -- confirming ------------------------------------------------------------------------------------------------------


def confirm(steps: Sequence[Step], trial: Trial, ladder: Ladder, repeats: int) -> list[Step]:
    """Repeat the rates around each configuration's knee, interleaved; the climb's steps in, the confirmation's out."""
    names, done = list(dict.fromkeys(step.configuration for step in steps)), list(steps)
    while pairs := {f"{n} {rate}": (n, rate) for n in names for rate in to_confirm(levels(_of(done, n)), ladder)}:
        done += [trial(*pairs[pair], CONFIRM) for _, pair in interleaved(list(pairs), repeats)]
    return done[len(steps) :]


def to_confirm(found: Sequence[Level], ladder: Ladder) -> list[float]:
    """The rates that one configuration's confirmation offers next; none when it is over."""
    confirmed = [level for level in found if level.confirm]
    held = [level.rate for level in found if level.verdict == HOLDS]
    if not confirmed:
        top = max(held, default=0.0)
        return [*held[-1:], *[level.rate for level in found if level.rate > top][:1]]
    barrier = next((level.rate for level in confirmed if level.verdict != HOLDS), None)
    if barrier is None:
        top = confirmed[-1].rate
        higher = next((level.rate for level in found if level.rate > top), None) or ladder.above(top)
        return [higher] if higher else []
    below = [level for level in found if level.rate < barrier and level.verdict == HOLDS]
    if not below:
        return []
    middle = ladder.between(below[-1].rate, barrier) if below[-1].confirm else below[-1].rate
    return [middle] if middle else []


# -- the knee --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Knee:
    """What the sweep of one configuration found; rates in msg/s."""

    rate: float | None
    """The highest confirmed rate at which more than half of the repeats hold, as they do at every confirmed one below;
    None if there is no such rate."""
    low: float | None
    """The highest rate up to there at which every trial holds, the climb's too."""
    high: float | None
    """The lowest rate beyond at which at least half of the trials fail; None if there is no such rate."""
    next: float | None
    """The lowest confirmed rate at which it does not hold; None if none was offered."""
    why: str
    """Why not."""
    held: tuple[int, int] = (0, 0)
    """At `rate`: so many repeats hold, of so many."""
    missed: tuple[int, int] = (0, 0)
    """At `next`: so many repeats do not hold, of so many."""

    @property
    def at_least(self) -> bool:
        """Whether nothing speaks against the configuration at the next rate: it may hold more."""
        return self.next is None or self.why in SAYS_NOTHING

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"at_least": self.at_least}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        own: dict[str, Any] = {name: value for name, value in data.items() if name != "at_least"}
        return cls(**own | {name: tuple(data[name]) for name in ("held", "missed")})


def found(steps: Iterable[Step]) -> Knee:
    """The knee of one configuration, out of its steps."""
    seen = levels(steps)
    confirmed = [level for level in seen if level.confirm]
    barrier = next((level for level in confirmed if level.verdict != HOLDS), None)
    below = [level for level in confirmed if barrier is None or level.rate < barrier.rate]
    top = below[-1] if below else None
    rate = top.rate if top else 0.0
    return Knee(
        rate=top.rate if top else None,
        low=max((level.rate for level in seen if level.rate <= rate and level.whole), default=None),
        high=min((level.rate for level in seen if level.rate > rate and level.verdict == FAILS), default=None),
        next=barrier.rate if barrier else None,
        why=barrier.why if barrier else "",
        held=(top.confirm.count(""), len(top.confirm)) if top else (0, 0),
        missed=(len(barrier.confirm) - barrier.confirm.count(""), len(barrier.confirm)) if barrier else (0, 0),
    )
