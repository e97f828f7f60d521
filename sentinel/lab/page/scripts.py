"""The scripts of a page, which stand in it, and the policy that lets a browser run these and no others."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.lab.interactive import page_charts

if TYPE_CHECKING:
    from collections.abc import Iterable

COPYING = Path(__file__).parent / "templates" / "offline" / "page.js"
"""Buttons that copy tables and commands."""


def scripts(*, charts: bool) -> list[str]:
    """The scripts of a page, in the order in which they run; without them a page says all that it says.

    Args:
        charts: Whether the page holds any; theirs runs last, so that tables within charts get no buttons.
    """
    return [COPYING.read_text(encoding="utf-8"), *([page_charts.script()] if charts else [])]


def sources(scripts: Iterable[str]) -> str:
    """What a content security policy says of scripts: the hash of each.

    Args:
        scripts: Their texts, as they stand between the tags.

    Returns:
        Sources for `script-src`; `'none'` without a script.
    """
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    return " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
