"""The fifth latency: the newest point that a query returns, on every store, and the reader that asks for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from support.servers import wait_until

from sentinel import store
from sentinel.lab.contenders.wire.visibility import Reader
from sentinel.lab.run import series
from sentinel.lab.run.trial_record import WARM_UP
from sentinel.store.newest import newest

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Lane

    from sentinel.lab.process.supervisor import Supervisor
    from sentinel.settings import StoreSettings


def write(settings: StoreSettings, run: str, *moments: int) -> None:
    """Points of a run at these times, ns since the epoch."""
    connection = store.StoreClient(settings)
    lines = [f"system_stats,run={run},source={n} cpu=1,mem=2 {moment}" for n, moment in enumerate(moments)]
    connection.write(store.write_target(settings, store.identify(settings)), "\n".join(lines).encode())
    connection.close()


def test_the_newest_point_is_that_of_the_run_alone(lane: Lane) -> None:
    """Its time to the nanosecond, whatever series it is in; None where the run has none yet."""
    connection, server, now = store.StoreClient(lane.store), store.identify(lane.store), time.time_ns()
    assert newest(connection, server, lane.run) is None
    write(lane.store, lane.run, now - 5, now - 1, now - 3)
    write(lane.store, f"{lane.run}-other", now)
    assert now - 1 == newest(connection, server, lane.run)
    connection.close()


@pytest.mark.timeout(90)
def test_victoria_metrics_tells_it_in_milliseconds(victoria: StoreSettings) -> None:
    """It keeps no more of a time, and shows a point once its index has it."""
    connection, server, now = store.StoreClient(victoria), store.identify(victoria), time.time_ns()
    assert newest(connection, server, "visible") is None
    write(victoria, "visible", now - 10**9, now)
    wait_until("a query returns it", lambda: newest(connection, server, "visible") is not None, 40)
    assert newest(connection, server, "visible") == now // 10**6 * 10**6
    connection.close()


def test_the_reader_keeps_the_age_of_the_newest_point(
    embedded_lane: Lane, tmp_path: Path, supervisor: Supervisor
) -> None:
    """While the load goes on, one answer after the other; then no more."""
    moment = time.time_ns() - int((WARM_UP + 5) * 1e9)
    write(embedded_lane.store, embedded_lane.run, moment)
    load = supervisor.start("load", ["sleep", "60"], log=tmp_path / "log")
    with Reader(tmp_path, embedded_lane.store, embedded_lane.run, load):
        wait_until("it has read twice", lambda: len(series.intervals(tmp_path / series.VISIBLE)) >= 2)
        load.stop()
        time.sleep(0.2)
        known = len(series.intervals(tmp_path / series.VISIBLE))
        time.sleep(0.3)
    seen = series.histograms(tmp_path, 0)[series.VISIBLE]
    assert known == len(series.intervals(tmp_path / series.VISIBLE)) == len(seen)
    assert (WARM_UP + 5) * 1e9 * 0.99 < seen.quantile(0.0) < (time.time_ns() - moment) * 1.01


def test_a_trial_without_a_reader_has_no_such_latency(tmp_path: Path) -> None:
    """Nothing is guessed."""
    assert series.VISIBLE not in series.histograms(tmp_path, 0)
