"""What a page says of a recording that was played."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel.lab import formatting, offered
from sentinel.lab.run.trial_record import WARM_UP

if TYPE_CHECKING:
    from sentinel.lab.replay.record import Recording
    from sentinel.lab.run.run_data import RunData


def senders(data: RunData) -> str:
    """Who sent, and how its messages were encoded: `16 workers, json`.

    Args:
        data: A run with the parameters `WORKERS` and `CODEC`.
    """
    if (played := data.recording) is not None:
        return f"{formatting.counted(played.sources, 'recorded source')}, {played.codec} as recorded"
    return f"{offered.sources(data.parameters)}, {data.parameters['CODEC']}"


def described(data: RunData) -> str:
    """The recording, and how it was played; empty where none was.

    Args:
        data: A run with the parameter `DURATION`.
    """
    if (played := data.recording) is None:
        return ""
    return ". ".join([_file(played), _spacing(data, played)])


def _file(played: Recording) -> str:
    size = f"{formatting.count(played.messages)} messages of {formatting.figure(played.bytes_per_message)} bytes"
    parts = [f"{played.name}, {formatting.figure(played.seconds)} s, {size}"]
    if played.masked:
        parts.append("names and values masked")
    if played.foreign:
        reasons = ", ".join(f"{formatting.count(count)} {reason}" for reason, count in played.foreign.items())
        parts.append(f"kept out of play as a consumer would reject them: {reasons}")
    return f"{'; '.join(parts)}; sha256 {played.sha256}"


def _spacing(data: RunData, played: Recording) -> str:
    seconds = data.parameters["DURATION"] + WARM_UP
    own = f"as recorded at {formatting.figure(played.rate)} msg/s" if played.rate else "all at once when recorded"
    rounds = [f"{formatting.plain(rate)} msg/s {_rounds(rate * seconds / played.messages)}" for rate in _offered(data)]
    played_at = f"; {formatting.plain(seconds)} s at {formatting.joined(rounds)}" if rounds else ""
    return (
        f"Its spacing ({own}) is stretched or drawn together to each rate{played_at}. Full streams take their messages"
        " from it in order, again and again"
    )


def _offered(data: RunData) -> list[float]:
    rates = {name: data.parameters[name] for name in ("RATE", "HEADLINE_RATE") if name in data.parameters}
    return list(
        dict.fromkeys((rates | {_NAMES[key]: rate for key, rate in data.rates.items() if key in _NAMES}).values())
    )


_NAMES = {"latency": "RATE", "headline": "HEADLINE_RATE"}
"""The parameter that each rate of a record stands for."""


def _rounds(times: float) -> str:
    """How often the recording was played, or how much of it."""
    if times < 1:
        return f"are its first {100 * times:.0f} %"
    return f"are {formatting.figure(times)} rounds of it"
