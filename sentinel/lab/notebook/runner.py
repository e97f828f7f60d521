"""Executes a notebook through papermill into a run's folder, with a progress bar, and exports its report.

Parameters are checked before anything starts. The kernel is this interpreter's. Whatever ends this process, the kernel
ends with it, and the kernel's supervisor ends the servers.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import papermill
from nbclient.exceptions import DeadKernelError

from sentinel.environment import announce
from sentinel.errors import RunEndedError, RunError, SentinelError, SettingsError, TrialError
from sentinel.lab import registry, stack
from sentinel.lab.contenders import entry
from sentinel.lab.notebook import notebook_file
from sentinel.lab.notebook.kernel import OwnKernel
from sentinel.lab.notebook.progress_bar import PROGRESS, watched
from sentinel.lab.notebook.stopping import Stopped, stoppable
from sentinel.lab.page import page
from sentinel.lab.parameters import RULES, Rule, Shared
from sentinel.lab.registry import NOTEBOOKS
from sentinel.lab.resuming.request import command, requested
from sentinel.lab.run import conclusion
from sentinel.lab.run.claim import sole
from sentinel.lab.run.run import Run, load, new_id
from sentinel.lab.run.run_data import FAILED, FINISHED, INTERRUPTED
from sentinel.lab.trials.supervision import require_room

KERNEL_STARTS = 3
QUIET_KERNEL = ["--IPKernelApp.log_level=40"]
"""ipykernel warns of unencrypted TCP at every start; it listens on loopback only."""


def find_notebook(name: str) -> Path:
    """The path of a notebook.

    Args:
        name: An experiment's name, such as `benchmark`, or the path of an .ipynb.

    Raises:
        SettingsError: there is no such notebook; the message lists what there is.
        RunError: it is no notebook.
    """
    known = None if name.endswith(".ipynb") else registry.find(name)
    own = known.notebook if known else None
    path = own or (Path(name) if name.endswith(".ipynb") else NOTEBOOKS / f"{name}.ipynb")
    if not path.exists():
        there = ", ".join(registry.with_notebooks()) or "none here"
        raise SettingsError(f"no notebook at {path} (start from the repository's root): there are {there}")
    notebook_file.read(path)
    return path


def parameter_rules(notebook: Path) -> dict[str, Rule]:
    """How each of a notebook's parameters is read.

    Args:
        notebook: Its path.

    Returns:
        Rules by parameter, in the notebook's order.

    Raises:
        SettingsError: the notebook has a parameter that its experiment does not know.
    """
    logging.getLogger("papermill").setLevel(logging.WARNING)
    names = list(papermill.inspect_notebook(str(notebook)))
    known = registry.find(notebook.stem)
    rules = known.parameters.rules() if known else RULES
    if unknown := [name for name in names if name not in rules]:
        there = ", ".join(rules)
        raise SettingsError(f"{notebook}: {', '.join(unknown)} is no parameter that is known here: expected {there}")
    return {name: rules[name] for name in names}


def resume(notebook: Path, given: dict[str, Any], text: str) -> Run:
    """Go on with a run that ended before its time: its notebook is executed again, and whole rounds of its trials stay.

    Args:
        notebook: Its path.
        given: Values by name, which may only repeat the run's own.
        text: What names the run (see `lookup.resolve`).

    Returns:
        The run, finished.

    Raises:
        SettingsError, RunError: it cannot be resumed; nothing was changed. Otherwise see `execute`.
    """
    run, parameters = requested(text, notebook.stem, given)
    return execute(notebook, parameters, run)


def execute(notebook: Path, parameters: dict[str, Any], resumed: Run | None = None) -> Run:
    """Execute a notebook into a run's folder; its page is written, whatever became of it.

    Args:
        notebook: Its path.
        parameters: Values by name, in place of the notebook's own.
        resumed: The run that goes on; None for a new one.

    Returns:
        The run, finished.

    Raises:
        SettingsError, StackError, BusError, StoreError: the stack cannot be had; nothing was started.
        RecordingError: the recording that is to be replayed cannot be played; nothing was started.
        RunError: the folder cannot be written, the disk has no room for a run, or the run cannot go on.
        RunEndedError: the run was interrupted or could not go on; what it measured is kept.
        TrialError: a cell failed; what was executed is kept, and named in the message.
    """
    if known := registry.find(notebook.stem):
        parameters = known.parameters.completed(parameters)
    _ensure_stack(notebook, parameters)
    run = resumed or Run(new_id(notebook.stem))
    require_room(run.folder)
    if resumed is None:
        run.create()
    with sole(run):
        executed = run.notebook.read_bytes() if run.notebook.exists() else b""
        stopped, failure = _watched(notebook, run, parameters, resumes=resumed is not None)
        if not (run.folder / "run.json").exists():
            raise failure or TrialError(f"{notebook} opened no lab, so there is no run (the notebook: {run.notebook})")
        if resumed is not None:
            _require_resumed(resumed, executed, stopped, failure)
        return _concluded(run, stopped, failure)


def _watched(
    notebook: Path, run: Run, parameters: dict[str, Any], *, resumes: bool
) -> tuple[list[int], SentinelError | None]:
    """Execute it, its progress shown; returns the exit codes of the signals that came, and what went wrong."""
    progress = run.folder / PROGRESS
    progress.unlink(missing_ok=True)  # that of a killed session names a kernel that is gone
    announce(run.id, progress, resumes=resumes)
    try:
        with stoppable(progress) as stopped, watched(progress):
            failure = _executed(notebook, run, parameters)
    finally:
        progress.unlink(missing_ok=True)
    return stopped, failure


def _require_resumed(before: Run, executed: bytes, stopped: list[int], failure: SentinelError | None) -> None:
    """Where the notebook did not come to go on with the run, its record is as it was, and is not concluded again."""
    if load(before.id).data.resumption.interruptions != before.data.resumption.interruptions:
        return
    if executed:  # of the session before
        before.notebook.write_bytes(executed)
    if stopped:
        raise RunEndedError(f"interrupted before run {before.id} went on, so nothing of it was changed", stopped[0])
    raise failure or TrialError(f"run {before.id} did not go on: its notebook opened no lab")


def _concluded(run: Run, stopped: list[int], failure: SentinelError | None) -> Run:
    """The run, its page written; what ended it before its time is raised."""
    how = (INTERRUPTED, "interrupted") if stopped else (FAILED, "its kernel died")
    run = conclusion.recovered(load(run.id), *how)
    if failure is not None or not run.report.exists():
        page.write(run)
    if stopped and run.state != FINISHED:
        raise RunEndedError(f"interrupted; {_kept(run)}", stopped[0])
    if run.state != FINISHED:
        raise RunEndedError(f"{run.data.why}; {_kept(run)}")
    if failure is not None:
        raise failure
    return run


def _ensure_stack(notebook: Path, parameters: dict[str, Any]) -> None:
    """Refuse early where the stack asked for cannot be had, or what is to be measured; a study has neither."""
    known = registry.find(notebook.stem)
    usual = getattr(known.parameters if known else Shared, "STACK", None)
    if (kind := parameters.get("STACK", usual)) is not None:
        stack.ensure(kind)
    if known:
        given = known.parameters(**parameters)
        entry.require(given)
        known.prepare(given)


def _kept(run: Run) -> str:
    kept = f"{conclusion.kept(run, len(run.data.trials), run.data.planned)}\nreport:   {run.report}"
    return f"{kept}\nresume:   {again}" if (again := command(run.data)) else kept


def _executed(notebook: Path, run: Run, parameters: dict[str, Any]) -> SentinelError | None:
    """Execute the notebook; returns what went wrong, if anything did."""
    try:
        _with_a_kernel(notebook, run, parameters)
    except TrialError as error:
        return error
    except papermill.PapermillExecutionError as error:
        return _failed(notebook, run, error)
    except DeadKernelError:
        return TrialError(f"the kernel of {notebook} died (was there enough memory?); its log is {run.notebook}")
    except Stopped:
        return TrialError(f"{notebook} was stopped at once")
    except OSError as error:
        return RunError(f"{notebook} could not be executed in {run.folder}: {error}")
    return None


def _failed(notebook: Path, run: Run, error: papermill.PapermillExecutionError) -> SentinelError:
    """What a cell raised; an error about the run says itself which, and what is wrong."""
    if error.ename == RunError.__name__:
        return RunError(error.evalue)
    return TrialError(f"{notebook} failed: {error.ename}: {error.evalue} (the executed notebook: {run.notebook})")


def _with_a_kernel(notebook: Path, run: Run, parameters: dict[str, Any]) -> None:
    """Execute it; a kernel that ended before it answered has done nothing yet, and another one is started.

    Its ports are chosen before it binds them, so any other process may take one in between.

    Raises:
        TrialError: none could be started.
    """
    for attempt in range(1, KERNEL_STARTS + 1):
        try:
            papermill.execute_notebook(
                str(notebook),
                str(run.notebook),
                parameters,
                kernel_name="python3",
                kernel_manager_class=OwnKernel,
                progress_bar=False,
                extra_arguments=QUIET_KERNEL,
            )
        except DeadKernelError:
            raise
        except RuntimeError as error:  # jupyter_client's, of a kernel that never answered
            if attempt == KERNEL_STARTS:
                raise TrialError(f"no kernel for {notebook} could be started in {attempt} attempts: {error}") from error
        else:
            return
