"""The example run of the repository: made from a real run, never typed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from support.synthetic import made

from sentinel.errors import RunError
from sentinel.lab import readme_example
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.notebook.variables import check
from sentinel.lab.page import links
from sentinel.lab.parameters import from_words
from sentinel.lab.run import run as runs

ROOT = Path(__file__).parents[2]


def test_table_has_a_cell_for_every_column(tmp_path: Path) -> None:
    """Every line of the Markdown table has as many cells as its head."""
    lines = readme_example.table(made(tmp_path, ["baseline", "optimised"], repeats=2, memray=True)).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) > 10


def test_the_command_of_a_run_gives_its_parameters_back(tmp_path: Path) -> None:
    """What README says was typed makes a run like the example; what is usual need not be typed."""
    run = made(tmp_path, ["baseline", "optimised"], repeats=4)
    words = readme_example.command(run).removeprefix("make benchmark ").split()
    given = check(from_words(words, Benchmark.rules()), Benchmark)
    assert run.data.parameters == asdict(given)
    assert "SEED=" not in readme_example.command(run)


def test_only_what_lies_between_the_marks_is_replaced() -> None:
    """The text before and after stays, and writing twice gives the same."""
    text = f"before\n{readme_example.START}\nold\n{readme_example.END}\nafter"
    once = readme_example.replaced(text, "new")
    assert once == f"before\n{readme_example.START}\nnew\n{readme_example.END}\nafter"
    assert once == readme_example.replaced(once, "new")


def test_missing_marks_are_an_error() -> None:
    """A page without the marks is left alone, and the message says what to do."""
    with pytest.raises(RunError, match="put the marks"):
        readme_example.replaced("nothing here", "new")


def test_links_out_of_the_copy_become_text(tmp_path: Path) -> None:
    """A page that is copied into git points at nothing that is not there, and says that it is complete."""
    run = made(tmp_path, repeats=1)
    run.save()
    run.report.write_text(f'<a href="../../profiles/{run.id}/a-table.html">a: table</a> {links.PLACE}')
    page = readme_example.copy(run).report.read_text()
    assert page == f'a: table (not beside this page) <p class="beside">{links.COMPLETE}</p>'


def test_the_live_picture_shows_the_view_alone() -> None:
    """Of a page the first figure and its table are left, with the page's look; a page without one is an error."""
    page = "<head>look</head><body><nav>n</nav><main>text<figure>f</figure>\n<div>t</div>more</main></body></html>"
    assert "<head>look</head><body><main><figure>f</figure>\n<div>t</div></main></body></html>" == readme_example.view(
        page
    )
    with pytest.raises(RunError, match="no live view"):
        readme_example.view("<body></body>")


def test_readme_shows_the_committed_example() -> None:
    """README's figures are those of runs/example, word for word."""
    run = runs.load(readme_example.NAME, ROOT)
    readme = (ROOT / "README.md").read_text()
    assert readme == readme_example.replaced(readme, readme_example.section(run))
