"""A notebook made into one page that opens offline and answers first: `templates/offline`, through nbconvert.

Prose and outputs only; code, prompts, progress and stderr stay in the notebook. The page asks no network for anything:
pictures are inlined, so are its scripts, and links lead into the page or to files that are there.
"""

from __future__ import annotations

import copy
import re
import shlex
from html import escape, unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell

from sentinel.errors import RunError
from sentinel.lab.interactive import page_charts
from sentinel.lab.notebook import notebook_file
from sentinel.lab.page import links, scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATES = Path(__file__).parent / "templates"
FIRST = ("answer", "key-results", "figure", "header")
"""Tags of the cells that stand first on a page, in this order: a section's heading and what it shows."""
UNSEEN = "page"
"""Tag of a cell that is about the page and not on it."""
GENERATOR = "SentinelStream Lab"
MARK = f'content="{GENERATOR}"'
"""What tells a page of ours from others."""
PROGRESS = "<progress "
"""What the line of `progress.Progress` contains."""
HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)


def export(notebook: Path, html: Path, title: str, *, force: bool = False) -> None:
    """Write the page of an executed notebook.

    Args:
        notebook: What is read.
        html: What is written.
        title: Of the page.
        force: Whether a file at `html` that is no page of ours is replaced.

    Raises:
        RunError: it is no notebook, none of it was executed, the page cannot be written, or a file is in its way.
    """
    node = notebook_file.read(notebook)
    _require_executed(node, notebook)
    try:
        if not force and html.exists() and MARK.encode() not in html.read_bytes():
            raise RunError(f"{html} is there, and no page of ours: move it away, or replace it with --force")
        html.write_text(page(node, title, html.parent), encoding="utf-8")
    except OSError as error:
        raise RunError(f"cannot write {html}: {error.strerror}") from error


def _require_executed(node: Any, notebook: Path) -> None:
    code = [cell for cell in node.cells if cell.cell_type == "code"]
    if code and not any(cell.outputs or cell.execution_count for cell in code):
        raise RunError(
            f"nothing of {notebook} was executed, so there is nothing to show: run all its cells and save it, or take"
            " papermill or `jupyter nbconvert --to notebook --execute --inplace`"
        )


def page(notebook: Any, title: str, folder: Path) -> str:
    """The page of a notebook with its outputs.

    Args:
        notebook: A node of nbformat, which stays as it is.
        title: Of the page.
        folder: Where it is to stand: links lead from there.

    Returns:
        HTML.
    """
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="offline",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
    shown = quiet(notebook)
    shown.cells = arranged(shown.cells)
    charts = any(page_charts.needed(_html(output)) for cell in shown.cells for output in cell.get("outputs", []))
    own = scripts.scripts(charts=charts)
    about = {
        "title": title,
        "generator": GENERATOR,
        "made": made(notebook.metadata.get("papermill", {}), folder),
        "scripts": own,
        "sources": scripts.sources(own),
        "style": page_charts.style() if charts else "",
    }
    where = {"path": str(folder), "name": title}
    text, _ = exporter.from_notebook_node(shown, resources={"metadata": where, "page": about})
    advice = f"; <code>sentinel bundle {escape(folder.name)}</code> packs them with it" if _of_run(folder) else ""
    return links.settled(navigable(text), lambda target: links.beside(target, folder), advice)


# -- cells ----------------------------------------------------------------------------------------------------------


def quiet(notebook: Any) -> Any:
    """A copy without what cells said on the way: progress, stderr, and code cells that then show nothing.

    Args:
        notebook: A node of nbformat with its outputs, which stays as it is.
    """
    kept = copy.deepcopy(notebook)
    for cell in kept.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _passing(output)]
    kept.cells = [cell for cell in kept.cells if cell.cell_type != "code" or cell.outputs]
    return kept


def _passing(output: Any) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stderr")
    text = _html(output)
    return PROGRESS in text or (output.output_type == "display_data" and text == "" and "text/html" in output.data)


def _html(output: Any) -> str:
    """What an output shows as HTML; empty where it shows something else."""
    return "".join(output.get("data", {}).get("text/html", ""))


def arranged(cells: Sequence[Any]) -> list[Any]:
    """Cells in the page's order: question, answer, key results, main figure, what was measured and how, the rest.

    Args:
        cells: A notebook's cells of nbformat; their tags (`FIRST`, `UNSEEN`) decide.

    Returns:
        The same cells without those tagged `UNSEEN`; an opening cell that holds question and method becomes two.
    """
    groups = {tag: [cell for cell in cells if tag in _tags(cell)] for tag in FIRST}
    rest = [cell for cell in cells if not _tags(cell) & {*FIRST, UNSEEN}]
    opening = next((cell for cell in rest if cell.cell_type == "markdown" and cell.source.startswith("# ")), None)
    question, method = _divided(opening)
    # A heading whose cell came to nothing promises what is not there.
    first = [cell for group in groups.values() if any(cell.cell_type == "code" for cell in group) for cell in group]
    return [*question, *first, *method, *(cell for cell in rest if cell is not opening)]


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _divided(opening: Any) -> tuple[list[Any], list[Any]]:
    """The question, and what its cell says below it."""
    question, _, method = opening.source.partition("\n") if opening else ("", "", "")
    cells = [
        [new_markdown_cell(text)] if text else []  # type: ignore[no-untyped-call]
        for text in (question, method.strip())
    ]
    return cells[0], cells[1]


# -- footer and navigation ------------------------------------------------------------------------------------------


def _of_run(folder: Path) -> bool:
    return (folder / "run.json").exists()


def made(papermill: dict[str, Any], folder: Path) -> str:
    """How the page came about: the command that makes such a run again, when it was made, and how to recompute it.

    Args:
        papermill: The notebook's metadata of that name: `parameters`, `default_parameters`, `input_path`,
            `start_time`; each may be missing.
        folder: Where the page stands; a run's folder adds how to make it anew.

    Returns:
        HTML.
    """
    run = escape(folder.name)
    parts = _again(papermill)
    if _of_run(folder):
        parts.append(
            f"<p>Everything on this page can be recomputed from its folder, <code>runs/{run}</code> (run.json,"
            f" trials, notebook); <code>sentinel report {run}</code> makes the page anew.</p>"
        )
    return "\n".join([*parts, links.PLACE])


def _again(papermill: dict[str, Any]) -> list[str]:
    """The command with what was given, the whole one folded, and when it was carried out; empty where it is unknown."""
    source = Path(papermill.get("input_path") or "").stem
    if not source:
        return []
    given: dict[str, Any] = papermill.get("parameters") or {}
    usual: dict[str, Any] = papermill.get("default_parameters") or {}
    whole = _command(source, usual | given)
    when = f"{str(papermill['start_time'])[:16].replace('T', ' ')} UTC" if papermill.get("start_time") else ""
    parts = ['<div class="prose"><h2>Reproduce</h2></div>', _command(source, given)]
    if usual:
        parts.append(f"<details><summary>With every parameter, the usual ones too</summary>{whole}</details>")
    return [*parts, f"<p>Made by the command above{', ' if when else ''}{escape(when)}.</p>"]


def _command(source: str, parameters: dict[str, Any]) -> str:
    words = [f"{name}={_typed(value)}" for name, value in parameters.items()]
    text = escape(shlex.join(["sentinel", "run", source, *words]), quote=False)
    return f'<div class="command"><pre><code>{text}</code></pre></div>'


def _typed(value: object) -> str:
    """A parameter as one types it: whole numbers without a point."""
    return f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)


def navigable(text: str) -> str:
    """The page with an anchor on every h2, and its navigation made from them.

    Args:
        text: HTML with a `nav` element, at whose end the links go.
    """
    names: dict[str, str] = {}

    def anchored(match: re.Match[str]) -> str:
        words = re.sub(r"<[^>]+>", "", match[1]).strip()
        base = name = re.sub(r"\W+", "-", unescape(words).lower()).strip("-") or "section"
        while name in names:
            name = f"{base}-{len(names)}"
        names[name] = words
        return f'<h2 id="{name}">{match[1]}</h2>'

    text = HEADING.sub(anchored, text)
    anchors = "\n".join(f'<a href="#{name}">{words}</a>' for name, words in names.items())
    return text.replace("</nav>", f"<div>{anchors}</div></nav>" if anchors else "</nav>", 1)
