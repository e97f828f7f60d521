"""The command line: click's table of commands, and the one place that catches SentinelError.

The laboratory's commands come in through the entry point group `sentinel.commands`, so that the pipeline never imports
the lab; where the lab's libraries are missing, they are listed with what to install.
"""

from __future__ import annotations

import gc
import logging
import signal
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

import click

from sentinel import __version__
from sentinel.errors import SentinelError
from sentinel.operations.check import check
from sentinel.operations.dead_letters import dead_letters
from sentinel.options import Duration, health_option, heartbeat_option, key_option, record_option, transport_option
from sentinel.runtime import exit_report
from sentinel.runtime.logs import PrintableFormatter, printable, tolerate
from sentinel.runtime.signals import on_stop_signals
from sentinel.runtime.stop import StopSignal
from sentinel.runtime.unexpected import EXIT_CODE, described, ending_with_any_thread
from sentinel.settings import (
    CODEC_NAMES,
    AgentSettings,
    BusSettings,
    ConsumerSettings,
    LoadSettings,
    StoreSettings,
    limit_numpy_threads,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.consumer.consumer import Consumer


class Commands(click.Group):
    """The pipeline's own commands, and those that other wings add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Click's hook."""
        return sorted({*super().list_commands(ctx), *self._added()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Click's hook."""
        return super().get_command(ctx, cmd_name) or self._added().get(cmd_name)

    def _added(self) -> dict[str, click.Command]:
        added: dict[str, click.Command] = {}
        for point in entry_points(group="sentinel.commands"):
            try:
                added |= point.load()
            except ModuleNotFoundError as error:
                added[point.name] = _missing(point.name, str(error.name))
        return added


def _missing(name: str, module: str) -> click.Command:
    @click.command(name, help=f"Needs {module}: pip install 'sentinelstream-lab[{name}]'.")
    def command() -> None:
        raise click.ClickException(f"{module} is not installed: pip install 'sentinelstream-lab[{name}]'")

    return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__, prog_name="sentinel")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def cli(verbose: bool) -> None:
    """A metrics pipeline, agent → Redis → consumer → InfluxDB, and the laboratory that measures it.

    REDIS_URL, INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET say where Redis and the store are;
    INFLUX_DURABILITY (durable, no_sync) what a write to InfluxDB 3 waits for.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler])
    logging.getLogger("Rx").setLevel(logging.WARNING)


cli.add_command(check)
cli.add_command(dead_letters)


@cli.command()
@transport_option
@key_option
@click.option("--interval", type=Duration(), default=AgentSettings.interval, help="Time between samples.")
@click.option("--count", type=click.IntRange(min=0), default=0, help="Samples to take; 0: until stopped.")
@click.option("--host", default=None, help="Name to report.  [default: this host's]")
@click.option(
    "--buffer", type=click.IntRange(min=1), default=AgentSettings.buffer, help="Samples kept while Redis is away."
)
@click.option("--host-proc", default="", metavar="DIR", help="In a container: where the host's /proc is mounted.")
@click.option(
    "--host-root", default=AgentSettings.host_root, metavar="PATH", help="Anything on the host's root file system."
)
@heartbeat_option
@health_option
@record_option
@ending_with_any_thread()
def agent(key: str, count: int, host: str | None, record: Path | None, **options: Any) -> None:
    """Sample this host and publish; prints a ledger and the agent's own cost at the end.

    SIGTERM or Ctrl-C: send what there is, within 2 s, and exit 0. A second one: end within a second. Exit 1: something
    hung past that, and the rest was not sent.
    """
    from sentinel.agent.agent import LAST_ATTEMPT, run

    settings = AgentSettings(**options | ({"host": host} if host else {}))
    stop = StopSignal()
    on_stop_signals(stop, LAST_ATTEMPT, exit_report.of_sender)
    click.echo(run(settings, BusSettings.from_env().keyed(key), count=count, stop=stop, record=record))


@cli.command()
@click.option(
    "--configuration",
    default="optimised",
    help="baseline, client-batching or optimised; axes may be switched: optimised,decode=json.loads.",
)
@transport_option
@key_option
@click.option(
    "--batch-size", type=click.IntRange(min=1), default=ConsumerSettings.batch_size, help="Most points in one write."
)
@click.option(
    "--max-age",
    type=Duration(),
    default=None,
    help="Time that a batch waits for more although the writer is free.  [default: 1ms for 9 to 99 points, else none]",
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
    consumer.run()
    report = consumer.close()
    click.echo(report)
    if report.ledger.pending:
        raise click.ClickException(exit_report.left(report.ledger.pending, options["transport"]))


def open_consumer(configuration: str, key: str, name: str | None, record: Path | None, options: Any) -> Consumer:
    """A consumer from the options of `consume`, with its signals set."""
    from sentinel.consumer.configurations import parse
    from sentinel.consumer.consumer import Consumer

    given = {option: value for option, value in (options | {"name": name}).items() if value is not None}
    settings = ConsumerSettings(**given)
    bus, store = BusSettings.from_env().keyed(key), StoreSettings.from_env()
    consumer = Consumer(parse(configuration), settings, bus, store, record=record)
    control(consumer, settings)
    return consumer


def reduce_garbage_collection() -> None:
    """Let the cyclic collector look less often: messages make no cycles (2.2 µs a message, against 2.6)."""
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def control(consumer: Consumer, settings: ConsumerSettings) -> None:
    """SIGTERM and SIGINT stop a consumer, a second one at once; SIGUSR1 lets it end when the bus is empty."""

    def finish(*_: object) -> None:
        consumer.until_empty = True

    on_stop_signals(consumer.stop, settings.deadline, exit_report.of_consumer(consumer, settings.transport))
    signal.signal(signal.SIGUSR1, finish)


@cli.command()
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=LoadSettings.workers,
    help="Sources, each with its own sequence numbers.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=LoadSettings.rate,
    help="Messages per second, all sources together.",
)
@click.option("--duration", type=Duration(), default=LoadSettings.duration, help="Length of the schedule.")
@click.option(
    "--count", type=click.IntRange(min=0), default=0, help="Send so many as fast as Redis takes them instead."
)
@click.option(
    "--loop",
    type=click.Choice(["constant", "poisson", "closed"]),
    default="constant",
    help="Open loop (constant, poisson), or the original's closed one.",
)
@click.option("--codec", type=click.Choice(CODEC_NAMES), default="json")
@transport_option
@key_option
@click.option(
    "--connections", type=click.IntRange(min=1), default=LoadSettings.connections, help="Sockets to Redis per process."
)
@click.option("--processes", type=click.IntRange(min=1), default=1, help="Processes that share the sources.")
@click.option("--seed", type=int, default=LoadSettings.seed)
@record_option
@ending_with_any_thread()
def load(key: str, processes: int, record: Path | None, **options: Any) -> None:
    """Play many sources against the bus; prints a ledger, the rate and the send delay.

    SIGTERM or Ctrl-C: send no more, wait up to 5 s for Redis's answers, and exit 0. A second one: end within a second.
    Exit 1: something hung past that.
    """
    from sentinel.load.processes import LAST_ANSWERS, run_load

    stop = StopSignal()
    on_stop_signals(stop, LAST_ANSWERS, exit_report.of_sender)
    settings = LoadSettings(**options)
    bus = BusSettings.from_env().keyed(key)
    click.echo(run_load(settings, bus, processes=processes, record=record, stop=stop))


def main() -> None:
    """Run a command; an error that a user can act on is one line on stderr and exit code 1 (2: a wrong option)."""
    limit_numpy_threads()
    tolerate()
    try:
        sys.exit(cli(prog_name="sentinel", standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sentinel"
        click.echo(f"error: {error.format_message()} ({command} --help says what is possible)", err=True)
        sys.exit(error.exit_code)
    except (SentinelError, click.ClickException) as error:
        click.echo(printable(f"error: {error}", keep="\n\t"), err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    except Exception as error:
        logging.getLogger(__name__).debug("unexpected", exc_info=error)
        click.echo(f"error: {described(error)}", err=True)
        sys.exit(EXIT_CODE)
