"""Sustained: a load that falls behind is found out whatever its sawtooth, and a steady one never is."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from sentinel.lab.run import series
from sentinel.lab.run.trial_record import WARM_UP
from sentinel.lab.statistics.sustained import Pace, faults, growth_seconds, most_growth, reached
from sentinel.model.histogram import Recorder
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path

START, SECOND = 1_700_000_000_000_000_000, 1_000_000_000
RATE = 360.0


def load(measured: float) -> LoadSettings:
    """A load of so many seconds after the warm-up."""
    return LoadSettings(rate=RATE, duration=measured + WARM_UP)


# -- rules -----------------------------------------------------------------------------------------------------------


def test_a_replay_is_held_by_its_backlog() -> None:
    """Its rate varies, so what was stored in a part of it is not compared with the mean; all else is."""
    replay = LoadSettings(rate=RATE, duration=10 + WARM_UP, replay="office.rec")
    assert [] == faults(replay, Pace(flushed=(1000, 10.0)))
    assert ["the backlog grew by 360 messages"] == faults(replay, Pace(growth=360.0, flushed=(1000, 10.0)))


@pytest.mark.parametrize(
    ("pace", "expected_text"),
    [
        (Pace(), []),
        (Pace(unsent=12), ["12 messages were left unsent"]),
        (Pace(growth=360.0), ["the backlog grew by 360 messages"]),
        (Pace(growth=359.0), []),
        (Pace(flushed=(3020, 10.0)), ["302 of 360 msg/s were stored"]),
        (Pace(flushed=(3563, 10.0)), ["356 of 360 msg/s were stored"]),
        (Pace(flushed=(3565, 10.0)), []),
        (Pace(flushed=(4000, 10.0)), []),
        (Pace(flushed=(171, 0.5)), []),
        (Pace(flushed=(151, 0.5)), ["302 of 360 msg/s were stored"]),
        (Pace(p50={"e2e": (1.0, 80.0)}), ["e2e p50 rose from 1.00 to 80.0 ms"]),
        (Pace(p50={"stored": (300.0, 600.0)}), ["stored p50 rose from 300 to 600 ms"]),
        (Pace(p50={"e2e": (0.2, 19.0), "stored": (414.0, 508.0)}), []),
        (Pace(p50={"stored": (500.0, 380.0)}), []),
        (Pace(p50={"e2e": (math.nan, 3.0), "stored": (2.0, math.nan)}), []),
        (Pace(p50={"e2e": (1900.0, 1100.0)}), ["a queue was left at the end: e2e p50 1,100 ms"]),
    ],
)
def test_every_fault_is_named_with_its_figures(pace: Pace, expected_text: list[str]) -> None:
    """What was not sent, a backlog, too low a throughput, a latency that rises or stays high: each alone, in words."""
    assert expected_text == faults(load(10.0), pace)


def test_a_closed_loop_offers_no_rate() -> None:
    """It is held against what was stored: few messages a second are no fault, a growing backlog is."""
    closed = replace(load(10.0), loop="closed")
    assert [] == faults(closed, Pace(flushed=(3020, 10.0), growth=301.0))
    assert [] == faults(closed, Pace(flushed=(90_000, 10.0), growth=8_999.0))
    assert ["the backlog grew by 9,000 messages"] == faults(closed, Pace(flushed=(90_000, 10.0), growth=9_000.0))


def test_bursts_are_held_against_what_they_offered() -> None:
    """While it is measured a load in bursts may offer less than its rate, or more."""
    assert [] == faults(load(10.0), Pace(flushed=(3000, 10.0), offered=300.0))
    assert ["302 of 400 msg/s were stored"] == faults(load(10.0), Pace(flushed=(3020, 10.0), offered=400.0))


def test_a_trial_that_stored_302_of_360_was_not_sustained() -> None:
    """However short it was: its median message waited half a second."""
    assert faults(load(1.0), Pace(flushed=(151, 0.5), p50={"e2e": (300.0, 481.0)}))


@pytest.mark.parametrize(("seconds", "least"), [(0.5, 0.9), (1.0, 0.95), (5.0, 0.99), (60.0, 0.99)])
def test_enough_is_99_percent_but_for_a_hiccup(seconds: float, least: float) -> None:
    """Of a short trial a twentieth of a second may be missing, of others one message in a hundred."""
    assert reached(1000.0, (least + 1e-6) * 1000 * seconds, seconds)
    assert not reached(1000.0, (least - 1e-3) * 1000 * seconds, seconds)


@pytest.mark.parametrize(("measured", "allowed"), [(2.0, 0.2), (5.0, 0.5), (10.0, 1.0), (60.0, 1.0)])
def test_a_backlog_may_grow_by_a_tenth_of_the_load_or_a_second(measured: float, allowed: float) -> None:
    """Of the measured load, which begins after the warm-up."""
    assert allowed == pytest.approx(growth_seconds(measured))
    assert allowed * RATE == pytest.approx(most_growth(load(measured)))


# -- out of a trial's record -----------------------------------------------------------------------------------------


def played(
    folder: Path, measured: float, *, capacity: float = math.inf, linger: float = 0.0, phase: float = 0.0
) -> Pace:
    """The pace of a consumer that stores up to `capacity` msg/s and flushes every `linger` seconds, if that is not 0.

    Written as its record has it, a line every half a second, `phase` of one after the start.
    """
    duration = measured + WARM_UP
    due = np.arange(int(RATE * duration)) / RATE
    batched = np.maximum(due + 0.0005, (np.arange(len(due)) + 1) / capacity)
    flushes = phase + linger * np.ceil((batched - phase) / linger) if linger else batched
    stored = np.minimum(flushes, max(duration, batched[-1]) + 0.01) + 0.005
    moments = [*np.arange(0.5 + phase / 2, stored[-1], 0.5), stored[-1] + 0.1]
    lines: list[dict[str, Any]] = []
    before = 0.0
    for at in moments:
        own = (stored > before) & (stored <= at)
        whole = {"e2e": batched - due, "stored": stored - due, "internal": batched - due}
        kinds = {kind: _recorded(values[own] * SECOND) for kind, values in whole.items()}
        done, last = int((stored <= at).sum()), stored[stored <= at].max(initial=0.0)
        counts = {"received": int((batched <= at).sum()), "written": done, "rejected": 0}
        lines.append({"at": _moment(at), "last_stored": _moment(last) if last else 0, **counts, **kinds})
        before = at
    _write(folder / series.CONSUMER, lines)
    sent = [{"at": _moment(at), "sent": int((due <= at).sum())} for at in [*np.arange(0.5, duration, 0.5), duration]]
    _write(folder / series.LOAD / "0", sent)
    span = (folder, START, WARM_UP, duration)
    return Pace(0, series.backlog_growth(*span), series.flushed(*span), series.drift(*span))


def _recorded(values: np.ndarray) -> dict[str, Any]:
    recorder = Recorder()
    recorder.record(values.astype(np.int64))
    return recorder.to_dict()


def _moment(seconds: float) -> int:
    return START + int(seconds * SECOND)


def _write(folder: Path, lines: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "intervals.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("measured", [1.0, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("linger", [0.0, 0.05, 1.0, 1.01])
def test_a_steady_sawtooth_is_sustained(tmp_path: Path, measured: float, linger: float) -> None:
    """A batch that waits makes no load unsustained, wherever its flushes lie and however short the trial is."""
    for step in range(10):
        pace = played(tmp_path / str(step), measured, linger=linger, phase=step / 10)
        assert [] == faults(load(measured), pace)


@pytest.mark.parametrize("measured", [1.0, 2.0, 5.0, 10.0])
@pytest.mark.parametrize("linger", [0.0, 0.05, 1.0])
def test_a_consumer_that_falls_behind_is_found_out(tmp_path: Path, measured: float, linger: float) -> None:
    """302 of 360 messages a second are not 360, however short the trial is and however long its batches wait."""
    for step in range(10):
        pace = played(tmp_path / str(step), measured, capacity=302.0, linger=linger, phase=step / 10)
        assert faults(load(measured), pace)


def test_two_percent_less_is_found_out_in_ten_seconds(tmp_path: Path) -> None:
    """Throughput from flush to flush is exact enough: 98 % of the load is not sustained, 99.8 % is."""
    for linger in (0.0, 1.0):
        assert faults(load(10.0), played(tmp_path / f"{linger}-98", 10.0, capacity=0.98 * RATE, linger=linger))
        assert [] == faults(load(10.0), played(tmp_path / f"{linger}-99", 10.0, capacity=0.998 * RATE, linger=linger))


def test_an_older_record_has_no_flushes(tmp_path: Path) -> None:
    """Lines without the moment of the last flush, or none at all, tell no throughput; nothing is made up."""
    assert series.flushed(tmp_path, START, 1.0, 2.0) is None
    _write(tmp_path / series.CONSUMER, [{"at": _moment(at), "written": 100} for at in (1.1, 1.6)])
    assert series.flushed(tmp_path, START, 1.0, 2.0) is None
