"""What reaches a terminal or a log file: printable text only, whoever it came from.

A store's answer, a proxy's error page or a name may hold escape sequences that move a cursor or forge a line.
"""

from __future__ import annotations

import io
import logging
import sys


def printable(text: str, keep: str = "") -> str:
    r"""Write every character that is not printable as its escape (`\x1b`).

    Args:
        text: of any origin.
        keep: characters that stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def tolerate() -> None:
    """Let stdout and stderr replace what their encoding does not have, as under `LC_ALL=C`, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class PrintableFormatter(logging.Formatter):
    """One record is one line, but for a traceback of our own."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's hook
        """The line, printable."""
        return printable(super().formatMessage(record))
