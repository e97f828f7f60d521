"""The runs that the repository shows: `python -m sentinel.lab.readme_example RUN_ID`, or `make example RUN=<id>`.

Copies a real run of benchmark.ipynb to `runs/example/`, one with contenders to `runs/example-contenders/`, and writes
its key results between its marks in README.md; of the first the report's picture, too. No figure there is typed by
hand. memray's pages are too large for git: links to them become plain text. Of a run of live.ipynb only the live view
is kept, as a picture.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sentinel.errors import RunError
from sentinel.lab import formatting, registry
from sentinel.lab.contenders import catalog
from sentinel.lab.experiments.benchmark import EXPERIMENT
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.page import links
from sentinel.lab.report import contenders, results, terminal
from sentinel.lab.run import queries
from sentinel.lab.run.lookup import resolve
from sentinel.lab.run.run import RUNS, Run, load
from sentinel.runtime.logs import tolerate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LIVE = Path("docs/live.png")
LEFT_OUT = ("stack", "verified", "*.log", "*.bin", "notebook.ipynb")
"""Of a run's folder: logs, and what is large or of no use to a reader."""
COLUMNS = ("Offered load", "Stored p50", "Stored p99", "Capacity", "CPU per message", "Lost")
"""Of a table of contenders, so many that a page is wide enough for them."""
WIDTH, HEIGHT, LIVE_HEIGHT = 1200, 1760, 800
"""Pixels: of a report its question, answer, key results and main figure."""
VIEW = re.compile(r"<figure>.*?</figure>\s*<div.*?</div>", re.DOTALL)
"""The first figure of a page, and the table below it."""


class Example(NamedTuple):
    """A run of benchmark.ipynb that the repository keeps."""

    name: str
    """Of its folder in `runs/`, and in its marks."""
    table: Callable[[Run], str]
    """Its key results in Markdown."""
    picture: Path | None = None
    """Where the beginning of its report is kept as a picture."""

    @property
    def marks(self) -> tuple[str, str]:
        """Between which it stands in README.md."""
        return f"<!-- START {self.name} -->", f"<!-- END {self.name} -->"


def configurations(run: Run) -> str:
    """The key results in Markdown, a column a configuration, beside what SentinelStream published."""
    compared = " ÷ ".join(run.data.compared)
    heads = ["", *(queries.label(run, key) for key in queries.keys(run)), compared, "SentinelStream (Go), published"]
    return _table(heads, ([row.head, *row.cells, row.ratio, row.published] for row in results.rows(run)))


def consumers(run: Run) -> str:
    """Few of the key results in Markdown, a row a consumer: there may be many of them."""
    rows = {row.name: row for row in results.rows(run)}
    columns = [rows[name] for name in COLUMNS if name in rows]
    heads = [contenders.label(run, key) for key in queries.keys(run)]
    cells = zip(heads, *(row.cells for row in columns), strict=True)
    return _table(["Consumer", *(row.head for row in columns)], cells)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ["---", *["---:"] * (len(heads) - 1)], *rows])


BENCHMARK = Example("example", configurations, Path("docs/report.png"))
CONTENDERS = Example("example-contenders", consumers)
EXAMPLES = (BENCHMARK, CONTENDERS)


def example_of(run: Run) -> Example:
    """Which example a run may become.

    Raises:
        RunError: it is of a notebook of which README shows nothing.
    """
    if run.data.notebook != EXPERIMENT.name:
        raise RunError(f"run {run.id} is of {run.data.notebook}.ipynb: README shows runs of benchmark and live")
    return CONTENDERS if run.data.contenders else BENCHMARK


def command(run: Run) -> str:
    """The line that makes such a run: its parameters where they differ from the usual ones."""
    usual = asdict(Benchmark())
    given = {name: value for name, value in run.data.parameters.items() if value != usual.get(name)}
    if named := given.get("CONFIGURATIONS"):
        given["CONFIGURATIONS"] = ",".join(map(catalog.typed, named.split(",")))
    whole = {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in given.items()}
    return " ".join(["make benchmark", *(f"{name}={value}" for name, value in whole.items())])


def section(run: Run, example: Example) -> str:
    """What README.md shows of an example."""
    where = f"{terminal.stack_label(run)} {run.data.machine.cpu_count_logical} cores, everything on them."
    verdict, marks = " ".join(map(str, registry.answer(run))), " ".join(results.marks(run))
    sure = formatting.intervals(run.data.ratios.values())
    link = f"[`runs/{example.name}`]({RUNS / example.name})"
    told = f"Medians and {sure} of a real run, {link}, by `{command(run)}` ({where}) {verdict}"
    return "\n\n".join(filter(None, (example.table(run), marks, told)))


def replaced(text: str, new: str, example: Example) -> str:
    """The text with `new` between the example's marks.

    Raises:
        RunError: the marks are not there.
    """
    first, last = example.marks
    before, start, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not start or not end:
        raise RunError(f"README.md has no {first} … {last}: put the marks where the example belongs")
    return f"{before}{start}\n{new}\n{end}{after}"


def copy(run: Run, example: Example) -> Run:
    """The run as the example's folder in `runs/`; what is that already stays as it is."""
    target = run.root / RUNS / example.name
    if run.folder.resolve() == target.resolve():
        return run
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run.folder, target, ignore=shutil.ignore_patterns(*LEFT_OUT))
    page = target / "report.html"
    page.write_text(links.settled(page.read_text(encoding="utf-8"), lambda _: None), encoding="utf-8")
    return load(example.name, run.root)


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
    """Make a run an example; says what is new.

    Raises:
        RunError: README shows no such runs or has no marks, or there is no chromium.
    """
    if source.data.notebook == "live":
        return f"{picture_of_view(source)} is new"
    example = example_of(source)
    made = copy(source, example)
    if example.picture:
        photograph(made.report, made.root / example.picture)
    readme = made.root / "README.md"
    readme.write_text(replaced(readme.read_text(encoding="utf-8"), section(made, example), example), encoding="utf-8")
    return f"{made.folder} and its part of {readme} are new"


@click.command()
@click.argument("run")
def main(run: str) -> None:
    """Make a run, by its id or folder, one that the repository shows."""
    try:
        click.echo(shown(resolve(run)))
    except RunError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    tolerate()
    main()
