"""Timer: every wake-up that was due counts, those that a pause swallowed as well."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from synthetic import made

from sentinel.lab import results, timer

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000


class Clock:
    """Sleeps that end late by what the test says, in ms, one after the other; by nothing afterwards."""

    def __init__(self, *late: float) -> None:
        self.now = 10**12
        self._late = list(late)

    def monotonic_ns(self) -> int:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """The time asked for, and the next delay."""
        self.now += round(seconds * 1e9) + round((self._late.pop(0) if self._late else 0.0) * MS)


def found(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> dict[str, float]:
    """What is found by that clock."""
    monkeypatch.setattr(timer, "time", SimpleNamespace(monotonic_ns=clock.monotonic_ns, sleep=clock.sleep))
    return timer.lateness(seconds)


def test_a_clock_without_delays_is_never_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake-up a millisecond, each on time."""
    assert {"p50": 0.0, "p99": 0.0, "max": 0.0, "wakeups": 100} == found(monkeypatch, Clock(), 0.1)


def test_what_a_pause_swallows_counts_as_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of 50.5 ms makes the wake-ups due in it late by 50.5, 49.5, … 0.5 ms: 51 of 100, not one."""
    late = found(monkeypatch, Clock(0.0, 50.5), 0.1)
    assert 100 == late["wakeups"]
    assert 50.5 == late["max"]
    assert late["p50"] == pytest.approx(1.0, abs=0.5)  # 49 are on time
    assert late["p99"] == pytest.approx(50.0, abs=0.6)


def test_a_clock_that_wakes_early_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted before it was due."""
    assert {"p50": 0.0, "p99": 0.0, "max": 0.0, "wakeups": 20} == found(monkeypatch, Clock(*[-0.5] * 9), 0.02)


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_this_machine_has_a_lateness(seconds: float) -> None:
    """On the real clock: at least one wake-up however short the time, in order, and ready for JSON."""
    late = timer.lateness(seconds)
    assert late == json.loads(json.dumps(late, allow_nan=False))
    assert late["wakeups"] >= max(1, seconds * 1000)
    assert 0.0 <= late["p50"] <= late["p99"] <= late["max"]


def test_the_table_says_how_late_the_machine_is(tmp_path: Path) -> None:
    """Below the latencies, in report and terminal alike; a run that did not ask says nothing of it."""
    run = made(tmp_path)
    assert not any("timer" in note for note in results.footnotes(run))
    late: dict[str, Any] = {"p50": 0.07, "p99": 1.25, "max": 12.0, "wakeups": 1500}
    run.data["machine"]["timer"] = late
    assert timer.words(late) in results.footnotes(run)
    assert "was late by 0.07 ms at p50, 1.25 ms at p99 and" in " ".join(results.terminal_table(run).split())
