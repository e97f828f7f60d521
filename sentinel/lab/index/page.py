"""runs/index.html: one file that opens from disk, asks the network for nothing, and lets itself be sorted and filtered.

It looks like the pages of runs, whose style sheet it has. Its script is the only one that it lets run, by its hash:
whatever a record holds is text.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from sentinel.lab import formatting
from sentinel.lab.index.charts import charts
from sentinel.lab.index.rows import choices, selection, table
from sentinel.lab.presentation.tables import tag, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.run.listing import Entry

GENERATOR = "SentinelStream Lab"
HERE = Path(__file__).parent
SCRIPT = HERE / "index.js"
STYLES = (HERE.parent / "page" / "templates" / "offline" / "page.css", HERE / "index.css")
"""Of the pages of runs, and what is the index's own. To name the first by its module would load all of nbconvert."""


def page(entries: Sequence[Entry]) -> str:
    """The whole page.

    Args:
        entries: All runs, oldest first; at least one.

    Returns:
        HTML.
    """
    script = SCRIPT.read_text(encoding="utf-8")
    style = "\n".join(path.read_text(encoding="utf-8") for path in STYLES)
    body = together([_heading(entries), _controls(entries), table(entries), _history(entries)], "\n")
    main, footer = tag("main", body), tag("footer", tag("p", _made()))
    scripted = tag("body", together([main, footer, Markup(f"<script>{script}</script>")], "\n"))
    return f"<!DOCTYPE html>\n{tag('html', together([_head(style, script), scripted]), lang='en')}\n"


def _head(style: str, script: str) -> Markup:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'"
    )
    metas = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="generator" content="{GENERATOR}">\n<meta name="color-scheme" content="light dark">\n'
    )
    return tag("head", together([Markup(metas), tag("title", "Runs"), Markup(f"<style>\n{style}</style>")], "\n"))


def _heading(entries: Sequence[Entry]) -> Markup:
    broken = sum(entry.data is None for entry in entries)
    told = f"{formatting.counted(len(entries), 'run')}, the newest first"
    told += f"; {broken} of them cannot be read." if broken else "."
    return together([tag("h1", "Which runs are there, and how did they come out?"), tag("p", told, class_="lead")])


def _controls(entries: Sequence[Entry]) -> Markup:
    """Seen where the script runs: without it they would do nothing."""
    notebooks, states = choices(entries)
    search = Markup('<label>Search <input type="search" id="search" autocomplete="off" spellcheck="false"></label>')
    count = Markup('<output id="count" for="search notebook state" aria-live="polite"></output>')
    parts = [search, selection("Notebook", "notebook", notebooks), selection("State", "state", states), count]
    return Markup('<form id="controls" role="search" hidden>{}</form>').format(together(parts, " "))


def _history(entries: Sequence[Entry]) -> Markup:
    drawn = charts(entries)
    if not drawn:
        return Markup("")
    note = (
        "Of each notebook those runs that most others are comparable with: the same machine, stack and load. A dot is a"
        " run, its bar the interval; scales do not begin at zero."
    )
    return together([tag("h2", "How have key figures moved?"), tag("p", note, class_="notes"), drawn], "\n")


def _made() -> Markup:
    return Markup(
        "Every run writes this page anew at its end; <code>sentinel index</code> does so by hand, <code>sentinel runs"
        " --json</code> has all of it for programs, and <code>make history</code> looks for change points. The page"
        " asks the network for nothing."
    )
