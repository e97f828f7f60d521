"""The consumer under memray, as a program of its own.

`python -m sentinel.lab.profiling.memray_consumer --capture F --warm-up N …`

The tracker is on from the moment the warm-up's last message is stored until the last acknowledgement, so that imports,
connections and first-use caches are not charged to the messages. Python's own allocators are traced.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import memray
import msgspec

from sentinel.consumer.command import consume, open_consumer
from sentinel.errors import SentinelError
from sentinel.runtime.logs import tolerate
from sentinel.runtime.unexpected import ending_with_any_thread


@click.command(params=[*consume.params])
@click.option("--capture", type=click.Path(path_type=Path), required=True)
@click.option("--warm-up", type=int, required=True)
@ending_with_any_thread()
def main(capture: Path, warm_up: int, **options: Any) -> None:
    """Consume until the bus is empty; allocations after the warm-up go to the capture, their messages beside it."""
    named = {option: options.pop(option) for option in ("configuration", "key", "name", "record")}
    del options["until_empty"]
    consumer = open_consumer(**named, options=options)
    consumer.run(until=warm_up)
    consumer.flush()
    before = consumer.ledger.received
    consumer.until_empty = True
    with memray.Tracker(capture, trace_python_allocators=True):
        consumer.run()
        consumer.flush()
    report = consumer.close()
    capture.with_suffix(".json").write_bytes(msgspec.json.encode({"messages": report.ledger.received - before}))
    click.echo(report)


if __name__ == "__main__":
    tolerate()
    try:
        main(prog_name="sentinel.lab.profiling.memray_consumer")
    except SentinelError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
