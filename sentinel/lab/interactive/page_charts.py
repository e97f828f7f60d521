"""The script and the style of charts, for a page that holds any: once, inlined; `page/scripts.py` lets the script run.

uPlot (`uplot/`) draws; `charts.js` and `charts.css` are ours.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sentinel.lab.interactive.chart import MARK

FOLDER = Path(__file__).parent
SCRIPTS = ("uplot/uPlot.iife.min.js", "charts.js")
LICENCE = "uplot/LICENSE"
STYLES = ("uplot/uPlot.min.css", "charts.css")


def needed(content: str) -> bool:
    """Whether any figure has a chart.

    Args:
        content: HTML.
    """
    return MARK in content


@cache
def script() -> str:
    """Both scripts, as they stand within one element, with uPlot's licence."""
    licence = (FOLDER / LICENCE).read_text(encoding="utf-8").strip()
    return f"\n/* uPlot:\n{licence} */\n{_together(SCRIPTS)}"


@cache
def style() -> str:
    """Both style sheets, as they stand within one element."""
    return _together(STYLES)


def _together(names: tuple[str, ...]) -> str:
    return "".join(f"{(FOLDER / name).read_text(encoding='utf-8').strip()}\n" for name in names)
