"""What a run's record holds of a recording that was played. Pure."""

from __future__ import annotations

import msgspec


class Recording(msgspec.Struct, frozen=True):
    """What was played instead of made-up messages."""

    name: str
    """The name of its file."""
    sha256: str
    """Of the file, in hexadecimal."""
    seconds: float
    """How long was recorded, s."""
    messages: int
    """That can be played, all of them in one round."""
    sources: int
    """That they are from."""
    rate: float
    """Messages per second as they came, msg/s; 0 where they came all at once."""
    bytes_per_message: float
    """Mean size of their payloads, bytes."""
    codec: str
    """Of the messages: `json`, `binary`, or `json and binary`."""
    masked: bool = False
    """Whether names and values were replaced."""
    foreign: dict[str, int] = {}
    """Messages that are not played, since a consumer would reject them, by reason."""
