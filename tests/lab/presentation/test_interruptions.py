"""What a page says of interruptions: when, after which trial, why, for how long, and what was measured again."""

from __future__ import annotations

from sentinel.lab.resuming.record import Interruption, Resumption
from sentinel.lab.resuming.words import interrupted
from sentinel.lab.run.run_data import RunData
from sentinel.lab.run.trial_record import CAPACITY, Outcome, Plan
from sentinel.settings import LoadSettings

FIRST = Interruption(5, 4, "2026-01-01T10:00:00+00:00", "2026-01-01T10:12:30+00:00", "interrupted")
SECOND = Interruption(9, 11, "2026-01-02T23:59:00+00:00", "2026-01-04T11:59:00+00:00", "its process was killed")


def replaced(*numbers: int) -> list[Outcome]:
    """Trials that count no more."""
    return [Outcome(Plan(number, CAPACITY, "x", "x", LoadSettings())) for number in numbers]


def record(resumption: Resumption) -> RunData:
    """The record of a run that was resumed so."""
    return RunData(id="x", notebook="benchmark", resumption=resumption)


def test_a_run_without_interruption_says_nothing() -> None:
    """There is no such row, whatever was noted."""
    assert {} == interrupted(record(Resumption(noted=["Only 2 cores."])))


def test_each_interruption_is_told() -> None:
    """Times in UTC to the minute, spans of days too, and the trials that do not count."""
    told = interrupted(record(Resumption(interruptions=[FIRST, SECOND], replaced=replaced(3, 4))))
    assert {
        "Interrupted": "2026-01-01 10:00 UTC after trial 4 (interrupted), for 13 min; 2026-01-02 23:59 UTC after trial"
        " 11 (its process was killed), for 36.0 h; measured again, and not counted: trials 3 and 4"
    } == told
    assert interrupted(record(Resumption(interruptions=[FIRST], replaced=replaced(3))))["Interrupted"].endswith(
        "for 13 min; measured again, and not counted: trial 3"
    )
