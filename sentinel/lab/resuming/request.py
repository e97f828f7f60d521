"""What `sentinel run … --resume RUN` asks for: the run and its parameters, or one line that says why not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sentinel.errors import RunError, SettingsError
from sentinel.lab import registry
from sentinel.lab.parameters import converted
from sentinel.lab.resuming.obstacles import obstacle
from sentinel.lab.run.claim import under_way
from sentinel.lab.run.lookup import resolve
from sentinel.lab.run.run import project_root
from sentinel.lab.run.run_data import RUNNING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.run_data import RunData


def requested(text: str, notebook: str, given: Mapping[str, Any]) -> tuple[Run, dict[str, Any]]:
    """The run that a text names, and the parameters with which it goes on: its own.

    Args:
        text: An id, or a path of the run (see `lookup.resolve`).
        notebook: The name of the notebook that is to be executed.
        given: Parameters from the command line and the environment, which may only repeat the run's own.

    Raises:
        RunError: there is no such run, its record or a trial of it cannot be read, or it cannot be resumed.
        SettingsError: a parameter differs from the run's own, or is none that is known here.
    """
    run = resolve(text)
    if why := _obstacle(run, notebook):
        raise RunError(f"run {run.id} cannot be resumed: {why}")
    known = registry.experiment(notebook).parameters
    own = converted(run.data.parameters, known.rules())
    whole = asdict(known(**own))
    for name, value in given.items():
        if whole[name] != value:
            raise SettingsError(
                f"{name}={value} differs from {name}={whole[name]} of run {run.id}: a run is resumed with its own"
                " parameters, so leave it out"
            )
    return run, own


def _obstacle(run: Run, notebook: str) -> str:
    """Why it cannot be resumed, as a clause; empty where it can."""
    data = run.data
    if run.elsewhere or run.root.resolve() != project_root().resolve():
        return f"it lies in {run.folder}, and only runs of this checkout go on"
    if data.notebook != notebook:
        return f"it is a run of {data.notebook}, not of {notebook}"
    if data.state == RUNNING and under_way(run):
        return "it is under way; wait for its end, or end it"
    return obstacle(data) or _missing(run)


def _missing(run: Run) -> str:
    """Trials that the record has and the folder lacks."""
    files = {o.plan.number: run.trial_folder(o.plan.number) / "trial.json" for o in run.data.trials}
    gone = [str(number) for number, file in files.items() if not (file.is_file() and file.stat().st_size)]
    return (
        f"it is damaged: {run.folder / 'trials'} lacks what the record has of trial {', '.join(gone)}" if gone else ""
    )


def command(data: RunData) -> str:
    """The command that resumes a run with this record, for a shell; empty where nothing does.

    Args:
        data: Of a run that no process carries out.
    """
    if obstacle(data) or data.notebook not in registry.with_notebooks():
        return ""
    return f"sentinel run {data.notebook} --resume {data.id}"
