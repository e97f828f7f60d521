"""Where the number behind a figure lies: addresses of a run's files, as its page sees them.

They lead out of the run's folder and back into it, so that they hold from `runs/<id>/` on disk and in JupyterLab alike;
`page.links` shortens them on a page, and drops those to files that are not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol
from urllib.parse import quote

from sentinel.lab.run.run import RECORD, RUNS
from sentinel.lab.statistics.measures import measures

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sentinel.lab.presentation.figure_data import FigureData
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

FIGURES = "figures"
"""Folder of a run's figures as data."""


class Drawn(Protocol):
    """A picture of any kind, with the numbers that it draws."""

    @property
    def data(self) -> FigureData | None:
        """As a tidy table."""


def address(run: Run, file: str) -> str:
    """Where a file of a run lies.

    Args:
        run: Whose it is.
        file: Its path within the run's folder.
    """
    return f"../../{RUNS.as_posix()}/{run.id}/{quote(file)}"


def record(run: Run) -> str:
    """Where a run's record lies, which holds every ratio, sum and limit."""
    return address(run, RECORD)


def trial(run: Run, number: int) -> str:
    """Where the record of one trial lies.

    Args:
        run: Whose trial it is.
        number: Its number in the run.
    """
    return address(run, f"trials/{number}/trial.json")


def drawn(run: Run, name: str, picture: Drawn) -> str:
    """Keep a figure's numbers with its run, until the page is written.

    Args:
        run: Whose figure it is.
        name: Of the figure: that of its file.
        picture: What is shown.

    Returns:
        Where they will lie; empty where the picture has none.
    """
    if picture.data is None:
        return ""
    run.figures[name] = picture.data.csv(f"{name}: what the figure of run {run.id} draws")
    return address(run, f"{FIGURES}/{name}.csv")


def median(run: Run, trials: Iterable[Outcome], measure: str) -> str:
    """Where the record of the trial lies whose value is the median, of an even number the smaller of the two.

    Args:
        run: Whose trials they are.
        trials: Those behind the median; invalid ones are left out.
        measure: As `measures.measures` calls it.

    Returns:
        The trial's address; the run's record where no trial has the measure.
    """
    values = sorted((value, o.plan.number) for o in trials for value in measures([o]).get(measure, []))
    return trial(run, values[(len(values) - 1) // 2][1]) if values else record(run)
