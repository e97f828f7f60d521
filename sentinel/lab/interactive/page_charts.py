"""The script and the style of charts, brought into a page that holds any: once, inlined, and allowed by its checksum.

uPlot (`uplot/`) draws; `charts.js` and `charts.css` are ours. A page without charts stays without a script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from sentinel.lab.interactive.chart import MARK

FOLDER = Path(__file__).parent
SCRIPTS = ("uplot/uPlot.iife.min.js", "charts.js")
LICENCE = "uplot/LICENSE"
STYLES = ("uplot/uPlot.min.css", "charts.css")
POLICY = re.compile(r'(?<= content=")default-src [^"]*')
ALLOWED = re.compile(r"script-src ([^;]*)")


def enlivened(page: str) -> str:
    """The page with all that its charts need.

    Args:
        page: HTML with a head, a body, and a content security policy that allows no script of ours yet.

    Returns:
        HTML; as it was where no figure of it has a chart.
    """
    if MARK not in page:
        return page
    page = POLICY.sub(lambda match: allowing(match[0], checksum(script())), page, count=1)
    page = page.replace("</head>", f"<style>\n{_together(STYLES)}</style>\n</head>", 1)
    head, body, rest = page.rpartition("</body>")
    return f"{head}<script>{script()}</script>\n{body}{rest}"


def allowing(policy: str, source: str) -> str:
    """A content security policy that allows one script more.

    Args:
        policy: Its directives.
        source: The script's, such as `'sha256-…'`.

    Returns:
        The policy; as it was where it allows every script of the page anyway.
    """
    allowed = ALLOWED.search(policy)
    if allowed is None:
        return f"{policy}; script-src {source}"
    if "'unsafe-inline'" in allowed[1]:
        return policy
    return policy.replace(allowed[0], f"{allowed[0]} {source}")


def checksum(text: str) -> str:
    """A script as a content security policy names it.

    Args:
        text: What stands within the element.
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def script() -> str:
    """Both scripts, as they stand within one element, with uPlot's licence."""
    licence = (FOLDER / LICENCE).read_text(encoding="utf-8").strip()
    return f"\n/* uPlot:\n{licence} */\n{_together(SCRIPTS)}"


def _together(names: tuple[str, ...]) -> str:
    return "".join(f"{(FOLDER / name).read_text(encoding='utf-8').strip()}\n" for name in names)
