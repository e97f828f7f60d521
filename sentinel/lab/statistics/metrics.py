"""Measures of trials: which way each is better, and what the rounds of two configurations say of it. Pure."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from sentinel.lab.statistics import compare
from sentinel.lab.statistics.compare import BAND, Ratio, Verdict, Word
from sentinel.lab.statistics.measures import KINDS
from sentinel.lab.statistics.rounds.decision import decide
from sentinel.lab.statistics.rounds.floor import floor
from sentinel.lab.statistics.rounds.sides import side

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.rounds.estimates import Estimate
    from sentinel.lab.statistics.rounds.ranks import Floats


@dataclass(frozen=True)
class Compared:
    """One measure of two configurations over rounds."""

    estimate: Estimate
    """New ÷ old."""
    floor: float = math.nan
    """The factor that chance alone stays within, as the A/A control shows it; NaN without one."""
    seconds: float | None = None
    """How long a round takes, s; None where that is not known."""

    @property
    def ratio(self) -> Ratio:
        """As run.json holds it."""
        return compare.ratio_of(self.estimate)

    @property
    def controlled(self) -> bool:
        """Whether an A/A control shows a noise floor."""
        return math.isfinite(self.floor)

    @property
    def band(self) -> float:
        """The noise floor, less one; 0 without a control."""
        return self.floor - 1 if self.controlled else 0.0


def compared(
    new: str, old: str, outcomes: Sequence[Outcome], looks: Mapping[str, Sequence[int]] | None = None, control: str = ""
) -> dict[str, Compared]:
    """What the rounds say of every measure that both of two configurations have.

    Args:
        new: Label of the configuration in question.
        old: Label of what it is held against.
        outcomes: All trials of the run. Those of each group have rounds of their own.
        looks: By group of trials, the rounds at which looks were announced, as for `compare.estimated`.
        control: Label of the configuration that was measured twice; by default `new`.

    Returns:
        By measure, in alphabetical order.
    """
    collected = {}
    for group in dict.fromkeys(o.plan.group for o in outcomes):
        trials = [o for o in outcomes if o.plan.group == group]
        after, before, twice = (side(name, trials) for name in (new, old, control or new))
        seconds = round_seconds(trials)
        for name in after.keys() & before.keys():
            estimate = compare.estimated(after[name], before[name], (looks or {}).get(group, ()))
            collected[name] = Compared(estimate, _floor(twice.get(name), estimate), seconds)
    return dict(sorted(collected.items()))


def _floor(control: Floats | None, estimate: Estimate) -> float:
    if control is None or control.shape[1] < 2:
        return math.nan
    return floor(control, estimate.method, estimate.legs)


def round_seconds(outcomes: Iterable[Outcome]) -> float | None:
    """How long a round takes: the median time from the first load of one to the first load of the next.

    All configurations are in it, and what trials cost beside their load; the last round's own time is not known.

    Args:
        outcomes: Trials of one group.

    Returns:
        Seconds; None of a single round.
    """
    began: dict[int, int] = {}
    for o in outcomes:
        if o.started:
            began[o.plan.repeat] = min(o.started, began.get(o.plan.repeat, o.started))
    times = [(after - before) / 1e9 for before, after in pairwise(began[n] for n in sorted(began)) if after > before]
    return statistics.median(times) if times else None


@dataclass(frozen=True)
class Measure:
    """A measure of trials: what it is called, in which unit, and which way is better."""

    name: str
    """As `measures.measures` calls it."""
    title: str
    unit: str
    higher: bool = False
    """Whether more is better."""
    repeated: bool = True
    """Whether there are several trials of each configuration: memray traces one, in which every request is counted."""

    @property
    def inline(self) -> str:
        """The title within a sentence; an abbreviation stays as it is."""
        return self.title if self.title[1:2].isupper() else f"{self.title[:1].lower()}{self.title[1:]}"

    def gain(self, ratio: float | None) -> float:
        """The logarithm of a ratio, positive where the ratio is for the better.

        Args:
            ratio: New ÷ old.

        Returns:
            The natural logarithm; NaN where the ratio is None, zero or negative.
        """
        return math.log(ratio if self.higher else 1 / ratio) if ratio and ratio > 0 else math.nan

    def verdict(self, values: Compared | None, disturbances: Sequence[str] = ()) -> Verdict:
        """What the rounds say of this measure; one that is taken once is judged by the ratio itself.

        Args:
            values: New ÷ old; None where the measure was not taken on both sides.
            disturbances: What is known to disturb the machine, as clauses.
        """
        if values is None or not values.estimate.rounds:
            return Verdict(self.name, Word.UNRESOLVED, compare.UNKNOWN, 0.0, control=False)
        if not self.repeated:
            return Verdict(self.name, self._once(values.estimate.ratio), values.ratio, BAND, control=False)
        decision = decide(
            values.estimate,
            values.floor,
            higher_is_better=self.higher,
            seconds_a_round=values.seconds,
            disturbances=disturbances,
        )
        return Verdict(
            self.name,
            Word(decision.word),
            values.ratio,
            values.band,
            control=values.controlled,
            further=decision.further,
            seconds=decision.seconds,
            disturbances=list(decision.disturbances),
        )

    def _once(self, ratio: float) -> Word:
        if abs(math.log(ratio)) <= math.log1p(BAND):
            return Word.NO_DIFFERENCE
        return Word.BETTER if (ratio > 1) == self.higher else Word.WORSE


MEASURES = {
    measure.name: measure
    for measure in (
        Measure("capacity", "capacity", "msg/s", higher=True),
        Measure("capacity_cpu_us", "CPU per message while draining", "µs"),
        Measure("capacity_peak_rss_mb", "peak memory", "MB"),
        Measure("throughput", "throughput", "msg/s", higher=True),
        Measure("lost", "lost", "messages"),
        Measure("cpu_us", "CPU per message under the common load", "µs"),
        Measure("peak_rss_mb", "peak memory under the common load", "MB"),
        Measure("bytes_per_message", "allocated bytes per message", "bytes", repeated=False),
        Measure("held", "highest rate within the SLO", "msg/s", higher=True, repeated=False),
        Measure("allocations_per_message", "allocations per message", "allocations", repeated=False),
    )
}
"""What trials measure besides latencies, by name."""
LATENCY = re.compile(rf"({'|'.join([*KINDS, 'visible'])})_(p\d{{1,2}}(\.\d+)?|max)")
"""Names of latencies, such as `stored_p99`."""


def measure(name: str) -> Measure | None:
    """The measure of that name.

    Args:
        name: As `measures.measures` calls it, such as `capacity` or `stored_p99`.

    Returns:
        The measure, of a latency in ms; None where trials have no such measure.
    """
    if LATENCY.fullmatch(name):
        return Measure(name, name.replace("_", " "), "ms")
    return MEASURES.get(name)
