"""`python -m sentinel.lab.stack.embedded_store --data DIR --port P`, or `sentinel store`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sentinel.errors import SentinelError
from sentinel.runtime.logs import tolerate


@click.command("store")
@click.option(
    "--data", type=click.Path(path_type=Path), default="store-data", show_default=True, help="Folder of the points."
)
@click.option("--port", type=int, default=8086, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
def command(data: Path, port: int, host: str) -> None:
    """Run the embedded store: InfluxDB's write and query, as far as the lab needs them."""
    from sentinel.lab.stack.embedded_store.server import serve  # SQLite and sockets: `sentinel --help` needs neither

    serve(data, host, port)


if __name__ == "__main__":
    tolerate()
    try:
        command(prog_name="sentinel.lab.stack.embedded_store")
    except SentinelError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
