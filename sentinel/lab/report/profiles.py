"""Links from a report to what lies in the run's profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from sentinel.lab.presentation.tables import tag, together
from sentinel.lab.profiling.memory import PAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

    from sentinel.lab.run.run import Run


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
