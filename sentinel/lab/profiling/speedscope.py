"""Folded stacks as a file for speedscope, by its schema: the samples at work on messages, in seconds. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentinel.lab.profiling.stacks import Folded, Frame

SCHEMA = "https://www.speedscope.app/file-format-schema.json"


def text(stacks: Folded, title: str, rate: int) -> str:
    """A profile as speedscope opens it.

    Args:
        stacks: See `stacks.working`.
        title: The profile's name.
        rate: Samples per second.

    Returns:
        JSON.
    """
    numbers: dict[str, int] = {}
    frames: list[dict[str, Any]] = []
    samples = []
    for path, _ in stacks:
        for frame in path:
            if frame.text not in numbers:
                numbers[frame.text] = len(frames)
                frames.append(_frame(frame))
        samples.append([numbers[frame.text] for frame in path])
    weights = [count / rate for _, count in stacks]
    profile = {"type": "sampled", "name": title, "unit": "seconds", "startValue": 0, "endValue": sum(weights)}
    profile |= {"samples": samples, "weights": weights}
    whole = {"$schema": SCHEMA, "exporter": "SentinelStream Lab", "name": title, "activeProfileIndex": 0}
    return json.dumps(whole | {"shared": {"frames": frames}, "profiles": [profile]}, separators=(",", ":")) + "\n"


def _frame(frame: Frame) -> dict[str, Any]:
    """Function, file and, where py-spy gave it, line."""
    line = frame.text.rpartition(":")[2].removesuffix(")")
    named: dict[str, Any] = {"name": frame.function}
    if frame.module:
        named["file"] = frame.module
    return named | ({"line": int(line)} if frame.module and line.isdecimal() else {})
