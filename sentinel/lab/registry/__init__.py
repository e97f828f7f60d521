"""Experiments: the questions that the lab can be asked, each found by its name.

The lab's own are the folders of `experiments/`, each with an `EXPERIMENT`; others come in through the entry-point group
`sentinel.experiments`, whose entries name an `Experiment`. One is imported only once it is asked for.
"""

from __future__ import annotations

import pkgutil
from dataclasses import asdict
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.errors import SettingsError
from sentinel.lab import experiments
from sentinel.lab.registry.experiment import Experiment, sentences, verdict

if TYPE_CHECKING:
    from sentinel.lab.index.figures import KeyFigure
    from sentinel.lab.presentation.phrase import Phrase
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run

__all__ = [
    "Experiment", "answer", "experiment", "figures", "find", "names", "questions", "require_markdown", "table", "usual",
    "with_notebooks",
]  # fmt: skip

GROUP = "sentinel.experiments"
NOTEBOOKS = Path("notebooks")


def names() -> list[str]:
    """The names of all experiments, sorted; none is imported."""
    return sorted({*_own(), *_foreign()})


def with_notebooks() -> list[str]:
    """The names of all experiments that have a notebook, without importing any.

    Returns:
        Sorted names: those of the notebooks in `notebooks/` of the current folder, and those of other packages.
    """
    return sorted({*(path.stem for path in NOTEBOOKS.glob("*.ipynb")), *_foreign()})


def find(name: str) -> Experiment | None:
    """The experiment of that name, imported.

    Args:
        name: The name of its notebook, such as `bench-check`.

    Returns:
        The experiment; None where no experiment has that name.

    Raises:
        SettingsError: the experiment exists, but it cannot be loaded, or what was loaded is no experiment of that name.
    """
    if (module := _own().get(name)) is not None:
        experiment: Any = import_module(module).EXPERIMENT
    elif (point := _foreign().get(name)) is not None:
        try:
            experiment = point.load()
        except Exception as error:
            raise SettingsError(f"experiment {name!r} ({point.value}) cannot be loaded: {error}") from error
    else:
        return None
    if not isinstance(experiment, Experiment) or experiment.name != name:
        raise SettingsError(f"experiment {name!r} is {experiment!r}: expected an Experiment of that name")
    return experiment


def experiment(name: str) -> Experiment:
    """The experiment of that name, imported.

    Args:
        name: The name of its notebook, such as `bench-check`.

    Raises:
        SettingsError: no experiment has that name, or it cannot be loaded; the message lists the names.
    """
    if (experiment := find(name)) is None:
        raise SettingsError(f"no experiment {name!r}: there are {', '.join(names())}")
    return experiment


def require_markdown(name: str, path: Path) -> None:
    """Make sure, before anything is measured, that a run's Markdown table can be made and written.

    Args:
        name: Of the experiment.
        path: Where it is to be written.

    Raises:
        SettingsError: the experiment has no such table, or the file's folder is not there.
    """
    known = find(name)
    if known is None or known.markdown is None:
        having = [other for other in names() if experiment(other).markdown]
        raise SettingsError(f"--markdown: {name} has no table for a pull request; {', '.join(having)} has")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SettingsError(f"--markdown={path} cannot be written: expected a file in a folder that is there")


def table(run: Run) -> str:
    """A run's key results as plain text, as wide as a terminal.

    Args:
        run: A run of any experiment, also of one that is not installed.

    Raises:
        SettingsError: the run's experiment exists, but it cannot be loaded.
    """
    known = find(run.data.notebook)
    return known.table(run) if known else verdict(run)


def answer(run: Run) -> list[Phrase]:
    """A run's answer in sentences, made from its data where its experiment does so.

    Args:
        run: A run of any experiment, also of one that is not installed.

    Returns:
        One phrase a sentence; empty where the record holds no answer.

    Raises:
        SettingsError: the run's experiment exists, but it cannot be loaded.
    """
    known = find(run.data.notebook)
    made = known.answer(run) if known else None
    return (sentences(run) or []) if made is None else made


def figures(run: Run) -> list[KeyFigure]:
    """A run's key figures, each with its interval.

    Args:
        run: A run of any experiment, also of one that is not installed or cannot be loaded.

    Raises:
        RunRecordError: what its experiment keeps in its record is damaged.
    """
    from sentinel.lab.index.figures import of_record

    known = _loaded(run.data.notebook)
    return known.figures(run) if known and known.figures else of_record(run.data)


def usual(name: str) -> dict[str, Any]:
    """The parameters of an experiment as they are where nothing is given, by name.

    Args:
        name: Of an experiment, also of one that is not installed or cannot be loaded: it has none.
    """
    known = _loaded(name)
    return asdict(known.parameters()) if known else {}


def _loaded(name: str) -> Experiment | None:
    try:
        return find(name)
    except SettingsError:
        return None


def questions(run: Run) -> list[Question]:
    """What was asked of a run, and what came of it.

    Args:
        run: A run of any experiment, also of one that is not installed.

    Returns:
        A question for every budget, then for every other bound that the run can answer; empty where there is none.

    Raises:
        SettingsError: the run's experiment exists, but it cannot be loaded.
    """
    from sentinel.lab.budgets import asked
    from sentinel.lab.report.answers import raw

    known, budgets = find(run.data.notebook), run.data.budgets
    held_to = asked.questions(budgets, raw.record(run), "budget") if budgets else []
    return [*held_to, *(known.questions(run) if known else [])]


@cache
def _own() -> dict[str, str]:
    """Module by name; a folder's underscore is a hyphen in the name."""
    names = (m.name for m in pkgutil.iter_modules(experiments.__path__) if m.ispkg)
    return {name.replace("_", "-"): f"{experiments.__name__}.{name}" for name in names}


def _foreign() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=GROUP)}
