"""What run.json holds of a regression test besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.statistics.compare import Comparison, Ratio
from sentinel.lab.statistics.reliability import Validity

BASE, HEAD = "base", "head"
"""Labels of the two sides."""
NO_WORSE, WORSE, UNKNOWN = "no worse", "worse", "could not tell"
EXIT_CODES = {NO_WORSE: 0, WORSE: 1, UNKNOWN: 2}
"""Of `sentinel run regression`, by what it found."""


class Side(msgspec.Struct, frozen=True):
    """One of the two versions of the consumer."""

    ref: str
    """As it was asked for: a branch, tag or commit, or `.` for the working tree."""
    commit: str
    """The commit that it names, or that the working tree lies above."""
    subject: str
    """First line of that commit's message."""
    changed: list[str]
    """Files that are not as committed, of those that are installed; empty unless it is the working tree."""
    module: str
    """Path of the package that its interpreter imported."""
    key: str
    """Name of the installation in the cache: the same for the same code, pins and Python."""
    unweighed: str = ""
    """Why its memory could not be measured; empty where it could."""


class Judgement(msgspec.Struct, frozen=True):
    """What the rounds say of one measure."""

    measure: str
    """As `measures.measures` calls it."""
    word: str
    """`better`, `worse`, `no difference`, `unstable` or `unresolved`."""
    ratio: Ratio
    """Head ÷ base."""
    floor: float | None = None
    """The factor that base stays within when it is measured twice; None where it was not."""
    further: int | None = None
    """Rounds more that would settle it in 4 of 5 experiments; None where it is settled."""
    regressed: bool = False
    """Whether it is worse, and by more than MARGIN."""
    excluded: bool = False
    """Whether the interval leaves no room for a slowdown beyond MARGIN."""


class Answer(msgspec.Struct, frozen=True):
    """What a regression test answers."""

    validity: Validity
    """Whether every message is accounted for."""
    word: str
    """`no worse`, `worse` or `could not tell`."""
    margin: float
    """The share from which a slowdown counts."""
    error: float
    """Share of experiments in which the interval of one measure may miss the truth, so that all of them together call
    equal versions worse in at most 5 of 100."""
    judgements: dict[str, Judgement]
    """By measure; what was not measured on both sides is not there."""
    open: list[str]
    """Measures that decide and leave room for a slowdown beyond MARGIN, or have no value."""


class Record(Comparison, kw_only=True):
    """All of it."""

    sides: dict[str, Side] = msgspec.field(default_factory=dict)
    """Both versions of the consumer: `base` and `head`."""
    answer: Answer | None = None
    """None in a run that ended before its sum."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
