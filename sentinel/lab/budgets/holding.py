"""A run held to budgets: judged, and kept in its record and on its page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import registry
from sentinel.lab.budgets.judgement import judged
from sentinel.lab.page import page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.budgets.bound import Bound
    from sentinel.lab.budgets.record import BudgetAnswer
    from sentinel.lab.run.run import Run


def hold(run: Run, bounds: Sequence[Bound]) -> BudgetAnswer:
    """Hold a run that has just ended to budgets; record and page say what became of them.

    Args:
        run: A finished run.
        bounds: What had to come out.

    Returns:
        What the record holds of it now.

    Raises:
        RunError: record or page cannot be written.
    """
    known = registry.experiment(run.data.notebook)
    figures = {name: values(run) for name, values in known.derived.items()}
    answer = judged(bounds, known.held_to(run), run.data.looks, figures)
    run.data.budgets = answer
    run.save()
    page.write(run)
    return answer
