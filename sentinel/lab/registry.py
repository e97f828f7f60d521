"""Experiments: the questions that the lab can be asked, each found by its name.

The lab's own are the folders of `experiments/`, each with an `EXPERIMENT`; others come in through the entry-point group
`sentinel.experiments`, whose entries name an `Experiment`. One is imported only once it is asked for.
"""

from __future__ import annotations

import pkgutil
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentinel.errors import SettingsError
from sentinel.lab import experiments
from sentinel.lab.presentation.phrase import Phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    import msgspec

    from sentinel.lab.parameters import Parameters
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.trials.study import Study

GROUP = "sentinel.experiments"
NOTEBOOKS = Path("notebooks")


def verdict(run: Run) -> str:
    """The run's answer as plain text: the table of an experiment that has none of its own.

    Args:
        run: A run of any experiment.

    Returns:
        One sentence a line; of a run without an answer, that it has no results.
    """
    return "\n".join(map(str, answer(run))) or f"run {run.id}: no results"


def sentences(run: Run) -> list[Phrase] | None:
    """The sentences that the record holds: the answer of an experiment that makes none from its data.

    Args:
        run: A run of any experiment.

    Returns:
        One phrase a sentence; never None.
    """
    return [Phrase([text]) for text in run.data.verdict]


def unsustained(run: Run) -> str:
    """The loads that were not sustained: what an answer misses in an experiment that defines nothing else.

    Args:
        run: A run of any experiment.

    Returns:
        A clause that names the trials; empty where every load was sustained.
    """
    from sentinel.lab.run.conclusion import missed

    return missed(run)


@dataclass(frozen=True)
class Experiment:
    """One question: what it can be told, what carries it out, and how its runs are shown."""

    name: str
    """Of its notebook, of its runs, and of `sentinel run <name>`."""
    parameters: type[Parameters]
    study: Callable[[], type[Study[Any]]]
    """Imports what carries it out, which may be slow."""
    table: Callable[[Run], str] = verdict
    """A run's key results as plain text, as wide as a terminal."""
    answer: Callable[[Run], list[Phrase] | None] = sentences
    """A run's answer, made of its data; None where the record holds nothing but sentences, as those of format 1 do."""
    questions: Callable[[Run], list[Question]] = lambda _: []
    """What was asked of a run, each with whether it is met: the table that its page begins with; empty of nothing."""
    repeating: Callable[[Run], dict[str, Any]] = lambda run: run.data.parameters
    """The parameters that carry the same out again: those of the run, but for names that move on."""
    missed: Callable[[Run], str] = unsustained
    """What the answer of a valid run misses, for `--strict`; empty where nothing is missed."""
    prepare: Callable[[Any], None] = lambda _: None
    """Makes ready, before anything is started, what its parameters name: may take long, and says so."""
    exit_code: Callable[[Run], int] = lambda _: 0
    """Of the command that carried a valid run out."""
    markdown: Callable[[Run], str] | None = None
    """A run's results as a Markdown table, for a pull request; None where it has none."""
    sections: Callable[[], type[msgspec.Struct] | None] = lambda: None
    """Imports what its records hold beyond those of all others: a struct with a field a key of run.json."""
    notebook: Path | None = None
    """Its notebook, where that is not `notebooks/<name>.ipynb` of the checkout."""


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


def questions(run: Run) -> list[Question]:
    """What was asked of a run, and what came of it.

    Args:
        run: A run of any experiment, also of one that is not installed.

    Returns:
        A question for every bound that the run can answer; empty where there is none.

    Raises:
        SettingsError: the run's experiment exists, but it cannot be loaded.
    """
    known = find(run.data.notebook)
    return known.questions(run) if known else []


def _own() -> dict[str, str]:
    """Module by name; a folder's underscore is a hyphen in the name."""
    names = (m.name for m in pkgutil.iter_modules(experiments.__path__) if m.ispkg)
    return {name.replace("_", "-"): f"{experiments.__name__}.{name}" for name in names}


def _foreign() -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=GROUP)}
