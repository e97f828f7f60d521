"""What was asked of a run, and what came of it: a row of the table that a page begins with. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One thing that was asked of a run: a published figure, a service level, a bound."""

    asked: str
    """What, of what: `E2E p99 of optimised at 25,000 msg/s`."""
    bound: str
    """What it must be, with its unit: `6–9 ms`."""
    measured: str
    """What it is, with its unit; a dash where it was not measured."""
    met: bool | None
    """Whether it is met; None where that is not known."""
    raw: str = ""
    """Address of the file that has the number, as a page of the run sees it; empty where there is none."""
    by: str = ""
    """Who asks: `SentinelStream, published`, `P99_STORED_MS`."""
    value: float | None = None
    """The number measured, in the unit of `measured`; None where it is not a single one."""
