"""The laboratory's commands, all in `COMMANDS`, where the command line finds them by an entry point."""

from __future__ import annotations

import shutil
import signal
import tempfile
import threading
from pathlib import Path

import click

from sentinel.lab.commands.compare import compare
from sentinel.lab.commands.export import export
from sentinel.lab.commands.notebook import run
from sentinel.lab.index.command import index, runs
from sentinel.lab.process.supervisor import Supervisor
from sentinel.lab.stack import KINDS, choose, start
from sentinel.lab.stack.embedded_store.__main__ import command as store
from sentinel.options import Duration
from sentinel.runtime.signals import STOP_SIGNALS
from sentinel.settings import CODEC_NAMES, LoadSettings


@click.command()
@click.argument("run")
@click.option("--force", is_flag=True, help="Also replace a page beside a notebook that was made by something else.")
def report(run: str, force: bool) -> None:
    """Make the page of a run, or of any executed notebook, anew.

    RUN is a run's id, its folder (also a copy elsewhere), a file in there, or a path to a notebook.
    """
    from sentinel.lab.run import lookup

    click.echo(lookup.report(run, force=force))


@click.command()
@click.argument("run")
@click.option("--output", type=click.Path(path_type=Path), default=None, help="The zip.  [default: <run id>.zip here]")
def bundle(run: str, output: Path | None) -> None:
    """Pack a run into one zip to pass on: page, record, trials and profiles, with links that work anywhere."""
    from sentinel.lab.page import bundle as packing
    from sentinel.lab.run import run as records

    click.echo(packing.bundle(records.load(run), output))


@click.command()
@click.option("--stack", "kind", type=click.Choice(KINDS), default="auto", show_default=True, help="Kind of stack.")
@click.option(
    "--directory", type=click.Path(path_type=Path), default=None, help="Folder for data and logs.  [default: temporary]"
)
def stack(kind: str, directory: Path | None) -> None:
    """Start a bus and a store for work by hand; they end with this command (Ctrl-C)."""
    stop = threading.Event()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    with (
        tempfile.TemporaryDirectory() as temporary,
        Supervisor() as supervisor,
        start(kind, directory or Path(temporary), supervisor) as started,
    ):
        click.echo(f"# {started.label}")
        token = f" INFLUX_TOKEN={started.store.token}" if started.store.token else ""
        click.echo(f"export REDIS_URL={started.bus.url} INFLUX_URL={started.store.url}")
        click.echo(f"export INFLUX_ORG={started.store.org} INFLUX_BUCKET={started.store.bucket}{token}")
        click.echo("# ready; Ctrl-C ends it", err=True)
        stop.wait()


@click.command()
@click.option("--stack", "kind", type=click.Choice(KINDS), default="auto", show_default=True, help="Kind of stack.")
@click.option("--codec", type=click.Choice(CODEC_NAMES), default="json", show_default=True, help="Of the messages.")
@click.option(
    "--seconds", type=Duration(), default="800ms", show_default=True, help="Roughly how long each measurement takes."
)
@click.option("--repeats", type=click.IntRange(min=1), default=3, show_default=True, help="Of each measurement.")
def limits(kind: str, codec: str, seconds: float, repeats: int) -> None:
    """Measure what Redis alone and the store alone can do on this machine, and how steady it is.

    Medians with their ranges, the measuring client included. What a consumer reaches is a share of the lowest of them.
    """
    from tqdm import tqdm

    from sentinel.lab.limits.measurement import measure, steps
    from sentinel.lab.machine import jitter
    from sentinel.lab.report import terminal
    from sentinel.lab.run import run as records

    kind, _ = choose(kind)
    own = jitter.measure(seconds * repeats)
    with (
        tempfile.TemporaryDirectory() as temporary,
        Supervisor() as supervisor,
        start(kind, Path(temporary), supervisor) as started,
        tqdm(total=steps(repeats), desc="limits", leave=False, disable=None) as bar,
    ):

        def note(name: str) -> None:
            bar.set_description_str(name, refresh=False)
            bar.update()

        run, message = records.new_id("limits"), LoadSettings(codec=codec)
        measured = measure(started, run, message=message, seconds=seconds, repeats=repeats, note=note)
    click.echo(terminal.limits_table(measured, started.label, own))


@click.command("bench-check")
@click.option(
    "--gate",
    "path",
    type=click.Path(path_type=Path),
    default=None,
    help="Parameters and budgets.  [default: sentinel/lab/experiments/bench_check/gate.toml]",
)
@click.pass_context
def bench_check(context: click.Context, path: Path | None) -> None:
    """Compare configurations briefly and exit 1 if a committed bound is broken: ratios and bytes, never a speed.

    Takes about a minute. The trials are kept in runs/<id>/ and profiles/<id>/.
    """
    from sentinel.lab.budgets import answer
    from sentinel.lab.budgets.judgement import judged
    from sentinel.lab.experiments.bench_check import gate, trials
    from sentinel.lab.experiments.bench_check.noise import noise

    pinned = gate.load(path or gate.COMMITTED)
    done = trials.measure(pinned)
    held = judged(pinned.bounds, done.data.trials)
    click.echo(answer.table(held, noise(done.data.trials), done.data.warnings))
    click.echo(f"\nrecord:   {done.folder}\nprofiles: {done.profiles}")
    context.exit(0 if held.passes else 1)


@click.command()
@click.argument("path")
@click.option("--stack", "kind", type=click.Choice(KINDS), default="auto", show_default=True, help="Kind of stack.")
def verify(path: str, kind: str) -> None:
    """Try what a contender promises, in under a minute: `sentinel verify contenders/mine`.

    PATH is its folder, or its name in contenders/. Prints ✓, ✗ or ~ (not kept, as it says itself) for each promise with
    the first difference, and exits 1 where one is broken. Logs and records of it are kept where one is.
    """
    from sentinel.lab.contenders import catalog, program
    from sentinel.lab.contenders.verification import checks
    from sentinel.lab.contenders.verification.verify import verify as tried

    contender = catalog.named(path)
    program.build(contender)
    kind, _ = choose(kind)
    folder = Path(tempfile.mkdtemp(prefix=f"verify-{contender.name}-"))
    with Supervisor() as supervisor, start(kind, folder, supervisor) as started:
        click.echo(f"{contender.name} on the {started.label}")
        tested = tried(contender, started, folder, supervisor, note=lambda what: click.echo(f"trying {what}", err=True))
    click.echo(checks.table(tested))
    if why := checks.failure(tested):
        raise click.ClickException(f"{contender.name} failed: {why[:500]}; its logs are in {folder}")
    shutil.rmtree(folder)


@click.command("new-contender")
@click.argument("name")
def new_contender(name: str) -> None:
    """Make contenders/NAME, a working consumer of forty lines of Python, to be changed into one of your own."""
    from sentinel.lab.contenders import catalog

    folder = catalog.made(name)
    click.echo(f"{folder}: change consume.py, or name another program in contender.toml; then")
    click.echo(f"sentinel verify {folder}\nmake benchmark CONFIGURATIONS=optimised,{folder}")


COMMANDS = {
    "bench-check": bench_check,
    "bundle": bundle,
    "export": export,
    "index": index,
    "compare": compare,
    "limits": limits,
    "new-contender": new_contender,
    "report": report,
    "run": run,
    "runs": runs,
    "stack": stack,
    "store": store,
    "verify": verify,
}
