"""The heartbeat: fresh while the work goes on, old when it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.agents import FakePublisher, reading, settings
from support.health import health_lines
from support.servers import Answer, Lane, ScriptedStore, consuming, finish, wait_until

from sentinel.agent.agent import Agent
from sentinel.errors import SettingsError
from sentinel.load.processes import run_load
from sentinel.runtime.heartbeat import Heartbeat
from sentinel.settings import LoadSettings

if TYPE_CHECKING:
    from pathlib import Path


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked, nobody is told."""
    monkeypatch.chdir(tmp_path)
    Heartbeat("").beat()
    assert [] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_a_settings_error(tmp_path: Path) -> None:
    """A wrong path is said at the start, not by a health check."""
    with pytest.raises(SettingsError, match=r"cannot write the heartbeat to .*/none/alive: No such file"):
        Heartbeat(tmp_path / "none" / "alive")


@pytest.mark.parametrize(("refuses", "beats"), [(False, True), (True, False)])
def test_an_agent_beats_when_redis_takes_its_samples(tmp_path: Path, refuses: bool, beats: bool) -> None:
    """A sample that only waits is no sign of life."""
    alive = tmp_path / "alive"
    agent = Agent(settings(heartbeat=str(alive)), FakePublisher(lambda _: refuses), reading)
    alive.unlink()
    agent.run(count=2)
    assert alive.exists() == beats


def test_an_agent_beats_and_tells_of_itself(tmp_path: Path) -> None:
    """As in a container: neither keeps the other from its work."""
    alive = tmp_path / "alive"
    agent = Agent(settings(heartbeat=str(alive), health=0.001), FakePublisher(), reading)
    alive.unlink()
    report = agent.run(count=3)
    assert alive.exists()
    assert report.health >= 1
    assert report.ledger.sent == 3 + report.health


def test_a_consumer_beats_and_tells_of_itself(scripted: ScriptedStore, scripted_lane: Lane, tmp_path: Path) -> None:
    """As in a container: points, reports and beats, side by side."""
    alive = tmp_path / "alive"
    with consuming(scripted_lane, heartbeat=str(alive), health=0.1) as (consumer, running):
        alive.unlink()
        run_load(LoadSettings(count=50), scripted_lane.bus)
        wait_until("it beats", alive.exists)
        wait_until("it reports", lambda: health_lines(scripted))
        assert 50 == finish(consumer, running).ledger.written


def test_a_consumer_beats_while_it_reads(embedded_lane: Lane, tmp_path: Path) -> None:
    """Also while there is nothing to read."""
    alive = tmp_path / "alive"
    with consuming(embedded_lane, heartbeat=str(alive)) as (consumer, running):
        alive.unlink()
        wait_until("it beats", alive.exists)
        finish(consumer, running)


def test_a_consumer_whose_store_is_away_beats_no_more(
    scripted: ScriptedStore, scripted_lane: Lane, tmp_path: Path
) -> None:
    """One message that the store does not take is enough, though the reader goes on."""
    alive = tmp_path / "alive"
    with consuming(scripted_lane, heartbeat=str(alive)) as (consumer, running):
        alive.unlink()
        wait_until("it beats", alive.exists)
        scripted.on_write = lambda _: Answer(503)
        run_load(LoadSettings(count=1), scripted_lane.bus)
        wait_until("it is tried", lambda: scripted.writes)
        consumer._closing.wait(0.6)
        alive.unlink(missing_ok=True)
        consumer._closing.wait(1.2)
        assert not alive.exists()
        scripted.on_write = lambda _: Answer()
        wait_until("it beats again", alive.exists, 20)
        finish(consumer, running)


def test_a_consumer_that_cannot_go_on_beats_no_more(
    scripted: ScriptedStore, scripted_lane: Lane, tmp_path: Path
) -> None:
    """A reader held up by a store that is away does not look alive, though its housekeeping is."""
    scripted.on_write = lambda _: Answer(503)
    alive = tmp_path / "alive"
    run_load(LoadSettings(count=500), scripted_lane.bus)
    with consuming(scripted_lane, heartbeat=str(alive), batch_size=1, queue_batches=1, read_count=10) as (consumer, _):
        wait_until("the reader is held up", lambda: consumer.ledger.received == 10)
        wait_until("the housekeeping thread has looked", lambda: not consumer._liveness.came_round)
        alive.unlink(missing_ok=True)
        consumer._closing.wait(1.5)
        assert not alive.exists()
