"""`--summary`: where a run's summary goes, and how it gets there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.environment import step_summary
from sentinel.errors import RunError, SettingsError

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run


def place(given: str | None) -> Path | None:
    """The file that a summary is appended to, looked at before anything is started.

    Args:
        given: Behind `--summary`; empty where nothing stands there, None where there is no such option.

    Returns:
        The file; None where no summary was asked for.

    Raises:
        SettingsError: nothing says which file, or it cannot be written.
    """
    if given is None:
        return None
    if "=" in given:
        raise SettingsError(f"--summary took {given!r} for its file: put --summary last, or give --summary=FILE")
    path = Path(given) if given else step_summary()
    if path is None:
        raise SettingsError("--summary: GITHUB_STEP_SUMMARY is not set here: name a file, --summary=summary.md")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SettingsError(f"--summary={path} cannot be written: expected a file in a folder that is there")
    return path


def append(path: Path, run: Run) -> None:
    """Append a run's summary as Markdown.

    Args:
        path: The file, which is made where it is not there.
        run: A run that has ended.

    Raises:
        RunError: it cannot be written.
    """
    from sentinel.lab.exports import markdown

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{markdown.of(run)}\n")
    except OSError as error:
        raise RunError(f"the summary of run {run.id} cannot be written to {path}: {error.strerror}") from error
