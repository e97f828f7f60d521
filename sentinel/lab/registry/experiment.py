"""What an experiment is: one question, and all that is needed to ask it and to show what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sentinel.lab.presentation.phrase import Phrase

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import msgspec

    from sentinel.lab.index.figures import KeyFigure
    from sentinel.lab.parameters import Parameters
    from sentinel.lab.presentation.question import Question
    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.trials.study import Study


def verdict(run: Run) -> str:
    """The run's answer as plain text: the table of an experiment that has none of its own.

    Args:
        run: A run of any experiment.

    Returns:
        One sentence a line; of a run without an answer, that it has no results.
    """
    from sentinel.lab import registry

    return "\n".join(map(str, registry.answer(run))) or f"run {run.id}: no results"


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
    figures: Callable[[Run], list[KeyFigure]] | None = None
    """A run's key figures, for what stands over many runs; None where they are the medians of its trials by label."""
    sections: Callable[[], type[msgspec.Struct] | None] = lambda: None
    """Imports what its records hold beyond those of all others: a struct with a field a key of run.json."""
    held_to: Callable[[Run], Sequence[Outcome]] = lambda run: run.data.trials
    """The trials of a run that budgets are held to."""
    derived: Mapping[str, Callable[[Run], Mapping[str, float]]] = field(default_factory=dict)
    """What budgets may bound besides what trials measure: by measure, a value by configuration."""
    notebook: Path | None = None
    """Its notebook, where that is not `notebooks/<name>.ipynb` of the checkout."""
