"""Jitter: every wake-up that was due counts, those that a pause swallowed as well; a slowed processor shows."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from support.synthetic import made

from sentinel.lab.machine import jitter
from sentinel.lab.report import results, terminal
from sentinel.probe import CpuTimes

if TYPE_CHECKING:
    from pathlib import Path

MS = 1_000_000


class Clock:
    """Sleeps end late, and turns of work take as long, as the test says, in ms, one after the other."""

    def __init__(self, late: tuple[float, ...] = (), work: tuple[float, ...] = ()) -> None:
        self.now = 10**12
        self._late, self._work = list(late), list(work)

    def monotonic_ns(self) -> int:
        """Now."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """The time asked for, and the next delay, at last none."""
        self.now += round(seconds * 1e9) + round((self._late.pop(0) if self._late else 0.0) * MS)

    def work(self) -> None:
        """One turn; at last of 0.05 ms."""
        self.now += round((self._work.pop(0) if self._work else 0.05) * MS)


def measured_with(monkeypatch: pytest.MonkeyPatch, clock: Clock, seconds: float) -> dict[str, float]:
    """What is found by that clock."""
    times = {"monotonic_ns": clock.monotonic_ns, "sleep": clock.sleep, "process_time": lambda: 0.0}
    monkeypatch.setattr(jitter, "time", SimpleNamespace(**times))
    monkeypatch.setattr(jitter, "cpu_times", lambda: CpuTimes(0.0, 0.0, 0.0, 0.0))
    return jitter.measure(seconds, clock.work)


def test_a_steady_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wake-up a millisecond, each on time, and every turn of work like the others."""
    steady = {"late_p50": 0.0, "late_p99": 0.0, "late_max": 0.0, "mean": 1.0, "slow": 0.0, "slowest": 1.0, "turns": 100}
    assert steady | {"others": 0.0} == measured_with(monkeypatch, Clock(), 0.1)


def test_what_a_pause_swallows_counts_as_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause of 50.5 ms makes the wake-ups due in it late by 50.5, 49.5, … 0.5 ms: 51 of 100, not one."""
    own = measured_with(monkeypatch, Clock(late=(0.0, 50.5)), 0.1)
    assert 50 == own["turns"]
    assert 50.5 == own["late_max"]
    assert own["late_p50"] == pytest.approx(1.0, abs=0.5)  # 49 are on time
    assert own["late_p99"] == pytest.approx(50.0, abs=0.6)


def test_a_slowed_processor_shows_where_no_timer_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten turns of 100 take 16 times as long, one takes three times, which is not yet slow; nobody wakes late."""
    own = measured_with(monkeypatch, Clock(work=(0.05,) * 5 + (0.8,) * 10 + (0.15,)), 0.1)
    assert (10.0, 100, 0.0) == (own["slow"], own["turns"], own["late_max"])
    assert (own["slowest"], own["mean"]) == (pytest.approx(16.0), pytest.approx(2.52))


def test_a_clock_that_wakes_early_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is counted as late before it was due."""
    own = measured_with(monkeypatch, Clock(late=(-0.5,) * 9), 0.02)
    assert (0.0, 0.0) == (own["late_p50"], own["late_max"])


def test_a_clock_too_coarse_for_the_work_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that takes no time at all by the clock has no multiples."""
    assert 0.0 == measured_with(monkeypatch, Clock(work=(0.0,) * 100), 0.02)["slow"]


@pytest.mark.parametrize("seconds", [0.0, 0.02])
def test_this_machine_has_a_jitter(seconds: float) -> None:
    """On the real clock: at least one turn however short the time, in order, and ready for JSON."""
    own = jitter.measure(seconds)
    assert own == json.loads(json.dumps(own, allow_nan=False))
    assert own["turns"] >= 1
    assert 0.0 <= own["late_p50"] <= own["late_p99"] <= own["late_max"]
    assert 0.0 <= own["slow"] <= 100.0
    assert 0.0 <= own["mean"] <= own["slowest"]
    assert own["slowest"] >= 1.0


@pytest.mark.parametrize(
    ("busy", "own", "total", "percent"),
    [(3.0, 1.0, 4.0, 50.0), (1.0, 1.0, 4.0, 0.0), (0.98, 1.0, 4.0, 0.0), (9.0, 0.0, 4.0, 100.0), (0.0, 0.0, 0.0, 0.0)],
)
def test_other_work_is_what_is_not_our_own(busy: float, own: float, total: float, percent: float) -> None:
    """In percent of all CPUs' time; coarse ticks make neither less than nothing nor more than all of it."""
    assert percent == jitter.others(CpuTimes(5.0, 5.0, 1.0, 11.0), CpuTimes(5 + busy, 9.0, 1.0, 11 + total), own)


@pytest.mark.parametrize(
    ("others", "who"),
    [
        (0.0, "The machine by itself, with nothing else running: x; y."),
        (3.0, "The machine by itself, with nothing else running: x; y."),
        (47.6, "The machine, while other work took 48 % of its CPU time: x; y."),
        (None, "The machine, whatever else ran on it: x; y."),
    ],
)
def test_nothing_else_was_running_only_where_that_was_so(others: float | None, who: str) -> None:
    """What else took CPU time is said with its share; a record that does not know claims neither."""
    assert who == jitter.sentence_of({} if others is None else {"others": others}, "x", "y")


def test_a_busy_neighbour_is_seen() -> None:
    """On the real machine: another process in an endless loop makes up a part of the CPU time that is named."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            time.sleep(0.2)
            own = jitter.measure(0.5)
        finally:
            busy.kill()
    assert own["others"] > jitter.ALONE
    assert "while other work took" in jitter.words(own)


def test_the_table_has_the_machines_own_jitter(tmp_path: Path) -> None:
    """Below the latencies, in report and terminal alike; a run that did not ask says nothing of it."""
    run = made(tmp_path)
    assert not any(note.startswith("The machine") for note in results.footnotes(run))
    own = {
        "late_p50": 0.07,
        "late_p99": 1.25,
        "late_max": 12.0,
        "mean": 1.25,
        "slow": 2.25,
        "slowest": 15.2,
        "turns": 1500,
    }
    run.data.machine.jitter = own
    assert jitter.words(own) in results.footnotes(run)
    assert "was late by 0.07 ms at p50, 1.25 ms at p99 and" in " ".join(terminal.terminal_table(run).split())
