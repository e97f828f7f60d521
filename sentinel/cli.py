"""The command line: click's table of commands, and the one place that catches SentinelError.

Each program has its command in its own package. The laboratory's commands come in through the entry point group
`sentinel.commands`, so that the pipeline never imports the lab; where the lab's libraries are missing, they are listed
with what to install.
"""

from __future__ import annotations

import logging
import sys
from importlib.metadata import entry_points

import click

from sentinel import __version__
from sentinel.agent.command import agent
from sentinel.consumer.command import consume
from sentinel.environment import limit_numpy_threads
from sentinel.errors import SentinelError
from sentinel.load.command import load
from sentinel.operations.check import check
from sentinel.operations.dead_letters import dead_letters
from sentinel.recording.command import record
from sentinel.runtime.logs import PrintableFormatter, printable, tolerate
from sentinel.runtime.unexpected import EXIT_CODE, described


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


for command in (agent, check, consume, dead_letters, load, record):
    cli.add_command(command)


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
