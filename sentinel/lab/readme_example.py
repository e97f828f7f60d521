"""The runs that the repository shows: `python -m sentinel.lab.readme_example RUN_ID`, or `make example RUN=<id>`.

Copies a real run to `runs/example/`, takes its report's picture, and writes its key results between the marks in
README.md. No figure there is typed by hand. memray's pages are too large for git: links to them become plain text.
Of a run of live.ipynb only the live view is kept, as a picture.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sentinel.errors import RunError
from sentinel.lab import formatting, registry
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.page import links
from sentinel.lab.report import results, terminal
from sentinel.lab.run import queries
from sentinel.lab.run.lookup import resolve
from sentinel.lab.run.run import RUNS, Run, load
from sentinel.runtime.logs import tolerate

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "example"
PICTURE, LIVE = Path("docs/report.png"), Path("docs/live.png")
START, END = "<!-- START example -->", "<!-- END example -->"
WIDTH, HEIGHT, LIVE_HEIGHT = 1200, 1760, 800
"""Pixels: of a report its question, answer, key results and main figure."""
VIEW = re.compile(r"<figure>.*?</figure>\s*<div.*?</div>", re.DOTALL)
"""The first figure of a page, and the table below it."""


def table(run: Run) -> str:
    """The key results in Markdown."""
    compared = " ÷ ".join(run.data.compared)
    heads = ["", *(queries.label(run, key) for key in queries.keys(run)), compared, "SentinelStream (Go), published"]
    rows = [[row.head, *row.cells, row.ratio, row.published] for row in results.rows(run)]
    return "\n".join(map(_line, [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def command(run: Run) -> str:
    """The line that makes such a run: its parameters where they differ from the usual ones."""
    usual = asdict(Benchmark())
    given = {name: value for name, value in run.data.parameters.items() if value != usual.get(name)}
    whole = {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in given.items()}
    return " ".join(["make benchmark", *(f"{name}={value}" for name, value in whole.items())])


def section(run: Run) -> str:
    """What README.md shows of the example."""
    where = f"{terminal.stack_label(run)} {run.data.machine.cpu_count_logical} cores, everything on them."
    verdict = " ".join(map(str, registry.answer(run)))
    sure = formatting.intervals(run.data.ratios.values())
    return (
        f"{table(run)}\n\n"
        f"Medians and {sure} of a real run, [`runs/{NAME}`]({RUNS / NAME}), by `{command(run)}` ({where}) {verdict}"
    )


def replaced(text: str, new: str) -> str:
    """The text with `new` between the marks.

    Raises:
        RunError: the marks are not there.
    """
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise RunError(f"README.md has no {START} … {END}: put the marks where the example belongs")
    return f"{before}{start}\n{new}\n{end}{after}"


def copy(run: Run) -> Run:
    """The run as `runs/example/`, without the servers' logs."""
    target = run.root / RUNS / NAME
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run.folder, target, ignore=shutil.ignore_patterns("stack", "*.log", "*.bin", "notebook.ipynb"))
    page = target / "report.html"
    page.write_text(links.settled(page.read_text(encoding="utf-8"), lambda _: None), encoding="utf-8")
    return load(NAME, run.root)


def view(page: str) -> str:
    """The page with nothing but its first figure and the table below.

    Raises:
        RunError: there is no such figure.
    """
    if (match := VIEW.search(page)) is None:
        raise RunError("the report shows no live view: was anything watched?")
    return f"{page.partition('<nav')[0]}<main>{match[0]}</main></body></html>"


def picture_of_view(run: Run) -> Path:
    """The live view of a run as the picture that README.md shows."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "view.html"
        page.write_text(view(run.report.read_text(encoding="utf-8")), encoding="utf-8")
        photograph(page, run.root / LIVE, LIVE_HEIGHT)
    return run.root / LIVE


def photograph(page: Path, picture: Path, height: int = HEIGHT) -> None:
    """A screenshot of the page's beginning.

    Args:
        page: An HTML file.
        picture: The PNG to write.
        height: Of the picture, px.

    Raises:
        RunError: there is no chromium.
    """
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise RunError("no chromium on PATH: the picture of the report needs one")
    with tempfile.TemporaryDirectory() as profile:
        quiet = ["--disable-gpu", "--no-sandbox", "--hide-scrollbars", "--no-first-run", "--disable-sync"]
        offline = ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
        shot = [f"--window-size={WIDTH},{height}", f"--screenshot={picture.absolute()}", page.absolute().as_uri()]
        subprocess.run([browser, "--headless", *quiet, *offline, *shot], check=True, capture_output=True)


def shown(source: Run) -> str:
    """Make a run the example; says what is new.

    Raises:
        RunError: there is no chromium, or README.md has no marks.
    """
    if source.data.notebook == "live":
        return f"{picture_of_view(source)} is new"
    made = copy(source)
    photograph(made.report, made.root / PICTURE)
    readme = made.root / "README.md"
    readme.write_text(replaced(readme.read_text(encoding="utf-8"), section(made)), encoding="utf-8")
    return f"{made.folder}, {made.root / PICTURE} and the marked part of {readme} are new"


@click.command()
@click.argument("run")
def main(run: str) -> None:
    """Make a run, by its id or folder, the example of the repository."""
    try:
        click.echo(shown(resolve(run)))
    except RunError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    tolerate()
    main()
