"""What `sentinel report` is given: a run, by its id or a path into its folder, or the path of an executed notebook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.page import page
from sentinel.lab.run.conclusion import recovered
from sentinel.lab.run.run import RECORD, RUNS, load, load_folder, project_root

if TYPE_CHECKING:
    from sentinel.lab.run.run import Run

FILES = (RECORD, "notebook.ipynb", "report.html")
"""Files in a run's folder that mean the run."""


def report(text: str, *, force: bool = False) -> Path:
    """Make the page of a run, or of any executed notebook, anew.

    Args:
        text: What names the run (see `resolve`), or the path of an executed .ipynb outside of a run's folder.
        force: Whether a page beside such a notebook is replaced even if this program did not write it.

    Returns:
        The path of the page: `report.html` in the run's folder, or the .html beside the notebook.

    Raises:
        RunError: there is no such run or notebook, it cannot be read or was not executed, or the page cannot be
            written, or would replace a file that this program did not write.
    """
    if text.endswith(".ipynb") and _folder(text) is None:
        from sentinel.lab.page.export import export  # which loads nbconvert, for what no run that starts needs

        notebook, html = Path(text), Path(text).with_suffix(".html")
        export(notebook, html, html.stem, force=force)
        return html
    return _rendered(resolve(text, ", or an executed .ipynb"))


def resolve(text: str, also: str = "") -> Run:
    """The run that a text names.

    Args:
        text: An id, the path of a run's folder (also of a copy elsewhere), or the path of a file of `FILES` in it.
        also: What else would have been taken, for the error.

    Raises:
        RunError: no run is named so, or its record cannot be read.
    """
    if (folder := _folder(text)) is not None:
        return load_folder(folder)
    path = Path(text)
    name = path.name if path.parent.name == str(RUNS) else text
    if "/" in name or not name.strip(".") or not _is_folder(project_root() / RUNS / name):
        raise RunError(
            f"no run {text!r}: expected an id (`sentinel runs` lists them), a run's folder, or a file in there{also}"
        )
    return load(name)


def _folder(text: str) -> Path | None:
    """The folder with a record that a path leads to, if it does."""
    path = Path(os.path.normpath(Path(text).absolute()))
    folder = path.parent if path.name in FILES else path
    return folder if text and _exists(folder / RECORD) else None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long a name, or a folder that we may not look into
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # likewise
        return False


def _rendered(run: Run) -> Path:
    try:
        return page.write(recovered(run))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise RunError(f"{run.folder / RECORD} is damaged, so it has no page ({problem})") from error
