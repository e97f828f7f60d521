"""The window of a live view: what comes in as lines goes out as series and figures, and what is old is forgotten."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.windows import RATE, SECOND, START, line, running, sample

from sentinel.lab.experiments.live.window import KEYS, RECENT, SMOOTH, Window
from sentinel.model.histogram import RELATIVE_ERROR


def test_rates_and_backlog_follow_the_counts() -> None:
    """An even load is a flat line, and what is sent but not stored is the backlog, the agent's samples among it."""
    window, now = running(10, behind=50)
    pipeline = window.pipeline(now)
    assert pytest.approx(RATE, rel=0.01) == pipeline.stored[-1]
    assert pytest.approx(RATE + 1, rel=0.01) == pipeline.sent[-1]
    assert 50 + 10 == pipeline.backlog[-1]
    assert (-9.5, 0.0) == (pipeline.seconds[0], pipeline.seconds[-1])


def test_a_rate_needs_two_values() -> None:
    """The first line alone says nothing about a rate, and an empty window nothing at all."""
    window, now = running(0.5)
    assert math.isnan(window.pipeline(now).stored[0])
    empty = Window(60)
    assert (0, 0) == (len(empty.pipeline(now).seconds), len(empty.host(now).seconds))
    assert math.isnan(empty.recent(now).stored)
    assert math.isnan(empty.whole().stored)


def test_backlog_is_not_guessed_before_all_senders_have_told() -> None:
    """A consumer's line newer than what a running load generator has noted is not drawn yet; after its end it is."""
    window, now = running(4)
    window.consumer(line(4.5, 4 * RATE))
    assert START + 4 * SECOND == now + int(window.pipeline(now + SECOND).seconds[-1] * SECOND) + SECOND
    window.ended("0")
    last = window.pipeline(now + SECOND)
    assert (-0.5, 4) == (last.seconds[-1], last.backlog[-1])


def test_counts_are_of_one_moment() -> None:
    """Nothing is written before it was sent: what a sender has not told of yet is not counted as written either."""
    window, now = running(4, behind=50)
    window.consumer(line(4.5, 4 * RATE + 450))
    told = window.tally(now + SECOND)
    assert (4 * RATE + 4, 4 * RATE - 50) == (told["sent"], told["written"])
    assert told["sent"] - told["written"] == window.pipeline(now + SECOND).backlog[-1]
    window.load("0", {"at": START + 5 * SECOND, "sent": 5 * RATE})
    told = window.tally(now + SECOND)
    assert (4 * RATE + RATE // 2 + 4, 4 * RATE + 450) == (told["sent"], told["written"])


def test_clocks_that_differ_do_not_write_more_than_was_sent() -> None:
    """Between two notes of a sender its count is an estimate, which cannot be less than what the store has."""
    window = Window(60)
    window.load("0", {"at": START + SECOND, "sent": 100})
    window.consumer(line(1, 103))
    assert 103 == window.tally(START + SECOND)["sent"]


def test_what_was_lost_or_written_twice_is_no_backlog() -> None:
    """The backlog is what is still on its way."""
    window = Window(60)
    window.load("0", {"at": START + SECOND, "sent": 100})
    window.consumer(line(1, 90, lost=5, duplicated=4, rejected=2))
    assert 100 - 5 - 2 - (90 - 4) == window.pipeline(START + SECOND).backlog[-1]


def test_what_came_after_now_is_not_shown() -> None:
    """The last view ends where the watch ended, though messages were still stored afterwards."""
    window, now = running(10)
    pipeline = window.pipeline(now - 2 * SECOND)
    assert 0.0 == pipeline.seconds[-1]
    assert 0.0 == window.host(now - 2 * SECOND).seconds[-1]


def test_the_window_forgets_but_for_whole_counts() -> None:
    """Old lines are dropped, so memory is bounded; totals and the latency of the whole time stay."""
    window, now = running(120, window=10)
    window.forget(now)
    beats = 2 * (10 + SMOOTH)
    assert len(window._intervals) <= beats + 2
    assert all(len(counts) <= beats + 2 for counts in window._sent.values())
    assert len(window._host) <= 10 + SMOOTH + 2
    pipeline = window.pipeline(now)
    assert -10.0 == pipeline.seconds[0]
    assert pytest.approx(RATE, rel=0.01) == pipeline.stored[0]
    assert (120 * RATE + 120, 120) == (window.tally(now)["sent"], window.samples)
    assert (pytest.approx(119.5), pytest.approx(RATE)) == (window.whole().seconds, window.whole().stored)


def test_host_readings_that_a_platform_lacks_are_missing_not_zero() -> None:
    """A sample without a field leaves a gap in that line alone."""
    window = Window(60)
    window.agent(sample(1, load1=0.5))
    window.agent(sample(2))
    host = window.host(START + 2 * SECOND)
    assert [1.0, 2.0] == host.values["cpu"].tolist()
    assert 0.5 == host.values["load1"][0]
    assert math.isnan(host.values["load1"][1])
    assert [-1.0, 0.0] == host.seconds.tolist()


def test_percentiles_are_those_of_the_messages() -> None:
    """Each line's own, those of the last seconds and those of all agree with the exact ones, p99 where carried."""
    random = np.random.default_rng(3)
    window, pieces = Window(60), []
    for beat in range(1, 41):
        pieces.append(random.lognormal(14, 0.7, 200).astype(np.int64))
        window.consumer(line(beat / 2, 200 * beat, tuple(pieces[-1].tolist())))
    now = START + 20 * SECOND

    def exact(parts: list[np.ndarray], q: float) -> float:
        return float(np.quantile(np.concatenate(parts), q, method="inverted_cdf")) / 1e6

    for key in KEYS:
        q = key[1]
        near = {"rel": RELATIVE_ERROR}
        own = exact(pieces[-1:], q) if q < 0.9 else math.nan
        assert pytest.approx(own, **near, nan_ok=True) == window.pipeline(now).latencies[key][-1]
        assert pytest.approx(exact(pieces[-int(2 * RECENT) :], q), **near) == window.recent(now).latencies[key]
        assert pytest.approx(exact(pieces, q), **near) == window.whole().latencies[key]


def test_idle_time_before_and_after_does_not_thin_the_rate() -> None:
    """The rate of the whole time counts from the last line before a message to the last with one."""
    window = Window(60)
    for beat in range(1, 31):
        written = 500 * min(max(0, beat - 10), 10)
        window.consumer(line(beat / 2, written))
    assert pytest.approx(RATE) == window.whole().stored
    assert pytest.approx(5.0) == window.whole().seconds


def test_losses_and_refusals_are_counts_so_far() -> None:
    """What went wrong once stays visible."""
    window = Window(60)
    window.consumer(line(1, 10))
    window.consumer(line(2, 20, lost=3, rejected=2, retries=1))
    window.consumer(line(3, 30, lost=3, rejected=2, retries=1))
    pipeline = window.pipeline(START + 3 * SECOND).troubles
    assert {"lost": [0, 3, 3], "rejected": [0, 2, 2], "retries": [0, 1, 1]} == {
        k: v.tolist() for k, v in pipeline.items()
    }
