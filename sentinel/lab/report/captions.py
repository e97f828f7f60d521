"""What a caption says of trials and configurations that its figure or table does not show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting
from sentinel.lab.run import queries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sentinel.lab.run.run import Run


def left_out(run: Run, kind: str = "") -> str:
    """A sentence, behind a blank, that names the invalid trials; empty if there are none.

    Args:
        run: Whose trials they are.
        kind: The kind of trial that is shown; empty for all.
    """
    bad = [str(o.plan.number) for o in queries.outcomes(run) if kind in {"", o.plan.kind} and not o.valid]
    return f" Invalid and left out: trial {formatting.joined(bad)}." if bad else ""


def missing(names: Iterable[str], shown: Collection[str], what: str) -> str:
    """A sentence, behind a blank, that names what has no `what` and is not shown; empty if all are.

    Args:
        names: What could be shown.
        shown: What is.
        what: What the others lack, such as `percentiles`.
    """
    absent = [name for name in names if name not in shown]
    return f" Without a {what}, so not shown: {formatting.joined(absent)}." if absent else ""
