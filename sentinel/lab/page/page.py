"""The page of a run, made from its record: the notebook's prose, and its report's sections computed anew.

Run.json and the trials suffice, so that a run is rendered alike whatever executed its notebook, and from a copy of its
folder. The sections are those of the notebook in the checkout:
the code cells behind the one tagged `record`, which closes the lab.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from sentinel.errors import RunError
from sentinel.lab import registry
from sentinel.lab.index.refresh import refresh
from sentinel.lab.report.answers.raw import FIGURES
from sentinel.lab.run.run import notebook_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbformat import NotebookNode

    from sentinel.lab.run.run import Run

PARAMETERS, RECORD, PAGE = "parameters", "record", "page"
"""Tags of the cells of a notebook that hold its parameters, close its lab and make its page."""
CHECKOUT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Link:
    """A page that was written, as the last cell of a notebook shows it."""

    path: Path

    def __repr__(self) -> str:
        return f"report: {self.path}"

    def _repr_html_(self) -> str:
        address = escape(Path(os.path.relpath(self.path, notebook_folder())).as_posix())
        return f'<p>The report of this run: <a href="{address}" target="_blank">{escape(str(self.path))}</a></p>'


def of(run: Run) -> Link:
    """Write the page of a run, for the last cell of a notebook.

    Args:
        run: A run whose record is written.

    Returns:
        The page as a link, which the notebook shows.

    Raises:
        RunError: the page cannot be made or written; see `write`.
    """
    return Link(write(run))


def write(run: Run) -> Path:
    """Write `report.html` into the run's folder, the numbers of its figures beside it, and the index of all runs anew.

    Args:
        run: A run whose record is written.

    Returns:
        The path of the page.

    Raises:
        RunError: the checkout has no such notebook, or the file cannot be written.
    """
    from sentinel.lab.page.export import page

    made = composed(run)
    try:
        _keep_figures(run)
        run.report.write_text(page(made, f"{run.data.notebook} {run.id}", run.folder), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {run.report}: {error.strerror}") from error
    if run.elsewhere is None:
        refresh(run.root)
    return run.report


def _keep_figures(run: Run) -> None:
    """Write the numbers of every figure that was drawn, which the page links to."""
    folder = run.folder / FIGURES
    for name, text in run.figures.items():
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def source(run: Run) -> NotebookNode:
    """The notebook whose report a run has, read from the checkout.

    Args:
        run: A run of any experiment.

    Raises:
        RunError: there is no such notebook, neither beside the code nor in the checkout that the run lies in.
    """
    known = registry.find(run.data.notebook)
    name = f"{run.data.notebook}.ipynb"
    own = [known.notebook] if known and known.notebook else []
    for path in (*own, CHECKOUT / "notebooks" / name, run.root / "notebooks" / name):
        if path.exists():
            return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call,no-any-return]
    raise RunError(f"run {run.id} has no page: there is no notebook {name} in {CHECKOUT / 'notebooks'}")


def composed(run: Run) -> NotebookNode:
    """A notebook of the question and the report's sections, with outputs computed from the record.

    The imports and cells of the experiment's notebook are executed in this process.

    Args:
        run: A run whose record is written.

    Raises:
        RunError: there is no such notebook; see `source`.
    """
    cells = source(run).cells
    known: dict[str, Any] = {"run": run}
    exec(compile(ast.Module(_imports(cells), []), "imports", "exec"), known)  # noqa: S102 - of the checkout's notebook
    made = [new_markdown_cell(cells[0].source)]  # type: ignore[no-untyped-call]
    made += [_computed(cell, known) for cell in _sections(cells)]
    return new_notebook(cells=made, metadata={"papermill": _origin(run, cells)})  # type: ignore[no-untyped-call,no-any-return]


def _origin(run: Run, cells: list[NotebookNode]) -> dict[str, Any]:
    """How the run came about, as papermill writes it into a notebook: what was set otherwise than usual, and when."""
    (usual,) = [ast.parse(cell.source).body for cell in cells if PARAMETERS in _tags(cell)]
    defaults = {
        ast.unparse(line.target): ast.literal_eval(line.value)
        for line in usual
        if isinstance(line, ast.AnnAssign) and line.value
    }
    known = registry.find(run.data.notebook)
    repeating = known.repeating(run) if known else run.data.parameters
    given = {name: value for name, value in repeating.items() if name not in defaults or defaults[name] != value}
    return {
        "input_path": f"{run.data.notebook}.ipynb",
        "start_time": run.data.created or None,
        "parameters": given,
        "default_parameters": {name: value for name, value in defaults.items() if name in repeating},
    }


def _tags(cell: NotebookNode) -> list[str]:
    return list(cell.metadata.get("tags", []))


def _sections(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """What follows the cell that closes the lab, but for the one that makes the page."""
    last = next(number for number, cell in enumerate(cells) if RECORD in _tags(cell))
    return (cell for cell in cells[last + 1 :] if PAGE not in _tags(cell))


def _imports(cells: list[NotebookNode]) -> list[ast.stmt]:
    code = (ast.parse(cell.source) for cell in cells if cell.cell_type == "code")
    return [line for tree in code for line in tree.body if isinstance(line, (ast.Import, ast.ImportFrom))]


def _computed(cell: NotebookNode, known: dict[str, Any]) -> NotebookNode:
    """A cell as it is on the page: prose as it stands, a section with what its last expression shows."""
    if cell.cell_type != "code":
        return new_markdown_cell(cell.source, metadata=cell.metadata)  # type: ignore[no-untyped-call,no-any-return]
    try:
        shown = eval(cell.source, known)  # noqa: S307 - one expression of the checkout's own notebook
        output = new_output("display_data", {"text/html": shown.data})  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001 - a section that cannot be had must not cost the others
        named = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
        output = new_output("error", **named)  # type: ignore[no-untyped-call]
    return new_code_cell(cell.source, metadata=cell.metadata, outputs=[output])  # type: ignore[no-untyped-call,no-any-return]
