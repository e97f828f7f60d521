"""The formats that runs can be exported in, by the name behind `--as`; each has a module, imported once asked for.

Such a module has a function `files(runs)`: texts or bytes by the names of their files. Nothing is rewritten: what is
there already stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sentinel.lab.run.run import Run

Files = dict[str, str | bytes]
"""Texts and bytes by file name."""


@dataclass(frozen=True)
class Format:
    """A format that runs can be exported in."""

    module: str
    """Its module in this room."""
    about: str
    """What it is, in a few words."""
    several: bool = False
    """Whether it is made of several files."""

    def files(self, runs: Sequence[Run]) -> Files:
        """The runs in this format.

        Args:
            runs: One or more, in the order in which they were named.

        Raises:
            RunError: a run has nothing that can be told in this format, or a library that it takes is missing.
        """
        made: Files = import_module(f"{__name__.rpartition('.')[0]}.{self.module}").files(runs)
        return made


FORMATS = {
    "csv": Format("tidy", "a row a trial and measure"),
    "parquet": Format("parquet", "the same, with types"),
    "markdown": Format("markdown", "verdict, budgets and key table"),
    "benchstat": Format("benchstat", "Go's benchmark format, a line a trial"),
    "github-action-benchmark": Format("github_action_benchmark", "its JSON, a file a direction", several=True),
    "otava": Format("otava", "a row a run, for Apache Otava"),
    "speedscope": Format("speedscope", "a file a CPU profile", several=True),
    "folded": Format("folded", "folded stacks, a file a CPU profile", several=True),
}
"""By the name behind `--as`."""


def export(runs: Sequence[Run], name: str, output: Path | None = None) -> list[str]:
    """Runs in another program's format, written, or to be printed.

    Args:
        runs: One or more.
        name: One of `FORMATS`.
        output: The file, or the folder of several, which is made. None: a text is returned, anything else goes into the
            current folder.

    Returns:
        The text itself, or the paths of the files that were written.

    Raises:
        RunError: a run has nothing that can be told in this format, or a file is there already or cannot be written.
    """
    form = FORMATS[name]
    files = form.files(runs)
    if output is None and not form.several:
        texts = [content for content in files.values() if isinstance(content, str)]
        if texts:
            return texts
    if not form.several and output is not None:
        files = {str(output): content for content in files.values()}
        output = None
    return written(files, output or Path())


def written(files: Mapping[str, str | bytes], folder: Path) -> list[str]:
    """Write files, none in place of another.

    Args:
        files: Texts and bytes by file name.
        folder: Where they go; it is made.

    Returns:
        Their paths.

    Raises:
        RunError: a file is there already, or cannot be written.
    """
    paths = [folder / name for name in files]
    if there := [path for path in paths if path.exists()]:
        raise RunError(f"{there[0]} exists already: remove it, or name another place with --output")
    for path, content in zip(paths, files.values(), strict=True):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror or error}") from error
    return [str(path) for path in paths]
