"""`sentinel run`: execute a notebook, show what came of it, and end with the exit code that says so."""

from __future__ import annotations

import shlex
from pathlib import Path

import click


@click.command()
@click.argument("notebook")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit 1 also where the answer is a miss: a load not sustained, no rate in the SLO.",
)
@click.option("--markdown", type=click.Path(path_type=Path), help="Write a table for a pull request here (regression).")
@click.pass_context
def run(
    context: click.Context, notebook: str, parameters: tuple[str, ...], strict: bool, markdown: Path | None
) -> None:
    """Execute a notebook and make its report: `sentinel run benchmark WORKERS=128 DURATION=120s`.

    Parameters in the environment count as well (`WORKERS=128 sentinel run benchmark`), those behind the notebook more.
    Everything is kept in runs/<id>/ and profiles/<id>/. Exits 1 where a question was left without a valid trial, and
    130 where it was interrupted. `regression` exits 1 where head is worse, and 2 where it could not tell.
    """
    from sentinel.lab import registry
    from sentinel.lab.notebook import runner, variables
    from sentinel.lab.parameters import from_words
    from sentinel.lab.run import conclusion

    path = runner.find_notebook(notebook)
    rules = runner.parameter_rules(path)
    if markdown:
        registry.require_markdown(path.stem, markdown)
    if around := variables.around(rules, parameters):
        click.echo(f"from the environment: {shlex.join(around)}", err=True)
    done = runner.execute(path, from_words([*around, *parameters], rules))
    experiment = registry.experiment(done.data.notebook)
    click.echo(registry.table(done))
    if markdown and experiment.markdown:
        markdown.write_text(experiment.markdown(done), encoding="utf-8")
    click.echo(f"\nreport:   {done.report}\nrecord:   {done.folder}\nprofiles: {done.profiles}")
    if why := conclusion.unanswered(done) or (strict and experiment.missed(done)):
        raise click.ClickException(str(why))
    context.exit(experiment.exit_code(done))
