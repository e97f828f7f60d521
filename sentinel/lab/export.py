"""An executed notebook made into one page that opens offline: `templates/offline`, through nbconvert.

Prose and outputs only; code, prompts, progress and stderr stay in the notebook. The page asks no network for anything:
pictures are inlined, there is no script, and links lead into the page or to files beside it.
"""

from __future__ import annotations

import copy
import re
import shlex
from html import escape, unescape
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter

TEMPLATES = Path(__file__).parent / "templates"
PROGRESS = "<progress "
"""What the line of `progress.Progress` contains."""
HEADING = re.compile(r"<h2[^>]*>(.*?)</h2>", re.DOTALL)


def export(notebook: Path, html: Path, title: str) -> None:
    """Write the page of an executed notebook to `html`."""
    read = nbformat.reads(notebook.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    html.write_text(page(read, title, html.parent), encoding="utf-8")


def page(notebook: Any, title: str, folder: Path) -> str:
    """The page of a notebook node with its outputs, as it is to stand in `folder`; the node stays as it is."""
    exporter = HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="offline",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        embed_images=True,
    )
    about = {"title": title, "made": made(notebook.metadata.get("papermill", {}), folder)}
    where = {"path": str(folder), "name": title}
    text, _ = exporter.from_notebook_node(quiet(notebook), resources={"metadata": where, "page": about})
    return navigable(text)


def quiet(notebook: Any) -> Any:
    """A copy without what cells said on the way: progress, stderr, and cells that then say nothing."""
    kept = copy.deepcopy(notebook)
    for cell in kept.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _passing(output)]
    kept.cells = [cell for cell in kept.cells if cell.cell_type != "code" or cell.outputs]
    return kept


def _passing(output: Any) -> bool:
    if output.output_type == "stream":
        return bool(output.name == "stderr")
    text = "".join(output.get("data", {}).get("text/html", ""))
    return PROGRESS in text or (output.output_type == "display_data" and text == "" and "text/html" in output.data)


def made(papermill: dict[str, Any], folder: Path) -> str:
    """How the page came about, as HTML: the command, when, and how to recompute it."""
    run = folder.name
    given = [f"{name}={value}" for name, value in (papermill.get("parameters") or {}).items()]
    source = Path(papermill.get("input_path") or "").stem
    parts = []
    if source:
        when = f", {str(papermill['start_time'])[:16].replace('T', ' ')} UTC" if papermill.get("start_time") else ""
        command = shlex.join(["sentinel", "run", source, *given])
        parts.append(f"Made by <code>{escape(command, quote=False)}</code>{escape(when)}.")
    if (folder / "run.json").exists():
        parts.append(
            f"Everything on this page can be recomputed from its folder, <code>runs/{escape(run)}</code> (run.json,"
            f" trials, notebook); <code>sentinel report {escape(run)}</code> makes the page anew."
        )
    parts.append("The page is complete: it asks the network for nothing.")
    return "\n".join(f"<p>{part}</p>" for part in parts)


def navigable(text: str) -> str:
    """The page with an anchor on every h2, and its navigation made from them."""
    names: dict[str, str] = {}

    def anchored(match: re.Match[str]) -> str:
        words = re.sub(r"<[^>]+>", "", match[1]).strip()
        base = name = re.sub(r"\W+", "-", unescape(words).lower()).strip("-") or "section"
        while name in names:
            name = f"{base}-{len(names)}"
        names[name] = words
        return f'<h2 id="{name}">{match[1]}</h2>'

    text = HEADING.sub(anchored, text)
    links = "\n".join(f'<a href="#{name}">{words}</a>' for name, words in names.items())
    return text.replace("</nav>", f"<div>{links}</div></nav>" if links else "</nav>", 1)
