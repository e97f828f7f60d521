"""What is asked of all runs at once: `sentinel runs` lists them, `sentinel index` writes their page anew."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
def runs(as_json: bool) -> None:
    """List the runs, oldest first, with their key figures.

    The state is that of the run, or one word for what is wrong with its record. The keys of --json are described in
    runs/README.md.
    """
    from sentinel.lab.run import listing
    from sentinel.lab.run import run as records

    entries = listing.entries()
    if as_json:
        click.echo(json.dumps([entry.to_dict() for entry in entries], indent=1))
    elif not entries:
        click.echo(f"no runs in {records.project_root() / records.RUNS}: `make benchmark` makes one")
    else:
        click.echo(listing.table(entries))


@click.command()
def index() -> None:
    """Write runs/index.html anew: every run in one table, and how their key figures moved.

    Every run does so at its end; this is for runs that were copied, moved or removed since.
    """
    from sentinel.lab.index import refresh
    from sentinel.lab.run import run as records

    click.echo(refresh.write(records.project_root()))
