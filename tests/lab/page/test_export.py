"""Export: one page that is complete in itself, says what the notebook says, and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
import re
import shlex
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from support.browser import browsed
from support.synthetic import made

from sentinel.lab.page.export import arranged, export
from sentinel.lab.page.export import page as make_page
from sentinel.lab.report import sections

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "benchmark <1> & more"
LARGEST = 3_000_000
SECTIONS = {
    "What was measured, and on what": sections.header,
    "Key results": sections.key_results,
    "How long does a message take?": sections.latency,
    "Was anything lost?": sections.ledgers,
    "Where does the <em>memory</em> go?": sections.memory,
    "Answer": sections.answer,
}
TAGS = {"What was measured, and on what": "header", "Key results": "key-results", "Answer": "answer"}


def shown(html: str) -> nbformat.NotebookNode:
    """A cell's result."""
    return new_output("execute_result", {"text/html": html, "text/plain": "<IPython.core.display.HTML object>"})


def executed(root: Path) -> Path:
    """A notebook as papermill leaves it, in the folder of its run."""
    run = made(root, repeats=1)
    run.save()
    noise = [
        new_output("stream", name="stderr", text="a warning of the kernel"),
        new_output("display_data", {"text/html": '<p><progress max="100" value="100"></progress> 100 % done</p>'}),
        new_output("display_data", {"text/html": "", "text/plain": "x"}),
    ]
    cells = [
        new_markdown_cell("# What does it cost?\n\nA link to [a place](https://example.org/) in prose, and `code`."),
        new_code_cell("WORKERS = 16", metadata={"tags": ["parameters"]}),
        new_code_cell("secret_source = measure()", outputs=noise),
    ]
    for heading, make in SECTIONS.items():
        tags = {"tags": [TAGS[heading]]} if heading in TAGS else {}
        cells.append(new_markdown_cell(f"## {heading}", metadata=tags))
        cells.append(new_code_cell("section(run)", metadata=tags, outputs=[shown(make(run).data)]))
    failed = new_output("error", ename="TrialError", evalue="a <bad> trial", traceback=["frames"])
    cells += [new_markdown_cell("## Answer"), new_code_cell("print(1)", outputs=[new_output("stream", text="said")])]
    cells.append(new_code_cell("fail()", outputs=[failed]))
    cells.append(new_code_cell("page()", metadata={"tags": ["page"]}, outputs=[shown("a link to the page")]))
    papermill = {
        "parameters": {"WORKERS": 128, "DURATION": "120s", "CONFIGURATIONS": "baseline, optimised"},
        "default_parameters": {"WORKERS": 16, "RATE": 1000.0},
        "input_path": "notebooks/benchmark.ipynb",
        "start_time": "2026-01-01T00:00:00.123456",
    }
    run.notebook.write_text(nbformat.writes(new_notebook(cells=cells, metadata={"papermill": papermill})))
    return run.notebook


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The exported page."""
    notebook = executed(tmp_path_factory.mktemp("export"))
    html = notebook.with_name("report.html")
    export(notebook, html, TITLE)
    return html


@pytest.fixture(scope="module")
def text(page: Path) -> str:
    """Its source."""
    return page.read_text(encoding="utf-8")


class Addresses(HTMLParser):
    """Collects where a page would go: attributes that load something, and links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what it points at."""
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in {"src", "href", "srcset", "data", "action", "poster", "background"}:
                self.loaded.append(value or "")


def test_nothing_is_loaded_from_anywhere(text: str) -> None:
    """Pictures and scripts are inlined; no style sheet or font is of elsewhere; the only addresses are prose."""
    actual = Addresses(text)
    assert actual.loaded
    assert all(address.startswith("data:image/") for address in actual.loaded)
    assert not {"link", "iframe", "object", "embed", "base"} & actual.tags
    assert ["https://example.org/"] == [link for link in actual.links if re.match(r"https?:|//", link)]
    style = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
    assert style
    assert not re.search(r"url\(|@import", "".join(style))


def test_the_page_forbids_itself_to_ask(text: str) -> None:
    """A content security policy holds the browser to it, whatever an output contains."""
    policy = re.search(r'http-equiv="Content-Security-Policy"', text) and re.search(
        r'content="(default-src[^"]*)"', text
    )
    assert policy
    assert policy[1].startswith("default-src 'none'; img-src data:")
    allowed = re.search(r"script-src ([^;]*);", policy[1])
    assert allowed
    assert {*allowed[1].split()} == {f"'sha256-{digest(script)}'" for script in scripts(text)}


def scripts(text: str) -> list[str]:
    """What stands between the tags of scripts."""
    return re.findall(r"<script>(.*?)</script>", text, re.DOTALL)


def digest(text: str) -> str:
    """As a policy has it."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_the_page_is_small(page: Path) -> None:
    """It can be sent by mail."""
    assert page.stat().st_size < LARGEST


def test_the_page_has_a_language_and_a_title(text: str) -> None:
    """Browsers and screen readers know what they have before them; the title is escaped."""
    assert '<html lang="en">' in text
    assert "<title>benchmark &lt;1&gt; &amp; more</title>" in text
    assert text.lstrip().startswith("<!DOCTYPE html>")
    assert 'name="viewport"' in text


def test_code_and_noise_stay_in_the_notebook(text: str) -> None:
    """Neither source nor prompts, progress, stderr or plain-text twins of HTML are on the page."""
    for word in ("secret_source", "section(run)", "<progress", "a warning of the kernel", "IPython", "In&nbsp;[", "¶"):
        assert (word, False) == (word, word in text)
    assert "said" in text
    assert not re.search(r"<section class=\"output\">\s*</section>", text)


def test_a_failed_cell_says_so_without_its_frames(text: str) -> None:
    """The error's name and words are shown, escaped."""
    assert "This cell failed: TrialError: a &lt;bad&gt; trial" in text
    assert "frames" not in text


def test_navigation_leads_to_every_section(text: str) -> None:
    """Each h2 has an anchor of its own, in order, and the navigation has a link to each."""
    actual = Addresses(text)
    links = [link[1:] for link in actual.links if link.startswith("#")]
    assert len(SECTIONS) + 3 == len(links) == len(set(links))
    assert links == [name for name in actual.ids if name in links]
    first = ["answer", "how-far-can-it-be-trusted", "key-results", "what-was-measured-and-on-what"]
    assert first == links[:4]
    assert "reproduce" == links[-1]
    assert "where-does-the-memory-go" in links
    assert ["answer", "answer-7"] == [link for link in links if link.startswith("answer")]


def test_the_answer_comes_first(text: str) -> None:
    """Question, answer, what was asked, warnings, key results, what was measured, the first cell's prose, the rest."""
    first = ["<h1", 'class="answer"', "What was asked", "warning", "Offered load"]
    order = [*first, "<dt>Stack", "in prose", "How long does"]
    places = [text.index(part, text.index("<main>")) for part in order]
    assert sorted(places) == places
    assert "a link to the page" not in text


def test_the_notebook_keeps_its_own_order() -> None:
    """Arranging takes cells and gives others in the page's order; a notebook without tags stays as it is."""
    cells = [new_markdown_cell(text) for text in ("# Why?\n\nSince.", "## A", "## B")]
    assert ["# Why?", "Since.", "## A", "## B"] == [cell.source for cell in arranged(cells)]
    cells[2].metadata["tags"] = ["answer"]
    cells.append(new_code_cell("answer()", metadata={"tags": ["answer"]}))
    assert ["# Why?", "## B", "answer()", "Since.", "## A"] == [cell.source for cell in arranged(cells)]
    assert ["# Why?", "Since.", "## A"] == [cell.source for cell in arranged(cells[:3])]  # no answer: no heading either


def test_a_node_and_its_file_make_the_same_page(page: Path, text: str) -> None:
    """A notebook need not be a file: a page is made of its node, which stays as it is."""
    node = nbformat.read(page.with_name("notebook.ipynb"), 4)
    before = nbformat.writes(node)
    assert text == make_page(node, TITLE, page.parent)
    assert before == nbformat.writes(node)


def test_the_footer_tells_how_the_page_was_made(page: Path, text: str) -> None:
    """The command with what was given, as usual or not; the time; and how to recompute it all."""
    footer = text[text.index("<footer>") :]
    assert "sentinel run benchmark" in footer
    assert {"WORKERS=128", "DURATION=120s", "'CONFIGURATIONS=baseline, optimised'"} <= set(
        re.findall(r"'[A-Z]+=[^']+'|[A-Z]+=[^ <']+", footer)
    )
    whole = re.search(r"<details>.*?<code>(.*?)</code>", footer, re.DOTALL)
    assert whole
    given = {"WORKERS=128", "RATE=1000", "DURATION=120s", "CONFIGURATIONS=baseline, optimised"}
    assert {"sentinel", "run", "benchmark", *given} == {*shlex.split(whole[1])}
    assert "2026-01-01 00:00 UTC" in footer
    assert f"sentinel report {page.parent.name}" in footer
    assert f"runs/{page.parent.name}" in footer


def test_a_notebook_of_no_run_gets_a_page_too(tmp_path: Path) -> None:
    """Without papermill's notes or a record beside it, the footer claims neither."""
    notebook = tmp_path / "any.ipynb"
    notebook.write_text(nbformat.writes(new_notebook(cells=[new_markdown_cell("# Only prose")])))
    export(notebook, tmp_path / "any.html", "any")
    text = (tmp_path / "any.html").read_text()
    assert "Only prose" in text
    assert "Made by" not in text
    assert "recomputed" not in text
    assert '<nav aria-label="Sections"></nav>' in text


def test_exporting_again_gives_the_same_page(page: Path, text: str) -> None:
    """A page depends on its notebook alone, and the notebook is not touched."""
    before = (page.parent / "notebook.ipynb").read_bytes()
    again = page.with_name("again.html")
    export(page.parent / "notebook.ipynb", again, TITLE)
    assert text == again.read_text()
    assert before == (page.parent / "notebook.ipynb").read_bytes()


# -- in a browser ----------------------------------------------------------------------------------------------------


def test_a_browser_has_nothing_to_complain_about(page: Path, tmp_path: Path) -> None:
    """Chromium shows the page without one message on its console, and all pictures are there."""
    dom, console = browsed(page, tmp_path)
    assert [] == console
    assert "What does it cost?" in dom
    assert page.read_text(encoding="utf-8").count("<img ") == dom.count("<img ")


def test_a_browser_reports_what_a_page_asks_for(page: Path, tmp_path: Path) -> None:
    """The test above can fail: a picture from elsewhere is refused by the page's policy, which the console shows."""
    worse = page.with_name("worse.html")
    worse.write_text(
        page.read_text(encoding="utf-8").replace("</main>", '<img alt="" src="https://example.org/x.png"></main>')
    )
    _, console = browsed(worse, tmp_path)
    assert any("Content Security Policy" in line for line in console)
