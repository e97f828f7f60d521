"""The example run of the repository: made from a real run, never typed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
from support.contested import contested
from support.synthetic import made

from sentinel.errors import RunError
from sentinel.lab import readme_example
from sentinel.lab.experiments.benchmark.parameters import Benchmark
from sentinel.lab.notebook.variables import check
from sentinel.lab.page import links
from sentinel.lab.parameters import from_words
from sentinel.lab.readme_example import BENCHMARK, CONTENDERS, EXAMPLES, Example
from sentinel.lab.run import run as runs

ROOT = Path(__file__).parents[2]


def test_table_has_a_cell_for_every_column(tmp_path: Path) -> None:
    """Every line of the Markdown table has as many cells as its head."""
    run = made(tmp_path, ["baseline", "optimised"], repeats=2, memray=True)
    lines = readme_example.configurations(run).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) > 10


def test_contenders_have_a_row_each(tmp_path: Path) -> None:
    """However many they are, the table is as wide as a page; who relaxes a promise has a mark, explained below."""
    run = contested(tmp_path)
    text = readme_example.section(run, CONTENDERS)
    head, rule, *rows = text.partition("\n\n")[0].splitlines()
    assert {len(readme_example.COLUMNS) + 2} == {line.count("|") for line in (head, rule, *rows)}
    assert ["| baseline |", "| optimised\N{NO-BREAK SPACE}~ |", "| optimised at 25,000 msg/s\N{NO-BREAK SPACE}~ |"] == [
        row[: row.index("|", 1) + 1] for row in rows
    ]
    assert "~ optimised says that it stops at poison messages" in text


def test_a_run_with_contenders_is_the_other_example(tmp_path: Path) -> None:
    """Which example a run becomes follows from its record; of a notebook without one it is an error."""
    assert BENCHMARK == readme_example.example_of(made(tmp_path / "a", repeats=1))
    run = contested(tmp_path / "b")
    assert CONTENDERS == readme_example.example_of(run)
    run.data.notebook = "sweep"
    with pytest.raises(RunError, match=r"is of sweep\.ipynb: README shows runs of benchmark and live"):
        readme_example.example_of(run)


def test_contenders_are_shown_without_a_browser(tmp_path: Path) -> None:
    """Folder and table are made anew; neither picture nor the other example's part of README changes."""
    run = contested(tmp_path)
    run.save()
    run.report.write_text(f"page {links.PLACE}")
    (run.folder / "verified" / "optimised").mkdir(parents=True)
    parts = [f"{example.marks[0]}\nold\n{example.marks[1]}\n" for example in EXAMPLES]
    (tmp_path / "README.md").write_text("".join(parts))
    readme_example.shown(run)
    readme = (tmp_path / "README.md").read_text()
    copied = runs.load(CONTENDERS.name, tmp_path)
    assert readme == readme_example.replaced("".join(parts), readme_example.section(copied, CONTENDERS), CONTENDERS)
    assert readme.startswith(parts[0])
    assert not (tmp_path / "docs").exists()
    assert not (copied.folder / "verified").exists()
    readme_example.shown(copied)  # once more, of the example itself
    assert readme == (tmp_path / "README.md").read_text()
    assert copied.report.exists()


def test_the_command_of_a_run_gives_its_parameters_back(tmp_path: Path) -> None:
    """What README says was typed makes a run like the example; what is usual need not be typed."""
    run = made(tmp_path, ["baseline", "optimised"], repeats=4)
    words = readme_example.command(run).removeprefix("make benchmark ").split()
    given = check(from_words(words, Benchmark.rules()), Benchmark)
    assert run.data.parameters == asdict(given)
    assert "SEED=" not in readme_example.command(run)


def test_the_command_of_a_run_names_contenders_as_one_types_them(tmp_path: Path) -> None:
    """Their folders alone, which give the record's words back."""
    run = made(tmp_path, repeats=1)
    run.data.parameters["CONFIGURATIONS"] = "baseline,threads@contenders/threads,optimised"
    assert "CONFIGURATIONS=baseline,contenders/threads,optimised" in readme_example.command(run).split()


def test_only_what_lies_between_the_marks_is_replaced() -> None:
    """The text before and after stays, and writing twice gives the same."""
    first, last = BENCHMARK.marks
    text = f"before\n{first}\nold\n{last}\nafter"
    once = readme_example.replaced(text, "new", BENCHMARK)
    assert once == f"before\n{first}\nnew\n{last}\nafter"
    assert once == readme_example.replaced(once, "new", BENCHMARK)


def test_missing_marks_are_an_error() -> None:
    """A page without the marks is left alone, and the message says what to do."""
    with pytest.raises(RunError, match="put the marks"):
        readme_example.replaced("nothing here", "new", CONTENDERS)


def test_links_out_of_the_copy_become_text(tmp_path: Path) -> None:
    """A page that is copied into git points at nothing that is not there, and says that it is complete."""
    run = made(tmp_path, repeats=1)
    run.save()
    run.report.write_text(f'<a href="../../profiles/{run.id}/a-table.html">a: table</a> {links.PLACE}')
    page = readme_example.copy(run, BENCHMARK).report.read_text()
    assert page == f'a: table (not beside this page) <p class="beside">{links.COMPLETE}</p>'


def test_the_live_picture_shows_the_view_alone() -> None:
    """Of a page the first figure and its table are left, with the page's look; a page without one is an error."""
    page = "<head>look</head><body><nav>n</nav><main>text<figure>f</figure>\n<div>t</div>more</main></body></html>"
    assert "<head>look</head><body><main><figure>f</figure>\n<div>t</div></main></body></html>" == readme_example.view(
        page
    )
    with pytest.raises(RunError, match="no live view"):
        readme_example.view("<body></body>")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_readme_shows_the_committed_examples(example: Example) -> None:
    """README's figures are those of the examples' records, word for word; without an example there is no figure."""
    readme, text = (ROOT / "README.md").read_text(), ""
    if (ROOT / runs.RUNS / example.name).exists():
        text = readme_example.section(runs.load(example.name, ROOT), example)
    assert readme == readme_example.replaced(readme, text, example)
