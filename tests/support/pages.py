"""Pages and sections taken apart."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from nbformat.v4 import new_output
from support.synthetic import ALL, summed

from sentinel.lab.page import export
from sentinel.lab.report import sections
from sentinel.lab.run import queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from sentinel.lab.run.run import Run
    from sentinel.lab.run.trial_record import Outcome

VOID = {"img", "input", "meta", "wbr"}


class Reader(HTMLParser):
    """Takes a page apart, and notes tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Compare with what was opened last."""
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        """Note the text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a reader sees, in one line."""
        return " ".join(" ".join(self.words).split())


def section(name: str, run: Run) -> Reader:
    """One section, taken apart; it must be well-formed."""
    reader = Reader(getattr(sections, name)(run).data)
    assert (name, []) == (name, reader.wrong)
    return reader


def verdict_of(run: Run) -> Reader:
    """The sentences of the answer, without what stands around them."""
    verdict = re.search(r'<div class="answer">(.*?)</div>', sections.answer(run).data, re.DOTALL)
    assert verdict
    return Reader(verdict[1])


def after(run: Run, change: Callable[[list[Outcome]], object], names: tuple[str, ...] = ALL) -> Run:
    """The run as it would be had its trials gone otherwise."""
    outcomes = queries.outcomes(run)
    change(outcomes)
    return summed(run, outcomes, names)


NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "benchmark.ipynb"


def page_of(run: Run) -> str:
    """The page of the tracked notebook with a run's sections."""
    notebook = nbformat.read(NOTEBOOK, 4)
    for cell in notebook.cells:
        if match := re.search(r"^report\.(\w+)\(run\)$", cell.source, re.MULTILINE):
            cell.outputs = [new_output("execute_result", {"text/html": getattr(sections, match[1])(run).data})]
    notebook.metadata["papermill"] = {"input_path": NOTEBOOK.name}
    return export.page(notebook, "a run", run.folder)
