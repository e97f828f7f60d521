"""What a trial must not leave behind, and what its accounts must say."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psutil

from sentinel.bus.link import client

if TYPE_CHECKING:
    from sentinel.lab.run.trial_record import Outcome
    from sentinel.lab.trials.trial import Trial


def processes_of(trial: Trial) -> list[int]:
    """Living processes that were started for this trial: its key is in their command line."""
    collected = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if trial.bus.stream in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                collected.append(process.pid)
    return collected


def keys_of(trial: Trial) -> list[bytes]:
    """What Redis still holds under the trial's names."""
    with client(trial.bus) as redis:
        return sorted(redis.keys(f"{trial.bus.stream}*"))


def assert_nothing_is_left(trial: Trial) -> None:
    """Neither a process nor a key outlives a trial."""
    assert processes_of(trial) == []
    assert keys_of(trial) == []


def assert_accounts_agree(outcome: Outcome, count: int) -> None:
    """sent = received = written = stored, and nothing else happened."""
    sender, consumer = outcome.sender, outcome.consumer
    assert (outcome.problems, outcome.valid) == ([], True)
    assert (count, count, 0) == (sender["scheduled"], sender["sent"], sender["unsent"])
    assert (count, count, 0, 0) == tuple(consumer[name] for name in ("received", "written", "rejected", "pending"))
    assert (0, 0, 0) == tuple(consumer[name] for name in ("lost", "duplicated", "reordered"))
    assert (count, 0, 0) == (outcome.stored, outcome.lost, outcome.unread)
