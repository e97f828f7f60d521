"""`sentinel consume`: the options of the consumer, and its signals."""

from __future__ import annotations

import gc
import signal
from typing import TYPE_CHECKING, Any

import click

from sentinel.options import (
    Duration,
    DurationOrZero,
    configuration_option,
    health_option,
    heartbeat_option,
    key_option,
    record_option,
    transport_option,
)
from sentinel.runtime import exit_report
from sentinel.runtime.signals import on_stop_signals
from sentinel.runtime.unexpected import ending_with_any_thread
from sentinel.settings import BusSettings, ConsumerSettings, StoreSettings

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.consumer.consumer import Consumer


@click.command()
@configuration_option
@transport_option
@key_option
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=ConsumerSettings.batch_size, help="Most points in one write."
)
@click.option(
    "--linger",
    type=DurationOrZero(),
    default=ConsumerSettings.linger,
    help="Time between two reads, and so two requests, under a light load: longer saves CPU; 0: as soon as possible.",
)
@click.option(
    "--max-age",
    type=Duration(),
    default=None,
    help="Time that a batch waits for more although the writer is free.  [default: none; with --linger 0, 1ms for 9 to"
    " 99 points]",
)
@click.option(
    "--name",
    default=None,
    help="This consumer's name in the group; one for each running at once.  [default: this host's]",
)
@click.option("--run", default="", help="Tag `run` for messages that carry none.")
@click.option("--until-empty", is_flag=True, help="End when the bus has been empty for a moment (also: SIGUSR1).")
@click.option(
    "--measured/--unmeasured",
    default=True,
    help="Record latencies and follow sequence numbers, or not (no loss is seen then): shows what that costs.",
)
@click.option(
    "--deadline",
    type=Duration(),
    default=ConsumerSettings.deadline,
    help="Longest that draining may take after SIGTERM.",
)
@health_option
@heartbeat_option
@record_option
@ending_with_any_thread()
def consume(
    configuration: str, key: str, name: str | None, until_empty: bool, record: Path | None, **options: Any
) -> None:
    """Read the bus, write to the store; prints a ledger at the end.

    SIGTERM or Ctrl-C: stop reading, write and acknowledge what was read. It ends by the deadline, and within a second
    of a second signal, whatever hangs. SIGUSR1: end once the bus is empty.

    Exit codes: 0, all that was read is stored; 1, something was left, and the last line says how much, or an error
    ended it; 2, a wrong option.
    """
    consumer = open_consumer(configuration, key, name, record, options)
    consumer.until_empty = until_empty
    reduce_garbage_collection()
    with consumer.stalls.collections():
        consumer.run()
        report = consumer.close()
    click.echo(report)
    if report.ledger.pending:
        raise click.ClickException(exit_report.left(report.ledger.pending, options["transport"]))


def open_consumer(configuration: str, key: str, name: str | None, record: Path | None, options: Any) -> Consumer:
    """A consumer from the options of `consume`, with its signals set.

    Args:
        configuration: its name, with axes switched where asked.
        key: name of the channel or stream.
        name: of the consumer in its group; None: this host's.
        record: folder for intervals and ledger; None: nothing is written.
        options: the other options, by the names of `ConsumerSettings`.

    Raises:
        SettingsError: an unknown configuration, or a value that is not allowed.
        BusError: Redis cannot be reached.
        StoreError: the store cannot be reached or refuses.
    """
    from sentinel.consumer.configurations import parse
    from sentinel.consumer.consumer import Consumer

    given = {option: value for option, value in (options | {"name": name}).items() if value is not None}
    settings = ConsumerSettings(**given)
    bus, store = BusSettings.from_env().keyed(key), StoreSettings.from_env()
    consumer = Consumer(parse(configuration), settings, bus, store, record=record)
    control(consumer, settings)
    return consumer


def reduce_garbage_collection() -> None:
    """Let the cyclic collector look less often: messages make no cycles."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def control(consumer: Consumer, settings: ConsumerSettings) -> None:
    """Let SIGTERM and SIGINT stop a consumer, a second one at once, and SIGUSR1 end it when the bus is empty."""

    def finish(*_: object) -> None:
        consumer.until_empty = True

    on_stop_signals(consumer.stop, settings.deadline, exit_report.of_consumer(consumer, settings.transport))
    signal.signal(signal.SIGUSR1, finish)
