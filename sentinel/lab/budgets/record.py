"""What run.json holds of budgets: data only, of which all sentences are made. Pure."""

from __future__ import annotations

import msgspec

from sentinel.lab.budgets.bound import Bound
from sentinel.lab.statistics.compare import Ratio

HOLDS, MARGINAL, BROKEN, MISSING, INVALID = "holds", "marginal", "broken", "missing", "invalid"


class Row(msgspec.Struct, frozen=True):
    """What became of one bound."""

    bound: Bound
    """What was asked for."""
    seen: Ratio
    """What was measured: a quotient over rounds with its interval, or a median."""
    verdict: str
    """`holds`, `marginal`, `broken` or `missing`."""
    kept: int = 0
    """Rounds that lie within the bound by themselves, of `rounds`; 0 in runs made before rounds were."""
    rounds: int = 0
    """Rounds that count, with a value or without; 0 in earlier runs, where it is `seen.n`."""

    @property
    def passes(self) -> bool:
        """Whether the budget is met."""
        return self.verdict in {HOLDS, MARGINAL}

    @property
    def head(self) -> str:
        """The bound in words."""
        return self.bound.head


class InvalidTrial(msgspec.Struct, frozen=True):
    """A trial that cannot count: with it no budget as a whole is met."""

    number: int
    """Its number in the run."""
    kind: str
    """`capacity`, `latency`, `memory` or `live`."""
    label: str
    """The label of its configuration."""
    why: list[str]
    """What does not add up, in sentences."""

    @property
    def head(self) -> str:
        """The trial in words."""
        return f"Trial {self.number}, {self.kind} of {self.label}"


class BudgetAnswer(msgspec.Struct, frozen=True):
    """What became of every bound, and the trials that are invalid."""

    rows: list[Row]
    """What became of every bound, in the order of the file."""
    invalid: list[InvalidTrial]
    """The trials that are invalid."""

    @property
    def passes(self) -> bool:
        """Whether all budgets are met."""
        return not self.invalid and all(row.passes for row in self.rows)
