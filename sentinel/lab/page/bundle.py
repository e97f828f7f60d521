"""A run packed into one zip: page, record, trials and profiles, with links that work wherever it is unpacked."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import RunError
from sentinel.lab.page import links
from sentinel.lab.run.run import PROFILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentinel.lab.run.run import Run

LEFT_OUT = {"stack"}
"""Of a run's folder: the servers' own data and logs."""


def bundle(run: Run, output: Path | None = None) -> Path:
    """Pack the run into one zip.

    Args:
        run: What is packed.
        output: The zip; `<run id>.zip` in the current folder where it is None.

    Returns:
        The path of the zip.

    Raises:
        RunError: the run has no page yet, the zip is there already, or it cannot be written.
    """
    path = output or Path(f"{run.id}.zip")
    if not run.report.exists():
        raise RunError(f"run {run.id} has no page: `sentinel report {run.id}` makes it")
    try:
        # "x": what is there already is not overwritten.
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(f"{run.id}/{run.report.name}", _page(run))
            for file, name in _files(run):
                packed.write(file, f"{run.id}/{name}")
    except FileExistsError as error:
        raise RunError(f"{path} exists already: remove it, or name another with --output") from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _files(run: Run) -> Iterator[tuple[Path, str]]:
    """Every file but the page, with its name in the bundle."""
    for folder, prefix in ((run.folder, Path()), (run.profiles, PROFILES)):
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            within = file.relative_to(folder)
            if within.parts[0] not in LEFT_OUT and file != run.report:
                yield file, (prefix / within).as_posix()


def _page(run: Run) -> str:
    """The page, its links leading to where the files lie in the bundle."""
    names = {file.resolve(): name for file, name in _files(run)}
    text = run.report.read_text(encoding="utf-8")
    return links.settled(text, lambda target: names.get((run.folder / target).resolve()), ", which lie beside it")
