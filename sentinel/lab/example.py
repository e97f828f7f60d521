"""The runs that the repository shows: `python -m sentinel.lab.example RUN_ID`, or `make example RUN=<id>`.

Copies a real run to `runs/example/`, takes its report's picture, and writes its key results between the marks in
README.md. No figure there is typed by hand. memray's pages are too large for git: links to them become plain text.
Of a run of live.ipynb only the live view is kept, as a picture.
"""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sentinel.errors import RunError
from sentinel.lab import compare, results, views
from sentinel.lab.parameters import Benchmark
from sentinel.lab.runs import RUNS, Run, load

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "example"
PICTURE, FIGURE, LIVE = Path("docs/report.png"), Path("docs/latency.svg"), Path("docs/live.png")
START, END = "<!-- START example -->", "<!-- END example -->"
WIDTH, HEIGHT, LIVE_HEIGHT = 1200, 1560, 800
VIEW = re.compile(r"<figure>.*?</figure>\s*<div.*?</div>", re.DOTALL)
"""The first figure of a page, and the table below it."""


def table(run: Run) -> str:
    """The key results in Markdown."""
    heads = ["", "SentinelStream (Go), published", *(views.label(run, key) for key in views.keys(run))]
    compared = " ÷ ".join(run.data["compared"])
    rows = [[row.head, row.published, *row.cells, row.ratio] for row in results.rows(run)]
    return "\n".join(map(_line, [[*heads, compared], ["---", *["---:"] * len(heads)], *rows]))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def command(run: Run) -> str:
    """The line that makes such a run: its parameters where they differ from the usual ones."""
    usual = asdict(Benchmark())
    given = {name: value for name, value in run.data["parameters"].items() if value != usual.get(name)}
    return " ".join(["make benchmark", *(f"{name}={value}" for name, value in given.items())])


def section(run: Run) -> str:
    """What README.md shows of the example."""
    machine = run.data["machine"]
    where = f"{run.data['stack']['label']} {machine['cpu_count_logical']} cores, everything on them."
    verdict = " ".join(run.data["verdict"])
    sure = compare.intervals(run.data["parameters"]["REPEATS"])
    return (
        f"[![Latency by percentile, of the example run]({FIGURE})]({RUNS / NAME / 'report.html'})\n\n"
        f"{table(run)}\n\n"
        f"Medians and {sure} of a real run, [`runs/{NAME}`]({RUNS / NAME}), by `{command(run)}` ({where}) {verdict}\n\n"
        f"The page that a run leaves: [a picture of its beginning]({PICTURE}),"
        f" or open [`report.html`]({RUNS / NAME / 'report.html'}) from a checkout."
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


def unlinked(page: str) -> str:
    """The page without links to memray's pages, which are not in git."""
    return re.sub(r'<a href="\.\./\.\./profiles/[^"]*">(.*?)</a>', r"\1 (not in git)", page)


def copy(run: Run) -> Run:
    """The run as `runs/example/`, without the servers' logs."""
    target = run.root / RUNS / NAME
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run.folder, target, ignore=shutil.ignore_patterns("stack", "*.log", "*.bin", "notebook.ipynb"))
    (target / "report.html").write_text(unlinked((target / "report.html").read_text()))
    return load(NAME, run.root)


def draw(page: str, figure: Path) -> None:
    """The page's first figure, as a file of its own.

    Raises:
        RunError: the page shows no figure as SVG.
    """
    found = re.search(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", page)
    if found is None:
        raise RunError("the report shows no SVG figure: was any latency trial valid?")
    figure.parent.mkdir(exist_ok=True)
    figure.write_bytes(base64.b64decode(found[1]))


def view(page: str) -> str:
    """The page with nothing but its first figure and the table below.

    Raises:
        RunError: there is no such figure.
    """
    if (found := VIEW.search(page)) is None:
        raise RunError("the report shows no live view: was anything watched?")
    return f"{page.partition('<nav')[0]}<main>{found[0]}</main></body></html>"


def picture_of_view(run: Run) -> Path:
    """The live view of a run as the picture that README.md shows."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "view.html"
        page.write_text(view(run.report.read_text()))
        photograph(page, run.root / LIVE, LIVE_HEIGHT)
    return run.root / LIVE


def photograph(page: Path, picture: Path, height: int = HEIGHT) -> None:
    """A screenshot of the page's beginning.

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


@click.command()
@click.argument("run_id")
def main(run_id: str) -> None:
    """Make a run the example of the repository."""
    source = load(run_id)
    if source.data["notebook"] == "live":
        click.echo(f"{picture_of_view(source)} is new")
        return
    run = copy(source)
    draw(run.report.read_text(), run.root / FIGURE)
    photograph(run.report, run.root / PICTURE)
    readme = run.root / "README.md"
    readme.write_text(replaced(readme.read_text(), section(run)))
    click.echo(f"{run.folder}, {run.root / PICTURE} and the marked part of {readme} are new")


if __name__ == "__main__":
    main()
