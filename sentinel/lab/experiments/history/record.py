"""What run.json holds of a history besides what every run has: data only, of which page and sentences are made."""

from __future__ import annotations

import msgspec


class Followed(msgspec.Struct, frozen=True):
    """A run that is part of the history."""

    id: str
    """Its id."""
    folder: str
    """The name of its folder under runs/."""
    created: str
    """When it began, ISO 8601 in UTC."""
    commit: str
    """Of the code that ran; empty where it was in no checkout."""
    dirty: bool
    """Whether files of the package differed from that commit."""
    versions: dict[str, str]
    """What updates change: kernel, Python, and the packages that matter on the hot path."""


class LeftOut(msgspec.Struct, frozen=True):
    """A run of the same notebook that is not part of it."""

    folder: str
    """The name of its folder under runs/."""
    why: str
    """In a clause."""


class Point(msgspec.Struct, frozen=True):
    """A figure of one run."""

    run: int
    """Place of the run among `followed`, from 0."""
    value: float
    """Median over its valid trials, in the unit of the series."""
    low: float | None
    """Lower end of its interval; None where there is none."""
    high: float | None
    """Upper end, likewise."""
    coverage: float | None
    """Share of experiments in which such an interval holds the median, at least."""
    n: int
    """Trials."""


class Change(msgspec.Struct, frozen=True):
    """A change point."""

    at: int
    """Place of the first point after it, from 0."""
    p: float
    """Share of rearranged series that show a change as clear as this."""
    ratio: float
    """After ÷ before: the Hodges-Lehmann estimate over the runs up to the change points beside it."""
    word: str
    """`better`, `worse`, or `no difference` within the band that is of no practical interest."""
    beside: list[str]
    """What else changed between the last run before and the first after, as clauses; empty where only the commit did,
    or nothing that is recorded."""


class Series(msgspec.Struct):
    """A key figure over the runs."""

    column: str
    """The configuration's label; of the headline with its rate."""
    measure: str
    """As run.json calls it, such as `capacity`."""
    title: str
    """In words."""
    unit: str
    """Of all values."""
    higher: bool
    """Whether more is better."""
    points: list[Point]
    """In the order of time."""
    changes: list[Change] = []
    """Change points, in the order of time; empty where there are none, or too few runs."""

    @property
    def name(self) -> str:
        """`capacity of optimised`."""
        return f"{self.title} of {self.column}"


class Alike(msgspec.Struct, frozen=True):
    """What the runs have in common."""

    machine: dict[str, str] = {}
    """The facts that make the same machine."""
    stack: dict[str, str] = {}
    """Bus and store; empty of runs without a stack."""
    load: dict[str, str] = {}
    """The parameters that say what was offered."""


class Answer(msgspec.Struct, frozen=True):
    """What a history answers."""

    notebook: str
    """Whose runs."""
    runs: int
    """Comparable ones."""
    needed: int
    """So many it takes before change points are looked for."""
    series: int
    """Key figures."""
    tested: int
    """Those with runs enough."""
    changed: int
    """Those with a change point."""
    level: float
    """Share of series without a change in which one is seen nevertheless, at most."""


class Record(msgspec.Struct, kw_only=True):
    """All of it."""

    followed: list[Followed] = msgspec.field(default_factory=list)
    """The runs, in the order of time."""
    left_out: list[LeftOut] = msgspec.field(default_factory=list)
    """Other runs of the notebook."""
    alike: Alike = Alike()
    """What the runs have in common."""
    series: list[Series] = msgspec.field(default_factory=list)
    """Key figures over the runs."""
    answer: Answer | None = None
    """None in a run that ended before its sum."""
    verdict: list[str] = msgspec.field(default_factory=list)
    """The answer in sentences, for those who read run.json by eye."""
    warnings: list[str] = msgspec.field(default_factory=list)
