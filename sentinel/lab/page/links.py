"""Links of a page: none but to files that are there, and a sentence in the footer that says which they are.

A page is written by sections that know their run's folder alone. Where the page then stands, and what lies beside it,
is settled here, once more whenever it is packed or copied.
"""

from __future__ import annotations

import os
import re
from html import escape, unescape
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from sentinel.lab.run.run import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable

LINK = re.compile(r'<a href="(?!#|[a-z][a-z0-9+.-]*:|//)([^"]*)">(.*?)</a>', re.DOTALL | re.IGNORECASE)
"""To a file: neither within the page nor to another host."""
NOTE = re.compile(r'<p class="beside">.*?</p>', re.DOTALL)
"""The footer's sentence."""
PLACE = '<p class="beside"></p>'
"""Where it will stand."""
MOST_NAMED = 3
"""Folders that the footer names one by one."""
COMPLETE = "The page is complete: it asks the network for nothing."


def settled(page: str, place: Callable[[str], str | None], advice: str = "") -> str:
    """The page with its links to files settled.

    Args:
        page: HTML.
        place: From a link's target to what it becomes; None makes text of it.
        advice: The end of the footer's sentence where links became text; HTML.

    Returns:
        HTML; its footer says to how many files it links, and in which folders they lie.
    """
    kept: list[str] = []

    def placed(match: re.Match[str]) -> str:
        target = place(unquote(unescape(match[1])))
        if target is None:
            return f"{match[2]} (not beside this page)"
        kept.append(target)
        return f'<a href="{escape(quote(target))}">{match[2]}</a>'

    page = LINK.sub(placed, page)
    return NOTE.sub(lambda _: f'<p class="beside">{_note(kept, advice)}</p>', page)


def _note(kept: list[str], advice: str) -> str:
    if not kept:
        return COMPLETE
    folders = sorted({str(PurePosixPath(target).parent).removeprefix("../../") for target in kept})
    named = " and ".join(f"<code>{escape(folder)}</code>" for folder in folders)
    where = named if len(folders) <= MOST_NAMED else f"{len(folders)} folders beside its own"
    files = "1 file" if len(set(kept)) == 1 else f"{len(set(kept))} files"
    return f"The page asks the network for nothing; it links to {files} in {where}{advice * all(map(_packed, kept))}."


def _packed(target: str) -> bool:
    """Whether `bundle` packs the file with the page: one of the run's own, not another run's page."""
    parts = PurePosixPath(target).parts
    return ".." not in parts or PROFILES.name in parts


def beside(target: str, folder: Path) -> str | None:
    """The link from a page to a file: as it is, or to `profiles/` somewhere above; None without a file.

    Args:
        target: What the page says.
        folder: Where the page stands.

    Returns:
        The link's new target, relative to `folder`; None where there is no such file.
    """
    if (folder / target).is_file():
        return target
    parts = PurePosixPath(target).parts
    if PROFILES.name not in parts:
        return None
    file = Path(*parts[parts.index(PROFILES.name) :])
    here = folder.resolve()
    path = next((above / file for above in (here, *here.parents) if (above / file).is_file()), None)
    return None if path is None else Path(os.path.relpath(path, here)).as_posix()
