"""What was sent in words: from how many sources, by which clock, and what a message looked like. Pure."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from sentinel.lab import formatting
from sentinel.settings import CLOSED, LEAST_FIELDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinel.lab.run.run_data import RunData

LOOPS = {
    "poisson": "at random moments (Poisson)",
    "bursts": "in bursts, a fifth of every second at five times the rate",
    "ramp": "rising from 0.1 to 1.9 times the rate",
    CLOSED: "in a closed loop, in which each worker waits for Redis and no rate is kept",
}
"""How the messages of a load are spread over time, where that is not evenly."""


def sources(parameters: Mapping[str, Any]) -> str:
    """`16 workers`; where sources are not as many, `16 workers with 1,000 sources`.

    Args:
        parameters: A run's, also of one that was made before there were `SOURCES`.
    """
    workers, given = formatting.counted(parameters["WORKERS"], "worker"), parameters.get("SOURCES", "auto")
    return f"{workers} with {formatting.counted(given, 'source')}" if isinstance(given, int) else workers


def shape(run: RunData) -> str:
    """How messages came and what they held, behind a comma; what is known of neither, or as always, is left out.

    Of a recording nothing: it is described elsewhere.

    Args:
        run: Of any experiment.
    """
    if run.recording is not None:
        return ""
    p = run.parameters
    loop = LOOPS.get(p.get("LOOP", ""), "")
    held = [formatting.counted(p.get("FIELDS", LEAST_FIELDS), "number")]
    if tags := p.get("TAGS"):
        held.append(formatting.counted(tags, "tag"))
    size = message_bytes(run)
    message = f"messages of {formatting.joined(held)}, {formatting.figure(size)} bytes" if size else ""
    return "".join(f", {part}" for part in (loop, message) if part)


def message_bytes(run: RunData) -> float | None:
    """The mean size of a message on the bus, bytes: the median of the trials; None where none has measured it.

    Args:
        run: Of any experiment.
    """
    sizes = [size for trial in run.trials if (size := trial.message_bytes)]
    return statistics.median(sizes) if sizes else None
