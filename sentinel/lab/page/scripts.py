"""The scripts of a page, which stand in it, and the policy that lets a browser run these and no others."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

COPYING = Path(__file__).parent / "templates" / "offline" / "page.js"
"""Buttons that copy tables and commands."""


def scripts() -> list[str]:
    """The scripts of every page, in the order in which they run; without them a page says all that it says."""
    return [COPYING.read_text(encoding="utf-8")]


def sources(scripts: Iterable[str]) -> str:
    """What a content security policy says of scripts: the hash of each.

    Args:
        scripts: Their texts, as they stand between the tags.

    Returns:
        Sources for `script-src`; `'none'` without a script.
    """
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    return " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
