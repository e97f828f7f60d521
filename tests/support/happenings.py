"""Records of trials in which something happened."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from support.synthetic import SECOND, START

from sentinel.consumer.measuring.stalls import COLLECTED, WRITTEN
from sentinel.lab.events.event import PULSE
from sentinel.lab.events.pulse import HEADS

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.run.run import Run

MS = 1_000_000


def disturbed(trial: Path) -> None:
    """Let a trial's record hold one event of every kind: they began 0.6, 1.2, 1.8, 2.4, 3 and 3.3 s after the start."""
    path = trial / "consumer" / "intervals.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for number, line in enumerate(lines):
        line[WRITTEN] = [line["at"] - 100 * MS, 3 * MS]
        line["retries"], line["reconnects"] = 2 * (number >= 3), 1 * (number >= 5)
    lines[1][COLLECTED] = [START + 600 * MS, 12 * MS]
    lines[2][COLLECTED] = [START + 1100 * MS, 1 * MS]
    lines[2][WRITTEN] = [START + 1200 * MS, 300 * MS]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    beats = [(START + beat * SECOND // 4, 40.0 * (beat == 12), 90.0 if beat == 13 else 30.0) for beat in range(16)]
    rows = [HEADS, *beats]
    (trial / PULSE).write_text("".join(f"{','.join(map(str, row))}\n" for row in rows))


def disturbed_run(run: Run) -> Run:
    """The run, with such events in every trial that left intervals."""
    for path in run.folder.glob("trials/*/consumer/intervals.jsonl"):
        disturbed(path.parents[1])
    return run
