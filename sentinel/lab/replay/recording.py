"""A recording as a parameter names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sentinel.lab.contenders.catalog import shown
from sentinel.lab.replay.record import Recording
from sentinel.lab.rules import Rule
from sentinel.lab.run.run import project_root
from sentinel.recording.reader import Reader
from sentinel.recording.survey import SECOND, playable


def located(path: str) -> Path:
    """A recording's file: where the path leads from here, or from the checkout."""
    given = Path(path).expanduser()
    return given.absolute() if given.exists() else project_root() / given


def of(path: str) -> Recording | None:
    """What a record holds of a recording.

    Args:
        path: as REPLAY has it; empty: there is none.

    Raises:
        RecordingError: it cannot be read, is not whole, or has no message that can be played.
    """
    if not path:
        return None
    surveyed = playable(located(path))
    return Recording(
        name=Path(path).name,
        sha256=surveyed.sha256,
        seconds=surveyed.trailer.length / SECOND,
        messages=surveyed.messages,
        sources=surveyed.sources,
        rate=surveyed.rate,
        bytes_per_message=surveyed.size / surveyed.messages,
        codec=surveyed.codec,
        masked=surveyed.header.masked,
        foreign=dict(surveyed.foreign),
    )


def _read(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    if not value:
        return ""
    path = located(value)
    Reader(path).close()  # says itself what is wrong
    return shown(path.resolve())


RULE = Rule(_read, "the path of a recording, as `sentinel record` makes them, or nothing")
"""How REPLAY is read: from the current folder, or from the checkout."""
