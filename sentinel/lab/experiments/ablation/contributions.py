"""What each choice of an ablation contributes to each measure: switched on, on the way up, and taken off again. Pure.

On the way up every configuration has one choice more than the one before; what a step is worth there depends on what
is switched on already. So each choice is also taken off `optimised` alone: the ratio with and without it is the check.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sentinel.consumer.configurations import BASELINE, OPTIMISED, ORDER, parse
from sentinel.lab import formatting
from sentinel.lab.statistics.compare import Ratio, Word
from sentinel.lab.statistics.measures import measures
from sentinel.lab.statistics.metrics import Measure, compared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.statistics.measures import Columns
    from sentinel.lab.statistics.metrics import Compared

PAYS, UNPAID, DEPENDS = "pays", "does not pay", "depends"
UNCLEAR = (Word.CANNOT_TELL, Word.UNSTABLE, Word.UNRESOLVED)
"""What a choice says where one of its ratios says it: the first that does. The first of them is of older runs."""
UNPROVEN = {
    "Does not pay": (UNPAID, False, False),
    "Pays on the way up, but not beside the others": (DEPENDS, True, False),
    "Pays beside the others, but not on the way up": (DEPENDS, False, True),
}
"""What is said of choices that were shown not to simply pay: what they say, and whether they are better on, and off."""
OPEN = {
    "Pays on the way up; beside the others that is open ({word})": (True, False),
    "Pays beside the others; on the way up that is open ({word})": (False, True),
    "Whether it pays is open ({word})": (False, False),
}
"""What is said of choices of which a ratio is open: whether they are better on, and off."""

MEASURES = (
    Measure("capacity", "Capacity", "msg/s", higher=True),
    Measure("capacity_cpu_us", "CPU per message", "µs"),
    Measure("bytes_per_message", "Allocated per message", "bytes", repeated=False),
)


@dataclass(frozen=True)
class Choice:
    """One axis switched from `baseline`'s choice to `optimised`'s, and the configurations that show its worth."""

    axis: str
    """The axis that is switched."""
    old: str
    """The choice of `baseline`."""
    new: str
    """The choice of `optimised`."""
    before: str
    """The step before it is switched on."""
    after: str
    """The step that switches it on."""
    without: str
    """`optimised` but for this choice; of the axis switched last it is the step before."""

    @property
    def label(self) -> str:
        """`write: post-batches`."""
        return f"{self.axis}: {self.new}"


def choices(names: Sequence[str]) -> list[Choice]:
    """The choices in the order in which an ablation switches them on.

    Args:
        names: The ablation's configurations.
    """
    named = {tuple(sorted(parse(name).axes().items())): name for name in names}

    def called(axes: Mapping[str, str]) -> str:
        return named[tuple(sorted(axes.items()))]

    switched, old, new = [], BASELINE.axes(), OPTIMISED.axes()
    before = dict(old)
    for axis in ORDER:
        after = before | {axis: new[axis]}
        without = called(new | {axis: old[axis]})
        switched.append(Choice(axis, old[axis], new[axis], called(before), called(after), without))
        before = after
    return switched


def short(name: str) -> str:
    """A configuration of an ablation in few words: `+ point`, `optimised without write`.

    Args:
        name: The configuration's name, a list of switches behind the first comma.
    """
    first, *switches = name.split(",")
    axis = switches[-1].partition("=")[0] if switches else ""
    return first if not axis else f"+\N{NO-BREAK SPACE}{axis}" if first == BASELINE.name else f"{first} without {axis}"


@dataclass(frozen=True)
class Contribution:
    """What one choice contributes to one measure."""

    choice: Choice
    """The choice, and the configurations that show its worth."""
    medians: dict[str, float]
    """By configuration: `before`, `after`, `without` and `optimised`; what was not measured is not there."""
    on: Ratio
    """The step that switches it on ÷ the step before."""
    off: Ratio
    """`optimised` ÷ `optimised` without it."""
    share: float | None
    """Of all that is gained on the way up, on a log scale, where factors add up; None where nothing is gained."""
    band: float
    """What a difference must exceed, less one: the larger of the noise floors of both ratios, 0 where none is known."""
    on_is: Word
    """What the step that switches it on makes: one of the five words, in older runs `cannot tell` for two of them."""
    off_is: Word
    """The same of `optimised` against `optimised` without it."""
    says: str = field(init=False)
    """Whether the choice pays, by both ratios together: `PAYS`, `UNPAID`, `DEPENDS` or one of `UNCLEAR`."""

    def __post_init__(self) -> None:
        verdicts = {self.on_is, self.off_is}
        pays = PAYS if verdicts == {Word.BETTER} else DEPENDS if Word.BETTER in verdicts else UNPAID
        object.__setattr__(self, "says", next((str(word) for word in UNCLEAR if word in verdicts), pays))

    @property
    def better(self) -> tuple[bool, bool]:
        """Whether it is better on the way up, and beside the others."""
        return self.on_is == Word.BETTER, self.off_is == Word.BETTER


ByMeasure = dict[Measure, list[Contribution]]
"""A contribution for every choice, in the order of the steps, by measure."""


def counts(steps: Sequence[Contribution]) -> list[int]:
    """How many rounds stand behind the ratios; of older runs, trials on the smaller side.

    Args:
        steps: Contributions to one measure.

    Returns:
        The different numbers, ascending.
    """
    return sorted({ratio.n for contribution in steps for ratio in (contribution.on, contribution.off)})


def trials(steps: Sequence[Contribution]) -> str:
    """The numbers of trials behind the ratios in words: `n = 3 trials`, or from the fewest to the most.

    Args:
        steps: Contributions to one measure, at least one.
    """
    ns = counts(steps)
    return f"n = {f'{ns[0]} to ' if len(ns) > 1 else ''}{formatting.counted(ns[-1], 'trial')}"


def contributions(
    names: Sequence[str], outcomes: Sequence[Outcome], looks: Mapping[str, Sequence[int]] | None = None
) -> ByMeasure:
    """Every choice's contribution to every measure.

    Args:
        names: The ablation's configurations; `optimised`, which was measured twice, shows the noise floor of all.
        outcomes: All its trials; invalid ones do not count.
        looks: Where REPEATS was auto: the rounds at which looks were announced, by group of trials.
    """

    def versus(new: str, old: str) -> dict[str, Compared]:
        return compared(new, old, outcomes, looks, control=OPTIMISED.name)

    values = {name: measures(o for o in outcomes if o.plan.label == name) for name in names}
    pairs = [(c, versus(c.after, c.before), versus(OPTIMISED.name, c.without)) for c in choices(names)]
    whole = versus(names[-1], names[0])
    return {m: _to(m, values, pairs, whole.get(m.name)) for m in MEASURES}


def _to(
    measure: Measure,
    values: Columns,
    pairs: Sequence[tuple[Choice, Mapping[str, Compared], Mapping[str, Compared]]],
    whole: Compared | None,
) -> list[Contribution]:
    of = {name: measured.get(measure.name, []) for name, measured in values.items()}
    ons = [measure.verdict(on.get(measure.name)) for _, on, _ in pairs]
    offs = [measure.verdict(off.get(measure.name)) for _, _, off in pairs]
    shares = _shares([measure.gain(on.ratio.value) for on in ons], measure.verdict(whole).band)
    steps = []
    for (choice, _, _), on, off, share in zip(pairs, ons, offs, shares, strict=True):
        around = {choice.before, choice.after, choice.without, OPTIMISED.name}
        medians = {name: float(statistics.median(of[name])) for name in of if name in around and of[name]}
        band = max(on.band, off.band)
        steps.append(Contribution(choice, medians, on.ratio, off.ratio, share, band, on.word, off.word))
    return steps


def _shares(gains: Sequence[float], band: float) -> list[float | None]:
    """Every step's part of the whole way; none where a step is missing, or the whole lies within the noise floor."""
    total = sum(gains)
    return [gain / total for gain in gains] if total > math.log1p(band) else [None] * len(gains)
