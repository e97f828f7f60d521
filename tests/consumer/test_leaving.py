"""A stop on Pub/Sub: the subscription ends first, and every message that had a receiver is in the consumer's ledger."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from support.servers import Answer, ConsumerProcess, Lane, ScriptedStore, consuming, finish, loading, wait_until

from sentinel.consumer.configurations import CONFIGURATIONS

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.process.supervisor import Supervisor


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_clean_stop_receives_exactly_what_was_sent_to_it(
    lane: Lane, configuration: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    """SIGTERM in mid-load: all that PUBLISH counted a receiver for is received and stored."""
    process = ConsumerProcess(supervisor, lane, tmp_path, transport="pubsub", configuration=configuration)
    rate = 300.0 if configuration == "baseline" else 4000.0
    with loading(lane, transport="pubsub", rate=rate, duration=2.5) as load:
        wait_until("some points are stored", lambda: lane.stored() > 20)
        process.child.signal(signal.SIGTERM)
        assert process.ends() == 0, process.log
        sent = load.result(20).ledger
    ledger = process.ledger
    assert ([], sent.receivers, 0) == (ledger.problems(), ledger.received, ledger.pending)
    assert 0 < sent.receivers < sent.sent
    assert lane.stored() == ledger.written == sent.receivers


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_a_stop_without_a_store_says_how_many_were_lost(
    scripted_lane: Lane, scripted: ScriptedStore, configuration: str, supervisor: Supervisor, tmp_path: Path
) -> None:
    """What arrived while the consumer waited for the store is pending in ledger and last line, to the message."""
    scripted.on_write = lambda _: Answer(503)
    process = ConsumerProcess(
        supervisor,
        scripted_lane,
        tmp_path,
        transport="pubsub",
        configuration=configuration,
        deadline="1s",
        batch_size="100",
    )
    with loading(scripted_lane, transport="pubsub", rate=4000.0, duration=2.5) as load:
        wait_until("the store refuses", lambda: len(scripted.writes) > 1)
        process.child.signal(signal.SIGTERM)
        assert process.ends() == 1, process.log
        sent = load.result(20).ledger
    ledger = process.ledger
    assert ([], sent.receivers, sent.receivers) == (ledger.problems(), ledger.received, ledger.pending)
    assert 0 < sent.receivers < sent.sent
    assert f"{sent.receivers} messages were read but not stored before the deadline: they are lost" in process.log


@pytest.mark.parametrize("configuration", ["baseline", "optimised"])
def test_a_redis_that_goes_during_a_stop_ends_it(
    embedded_lane: Lane, configuration: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nobody confirms the end of the subscription, what arrived is stored; one line says what is not known."""
    with consuming(embedded_lane, configuration, transport="pubsub") as (consumer, running):
        embedded_lane.publish([b'{"timestamp":1795914000,"cpu_usage":1.5,"mem_usage":2}'], "pubsub")
        wait_until("it is stored", lambda: consumer.ledger.written == 1)
        consumer.stop.request(10.0)
        running.result(5)
        with embedded_lane.redis() as client:
            client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        ledger = consumer.close().ledger
    assert ([], 1, 1) == (ledger.problems(), ledger.received, ledger.written)
    assert sum("how much that was is not known" in line for line in caplog.messages) == 1


def test_a_consumer_that_ends_by_itself_leaves_too(embedded_lane: Lane) -> None:
    """After `close` nobody receives what is published."""
    with consuming(embedded_lane, transport="pubsub") as (consumer, running):
        finish(consumer, running)
        assert embedded_lane.publish([b"anybody?"], "pubsub") == 0
