"""Windows of a live view, filled with made-up lines."""

from __future__ import annotations

from typing import Any

import numpy as np

from sentinel.lab.experiments.live.window import COUNTS, Window
from sentinel.model.histogram import Recorder

START, SECOND = 1_700_000_000_000_000_000, 1_000_000_000


RATE = 1000


def line(at: float, written: int, durations: tuple[int, ...] = (), **counts: int) -> dict[str, Any]:
    """A line of a consumer's record, `at` seconds after the start."""
    recorder = Recorder()
    recorder.record(np.array(durations, dtype=np.int64))
    kinds = dict.fromkeys(("internal", "e2e", "stored"), recorder.to_dict())
    own = dict.fromkeys(COUNTS, 0) | {"received": written, "written": written} | counts
    return {"at": START + int(at * SECOND), "cpu_seconds": 0.1, **own, **kinds}


def sample(at: float, **fields: float) -> dict[str, Any]:
    """A line of an agent's record, with the one sample that it sent."""
    moment = START + int(at * SECOND)
    return {
        "at": moment,
        "sent": int(at),
        "samples": [{"cpu_usage": at, "mem_usage": 20.0, "send_time_unix_nano": moment, "fields": fields}],
    }


def running(seconds: float, window: float = 60.0, behind: int = 0) -> tuple[Window, int]:
    """A window on an even load that has run for so long, with its consumer `behind` messages behind; and now."""
    window_filled = Window(window)
    for beat in range(1, int(2 * seconds) + 1):
        at = beat / 2
        window_filled.load("0", {"at": START + int(at * SECOND), "sent": int(at * RATE)})
        window_filled.consumer(line(at, max(0, int(at * RATE) - behind), (2_000_000,)))
        if at.is_integer():
            window_filled.agent(sample(at))
    return window_filled, START + int(seconds * SECOND)
