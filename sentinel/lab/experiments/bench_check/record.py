"""What run.json holds of a gate besides what every run has."""

from __future__ import annotations

import msgspec

from sentinel.lab.budgets.bound import Bound
from sentinel.lab.budgets.record import BudgetAnswer


class Gated(msgspec.Struct):
    """The sections that only a gate's record has."""

    gate: list[Bound] = []
    """What had to come out."""
    answer: BudgetAnswer | None = None
    """What became of it in runs made before there were `budgets`; None in later ones, and in those of format 1."""
