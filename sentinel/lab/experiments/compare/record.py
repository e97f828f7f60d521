"""What run.json holds of a comparison besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.statistics.compare import Ratio, Spread, Verdict
from sentinel.lab.statistics.reliability import Validity

A, B = "A", "B"
"""The two runs: what was there before, and what is held against it."""


class Side(msgspec.Struct, frozen=True):
    """One of the two runs."""

    id: str
    """The run's id."""
    folder: str
    """Where its record was read from."""
    notebook: str
    """The experiment that it is a run of."""
    created: str
    """When it began, ISO 8601 in UTC."""
    state: str
    """`running`, `finished`, `interrupted` or `failed`."""
    commit: str
    """The commit of the lab that measured it; empty where that is not known."""
    dirty: bool
    """Whether files of the package differed from that commit."""
    validity: Validity
    """Whether every message is accounted for."""
    late_p99: float | None = None
    """By how much a timer was late on the machine by itself, ms at p99; None where it was not measured."""
    slow: float | None = None
    """Percent of the turns of a fixed piece of work that took a multiple of the median; None likewise."""


class Difference(msgspec.Struct, frozen=True):
    """What is not the same in both runs."""

    name: str
    """What it is, such as a parameter's name."""
    a: str
    """Its value in A, as text."""
    b: str
    """Its value in B."""
    forbids: bool
    """Whether figures of such runs are not to be judged against each other."""
    but: str = ""
    """Which figures are not judged although all others are; empty where all are, or none."""


class Row(msgspec.Struct, frozen=True):
    """One measure of one configuration in both runs."""

    measure: str
    """As `measures.measures` calls it."""
    a: float
    """Median in A, in the measure's unit."""
    b: float
    """Median in B."""
    spreads: tuple[Spread, Spread]
    """The trials behind these medians."""
    ratio: Ratio
    """B ÷ A, over trials of two sessions: unpaired."""
    verdict: Verdict | None = None
    """What it says; None where it is not to be judged."""


class Column(msgspec.Struct, frozen=True):
    """One configuration under one load, in both runs."""

    label: str
    """Its name in tables, with its load where a run has several."""
    rows: list[Row]
    """The key measures that both runs have."""
    capacities: tuple[list[float], list[float]]
    """Of every valid capacity trial in A and in B, msg/s."""
    why: list[str] = []
    """Why measures are missing or are not judged, in sentences."""


class Stages(msgspec.Struct, frozen=True):
    """The CPU profiles of one configuration in both runs."""

    samples: tuple[int, int]
    """Samples at work in A and in B."""
    cpu_us: tuple[float | None, float | None]
    """CPU per message, µs, measured where nothing was profiled; None where it was not."""
    stages: list[tuple[str, float, float]]
    """Stage, and its share of the samples in A and in B."""
    functions: list[tuple[str, float, float]]
    """Function, and its own share in A and in B: the largest changes first."""
    graph: str = ""
    """The differential flame graph's file in the run's profiles; empty where there is none."""
    why: str = ""
    """Why there is none, in a sentence."""


class Bytes(msgspec.Struct, frozen=True):
    """What memray saw of one configuration in both runs."""

    whole: tuple[float, float]
    """Bytes per message in A and in B."""
    places: list[tuple[str, float, float]]
    """Function and file, and bytes per message allocated there in A and in B: the largest changes first."""


class Knee(msgspec.Struct, frozen=True):
    """What compare reads of a sweep's own section: the highest rate at which a configuration meets the SLO."""

    rate: float | None = None
    """msg/s; None where it met the SLO at none."""
    low: float | None = None
    """Lower end of its interval, msg/s."""
    high: float | None = None
    """Upper end, msg/s."""
    held: tuple[int, int] = (0, 0)
    """Trials at that rate that met the SLO, of so many."""


class Sweep(msgspec.Struct, frozen=True):
    """The section of a sweep that has its knees."""

    knees: dict[str, Knee] = {}
    """By configuration; empty of every other run."""


class Record(msgspec.Struct, kw_only=True):
    """All of it."""

    sides: dict[str, Side] = {}
    """Both runs: `A` and `B`."""
    differences: list[Difference] = []
    """What is not the same in both; what forbids to judge them comes first."""
    columns: list[Column] = []
    """The configurations that both have."""
    alone: dict[str, list[str]] = {}
    """Configurations that one run has and the other has not, by run."""
    stages: dict[str, Stages] = {}
    """Where CPU time goes, by configuration."""
    bytes: dict[str, Bytes] = {}
    """Where bytes are allocated, by configuration."""
    lacking: dict[str, str] = {}
    """Why there is no CPU profile, or no memory trial, to compare: `cpu` and `memory`, in a sentence."""
    verdict: list[str] = []
    """The answer in sentences, for those who read run.json by eye."""

    @property
    def forbidding(self) -> list[Difference]:
        """What forbids to judge."""
        return [difference for difference in self.differences if difference.forbids]

    @property
    def verdicts(self) -> list[tuple[str, Row, Verdict]]:
        """Everything that was judged: the configuration, its row, the verdict."""
        return [(c.label, row, row.verdict) for c in self.columns for row in c.rows if row.verdict]
