"""What run.json holds of a gate besides what every run has: data only, of which all sentences are made."""

from __future__ import annotations

import msgspec

from sentinel.lab.experiments.bench_check.gate import Bound
from sentinel.lab.statistics.compare import Ratio

HOLDS, MARGINAL, BROKEN, MISSING, INVALID = "holds", "marginal", "broken", "missing", "invalid"


class Row(msgspec.Struct, frozen=True):
    """What became of one bound."""

    bound: Bound
    """What was asked for."""
    seen: Ratio
    """What was measured: a quotient over rounds with its interval, or a count."""
    verdict: str
    """`HOLDS`, `MARGINAL`, `BROKEN` or `MISSING`."""
    kept: int = 0
    """Rounds whose own ratio lies within the bound, of `seen.n`; 0 of a count, and in runs made before rounds were."""

    @property
    def passes(self) -> bool:
        """Whether it lets the gate be green."""
        return self.verdict in {HOLDS, MARGINAL}

    @property
    def head(self) -> str:
        """The bound in words."""
        return self.bound.head


class InvalidTrial(msgspec.Struct, frozen=True):
    """A trial that cannot count: it lets no gate be green."""

    number: int
    """Its number in the run."""
    kind: str
    """`capacity`, `memory` or `profile`."""
    label: str
    """The label of its configuration."""
    why: list[str]
    """What does not add up, in sentences."""

    @property
    def head(self) -> str:
        """The trial in words."""
        return f"Trial {self.number}, {self.kind} of {self.label}"


class Answer(msgspec.Struct, frozen=True):
    """What a gate answers: what became of every bound, and the trials that are invalid."""

    rows: list[Row]
    """What became of every bound."""
    invalid: list[InvalidTrial]
    """The trials that are invalid."""

    @property
    def passes(self) -> bool:
        """Whether the gate is green."""
        return not self.invalid and all(row.passes for row in self.rows)


class Gated(msgspec.Struct):
    """The sections that only a gate's record has."""

    gate: list[Bound] = []
    """What had to come out."""
    answer: Answer | None = None
    """None in runs of format 1, which hold sentences only."""
