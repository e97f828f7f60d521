"""`sentinel agent`: the options of the agent, and its signals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sentinel.options import Duration, health_option, heartbeat_option, key_option, record_option, transport_option
from sentinel.runtime import exit_report
from sentinel.runtime.signals import on_stop_signals
from sentinel.runtime.stop import StopSignal
from sentinel.runtime.unexpected import ending_with_any_thread
from sentinel.settings import AgentSettings, BusSettings

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
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
