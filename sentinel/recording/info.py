"""What is in a recording, in words and a small picture: for a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from sentinel.recording.survey import SECOND, survey
from sentinel.runtime import text_table
from sentinel.runtime.logs import printable

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.recording.survey import Survey

COLUMNS = 60
"""Of the picture."""
BARS, PLAIN = "▁▂▃▄▅▆▇█", ".:-=+*#@"
"""Heights of the picture; and where the terminal's encoding has no bars."""


def described(path: Path) -> str:
    """What is in a recording.

    Args:
        path: the file.

    Raises:
        RecordingError: it cannot be read, is none, or is not whole.
    """
    surveyed = survey(path)
    rows = [[name, fact] for name, fact in _facts(surveyed).items() if fact]
    return "\n".join([printable(str(path)), *text_table.table([], rows, left={0, 1}, rule=False)])


def _facts(s: Survey) -> dict[str, str]:
    header, trailer = s.header, s.trailer
    gaps = f"{trailer.interruptions:,} times, {trailer.away / SECOND:.1f} s in all" if trailer.interruptions else ""
    foreign = ", ".join(f"{count:,} {reason}" for reason, count in s.foreign.most_common())
    return {
        "recorded": printable(f"{header.created}, {header.transport}{header.key and f' {header.key!r}'}"),
        "length": f"{trailer.length / SECOND:.1f} s",
        "messages": f"{s.messages:,} that can be played",
        "foreign": f"{foreign}: rejected by a consumer, and not played" if foreign else "",
        "left out": f"{trailer.left_out:,}: too long, or of no form that can be masked" if trailer.left_out else "",
        "bus away": gaps,
        "sources": f"{s.sources:,}",
        "rate": _rate(s),
        "": _picture(s),
        "size": f"{s.size / s.messages:.0f} bytes a message" if s.messages else "",
        "codec": s.codec if s.messages else "",
        "masked": "names and values" if header.masked else "no",
        "sha256": s.sha256,
    }


def _rate(s: Survey) -> str:
    if not s.rate:
        return "all at once" if s.messages else ""
    busiest = 10 * max(s.tenths.values())
    return f"{s.rate:,.1f} msg/s from the first message to the last, {busiest:,} msg/s in the busiest tenth of a second"


def _picture(s: Survey) -> str:
    """Messages over time: a column for so many tenths of a second together."""
    if not s.tenths:
        return ""
    length = max(s.tenths) + 1
    wide = -(-length // COLUMNS)
    heights = [sum(s.tenths[tenth] for tenth in range(n, n + wide)) for n in range(0, length, wide)]
    marks = BARS if _shows(BARS) else PLAIN
    drawn = "".join(marks[(len(marks) - 1) * height // max(heights)] if height else " " for height in heights)
    return f"|{drawn}| {wide / 10:g} s a column"


def _shows(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
