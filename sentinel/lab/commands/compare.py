"""`sentinel compare A B`: the same as `sentinel run compare A=… B=…`."""

from __future__ import annotations

import click


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--force", is_flag=True, help="Show runs of another machine, stack or load, without a verdict.")
@click.pass_context
def compare(context: click.Context, a: str, b: str, force: bool) -> None:
    """Hold run B against run A, two runs of the same notebook: no server is started.

    Each is a run's id, its folder (also a copy of it), or a file in there. Exits 1 where they cannot be compared, or
    differ in machine, stack or load.
    """
    from sentinel.lab.commands.notebook import run

    context.invoke(run, notebook="compare", parameters=(f"A={a}", f"B={b}", f"FORCE={force}"))
