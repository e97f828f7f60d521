"""The two runs, read as they lie there and left as they are; what cannot be compared is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from sentinel.errors import RunError, SettingsError
from sentinel.lab import formatting, registry
from sentinel.lab.experiments.compare import likeness, summary
from sentinel.lab.experiments.compare.record import A, B, Sweep
from sentinel.lab.run import lookup
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.run_data import RUNNING

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.experiments.compare.parameters import Compare
    from sentinel.lab.experiments.compare.record import Difference
    from sentinel.lab.run.run import Run


@dataclass(frozen=True)
class Pair:
    """Two runs of one experiment."""

    a: Run
    """What was there before."""
    b: Run
    """What is held against it."""
    differences: list[Difference]
    """What is not the same in both."""

    @property
    def named(self) -> dict[str, Run]:
        """Both, by the names that they have here."""
        return {A: self.a, B: self.b}


def read(p: Compare) -> Pair:
    """Both runs.

    Args:
        p: The parameters.

    Raises:
        SettingsError: a run is not named.
        RunError: there is no such run, its record cannot be read, nothing of it can be compared with the other, or the
            runs differ in what decides what a figure means, and FORCE was not given.
    """
    a, b = _run(A, p.A), _run(B, p.B)
    _require_comparable(a, b)
    differences = likeness.differences(a.data, b.data, _usual(a.data.notebook))
    if not p.FORCE:
        _require_alike(differences)
    return Pair(a, b, differences)


def _run(name: str, text: str) -> Run:
    if not text:
        raise SettingsError(
            f"{name} names no run: make compare A=<run> B=<run>, each an id (`sentinel runs` lists them) or a folder"
        )
    try:
        run = lookup.resolve(text)
    except RunError as error:
        raise RunError(f"{name}: {error}") from None
    run.sections(Sweep)  # of a sweep; damaged, it is said here
    if run.state == RUNNING and under_way(run):
        raise RunError(f"{name}, {run.id}, is still under way: compare it once it has ended")
    if not summary.valid(run.data):
        raise RunError(
            f"{name}, {run.id}, is a run of {run.data.notebook} without a valid trial that could be compared (of"
            " capacity, latency or memory)"
        )
    return run


def _require_comparable(a: Run, b: Run) -> None:
    if a.data.id == b.data.id:
        raise RunError(f"A and B are the same run, {a.data.id}: there is nothing to compare")
    if a.data.notebook != b.data.notebook:
        raise RunError(
            f"A is a run of {a.data.notebook}, and B one of {b.data.notebook}: only runs of the same notebook can be"
            " compared"
        )
    if not summary.parts(a.data, b.data):
        names = [formatting.joined([*run.data.configurations]) for run in (a, b)]
        raise RunError(f"A and B have no configuration in common: A measured {names[0]}, B {names[1]}")


def _usual(notebook: str) -> dict[str, object]:
    """What an experiment's parameters are where nobody sets them; empty where it is not installed."""
    known = registry.find(notebook)
    return asdict(known.parameters()) if known else {}


def _require_alike(differences: list[Difference]) -> None:
    """Refuse to judge runs whose figures mean something else."""
    if not (forbidding := [difference for difference in differences if difference.forbids]):
        return
    lines = [f"  {each.name}: A {each.a}, B {each.b}" for each in forbidding]
    raise RunError(
        "\n".join(
            [
                "A and B differ in what decides what a figure means, so they are not judged against each other"
                " (FORCE=True shows them without a verdict):",
                *lines,
            ]
        )
    )


def beside(run: Run, file: str) -> Path | None:
    """A file of a run's profiles, where the run lies or where it was unpacked.

    Args:
        run: Whose it is.
        file: Its name.

    Returns:
        Its path; None where it is not there.
    """
    places = (run.profiles / file, run.folder / run.profiles.parent.name / file)
    return next((path for path in places if path.is_file()), None)
