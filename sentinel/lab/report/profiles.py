"""What lies in a run's profiles, as its report shows it: links, and pictures that are part of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from sentinel.lab.presentation.tables import folded, tag, together
from sentinel.lab.profiling.memory import PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from sentinel.lab.run.run import Run

LARGEST = 250_000
"""Bytes of a picture from which the page only links to it."""


def address(run: Run, file: str) -> str:
    """Where a file of the run's profiles lies, seen from the run's folder."""
    return f"../../{run.profiles.relative_to(run.root).as_posix()}/{quote(file)}"


def memray_pages(run: Run, configurations: Mapping[str, str]) -> Markup:
    """Links to the pages that memray made.

    Args:
        run: Whose they are.
        configurations: By name, how each is called here.
    """
    links = [
        tag("a", f"{called}: {page}", href=address(run, f"{name}-{kind}.html"))
        for name, called in configurations.items()
        for kind, page in PAGES.items()
        if (run.profiles / f"{name}-{kind}.html").exists()
    ]
    if not links:
        return tag("p", "memray's pages are not beside this run.", class_="notes")
    return tag("p", together(["memray's pages, beside the run's folder: ", together(links, " · ")]), class_="notes")


def drawing(run: Run, file: Path, title: str) -> Markup:
    """A picture in the run's profiles, folded away: within the page, or a link to it where it is large.

    Args:
        run: Whose it is.
        file: An SVG that we drew.
        title: What it is.
    """
    if file.stat().st_size > LARGEST:
        return tag("p", tag("a", title, href=address(run, file.name)), class_="notes")
    drawn = Markup(file.read_text(encoding="utf-8"))
    return folded(title, tag("figure", tag("div", drawn, class_="scroll card", tabindex="0")))
