"""`sentinel load`: the options of the load generator, and its signals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from sentinel.options import Duration, key_option, record_option, transport_option
from sentinel.runtime import exit_report
from sentinel.runtime.signals import on_stop_signals
from sentinel.runtime.stop import StopSignal
from sentinel.runtime.unexpected import ending_with_any_thread
from sentinel.settings import (
    CODEC_NAMES,
    LEAST_FIELDS,
    LOOPS,
    MOST_FIELDS,
    MOST_SOURCES,
    MOST_TAGS,
    BusSettings,
    LoadSettings,
)


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=LoadSettings.workers,
    help="Senders of a closed loop; and sources, each with its own sequence numbers, unless --sources says how many.",
)
@click.option("--sources", type=click.IntRange(1, MOST_SOURCES), help="Sources, where they are not as many as workers.")
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
    type=click.Choice(LOOPS),
    default="constant",
    help="Open loop (constant; poisson; bursts: a fifth of every second at five times the rate; ramp: from 0.1 to 1.9"
    " times the rate), or the original's closed one.",
)
@click.option(
    "--fields",
    type=click.IntRange(LEAST_FIELDS, MOST_FIELDS),
    default=LoadSettings.fields,
    help="Numbers in a message.",
)
@click.option("--tags", type=click.IntRange(0, MOST_TAGS), default=LoadSettings.tags, help="Tags in a message.")
@click.option("--codec", type=click.Choice(CODEC_NAMES), default="json")
@transport_option
@key_option
@click.option(
    "--connections", type=click.IntRange(min=1), default=LoadSettings.connections, help="Sockets to Redis per process."
)
@click.option("--processes", type=click.IntRange(min=1), default=1, help="Processes that share the sources.")
@click.option("--seed", type=int, default=LoadSettings.seed)
@click.option(
    "--replay",
    type=click.Path(path_type=Path),
    help="A recording to play, of its sources and in its codec, with its own spacing or, given --rate, drawn to that.",
)
@record_option
@ending_with_any_thread()
@click.pass_context
def load(
    context: click.Context, /, key: str, processes: int, replay: Path | None, record: Path | None, **options: Any
) -> None:
    """Play many sources against the bus; prints a ledger, the rate and the send delay.

    SIGTERM or Ctrl-C: send no more, wait up to 5 s for Redis's answers, and exit 0. A second one: end within a second.
    Exit 1: something hung past that.
    """
    from sentinel.load.processes import LAST_ANSWERS, run_load
    from sentinel.load.replay import own_rate

    stop = StopSignal()
    on_stop_signals(stop, LAST_ANSWERS, exit_report.of_sender)
    if replay is not None:
        options["replay"] = str(replay)
        if not options["count"] and context.get_parameter_source("rate") is ParameterSource.DEFAULT:
            options["rate"] = own_rate(replay)
    settings = LoadSettings(**options | {"sources": options["sources"] or 0})
    bus = BusSettings.from_env().keyed(key)
    click.echo(run_load(settings, bus, processes=processes, record=record, stop=stop))
