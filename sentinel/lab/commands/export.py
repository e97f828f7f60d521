"""`sentinel export`: runs in the formats of other programs."""

from __future__ import annotations

from pathlib import Path

import click

from sentinel.lab.exports.formats import FORMATS


def _listed() -> str:
    """Every format with what it is, as click's help shows it."""
    width = max(map(len, FORMATS))
    return "\b\n" + "\n".join(f"{name:{width}}  {form.about}" for name, form in FORMATS.items())


@click.command(epilog=_listed())
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--as", "form", type=click.Choice(list(FORMATS)), required=True, help="The format.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=None,
    help="The file, or the folder where there are several.  [default: a text is printed; else the current folder]",
)
def export(runs: tuple[str, ...], form: str, output: Path | None) -> None:
    """Write runs in the format of another program: `sentinel export RUN --as benchstat > old.txt`.

    RUN is a run's id, its folder (also a copy elsewhere), or a file in there; several go into one table. What is there
    already is not overwritten.
    """
    from sentinel.lab.exports.formats import export as exported
    from sentinel.lab.run import lookup

    for text in exported([lookup.resolve(run) for run in runs], form, output):
        click.echo(text, nl=not text.endswith("\n"))
