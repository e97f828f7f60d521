"""`sentinel run`: execute a notebook, show what came of it, and end with the exit code that says so."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sentinel.lab.budgets.bound import Bound
    from sentinel.lab.run.run import Run


@click.command()
@click.argument("notebook")
@click.argument("parameters", nargs=-1, metavar="[NAME=VALUE]...")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit 1 also where the answer is a miss: a load not sustained, no rate in the SLO.",
)
@click.option("--markdown", type=click.Path(path_type=Path), help="Write a table for a pull request here (regression).")
@click.option(
    "--budgets",
    type=click.Path(path_type=Path),
    help="Hold the run to the budgets in this file: exit 1 where one breaks.",
)
@click.option(
    "--summary",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Append verdict, budgets and key table as Markdown to FILE, or to $GITHUB_STEP_SUMMARY.",
)
@click.option("--resume", "resumed", metavar="RUN", help="Go on with a run that ended early: whole rounds of it stay.")
@click.pass_context
def run(
    context: click.Context,
    *,
    notebook: str,
    parameters: tuple[str, ...],
    strict: bool,
    markdown: Path | None,
    budgets: Path | None,
    summary: str | None,
    resumed: str | None,
) -> None:
    """Execute a notebook and make its report: `sentinel run benchmark WORKERS=128 DURATION=120s`.

    Parameters in the environment count as well (`WORKERS=128 sentinel run benchmark`), those behind the notebook more.
    Everything is kept in runs/<id>/ and profiles/<id>/. Exits 1 where a question was left without a valid trial, and
    130 where it was interrupted; 1 also where a budget is broken. `regression` exits 1 where head is worse, and 2 where
    it could not tell.
    """
    from sentinel.lab import registry
    from sentinel.lab.budgets import file, requirements
    from sentinel.lab.commands import summaries
    from sentinel.lab.notebook import runner, variables
    from sentinel.lab.parameters import from_words

    path = runner.find_notebook(notebook)
    rules = runner.parameter_rules(path)
    if markdown:
        registry.require_markdown(path.stem, markdown)
    place, bounds = summaries.place(summary), file.load(budgets) if budgets else []
    if around := variables.around(rules, parameters):
        click.echo(f"from the environment: {shlex.join(around)}", err=True)
    given = from_words([*around, *parameters], rules)
    if budgets:
        requirements.require(bounds, registry.experiment(path.stem), given, budgets)
    done = runner.resume(path, given, resumed) if resumed else runner.execute(path, given)
    met, code = _told(done, bounds, place, markdown), _exit_code(done, strict)
    context.exit(code if met else 1)


def _told(done: Run, bounds: Sequence[Bound], place: Path | None, markdown: Path | None) -> bool:
    """Say and write what came of a run; returns whether all budgets are met."""
    from sentinel.lab import registry
    from sentinel.lab.budgets import answer, holding
    from sentinel.lab.commands import summaries

    click.echo(registry.table(done))
    held = holding.hold(done, bounds) if bounds else None
    if held:
        click.echo(f"\n{answer.table(held, reliability_warnings=done.data.warnings)}")
    if place:
        summaries.append(place, done)
    if markdown and (table := registry.experiment(done.data.notebook).markdown):
        markdown.write_text(table(done), encoding="utf-8")
    click.echo(f"\nreport:   {done.report}\nrecord:   {done.folder}\nprofiles: {done.profiles}")
    return held is None or held.passes


def _exit_code(done: Run, strict: bool) -> int:
    """What the experiment says; an error where a question is left unanswered, or, if strict, the answer is a miss."""
    from sentinel.lab import registry
    from sentinel.lab.run import conclusion

    experiment = registry.experiment(done.data.notebook)
    if why := conclusion.unanswered(done) or (strict and experiment.missed(done)):
        raise click.ClickException(str(why))
    return experiment.exit_code(done)
