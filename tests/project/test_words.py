"""Words: the field's vocabulary throughout; the private words that it replaced do not come back."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

RETIRED = {
    "warden": "supervisor",
    "obituary": "exit report",
    "keeper": "supervisor helper, housekeeping thread",
    "insists?": "retry",
    "bur(y|ies|ied)": "dead-letter",
    "gathering": "read coalescing, ReadPacer",
    "untold": "unacknowledged",
    "tend(s|ed)?": "maintain",
    "flaw(s|ed)?": "validation error",
    "doubts?": "reliability warning",
    "hull": "entry frames",
    "alts": "alt text",
    "loadgen": "generator",
    "httplink": "http",
    "clerk": "template",
    "noise of the day": "run-to-run variation",
    "keeps its word": "nominal coverage",
    "lastwords|last words": "exit report",
}
"""Regular expressions of retired words, and what is said in their place (docs/architecture.md)."""

HISTORY = {"CHANGELOG.md", "sentinel/lab/profiling/stacks.py", "tests/lab/profiling/test_flames.py"}
"""Files that quote earlier names: the changelog, and the table that reads the stacks of earlier runs."""


def texts() -> list[tuple[str, str]]:
    """Every tracked text of the project with its name, this module and committed runs left out."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True).stdout
    kept = [name for name in listed.splitlines() if not name.startswith("runs/") and name not in HISTORY]
    files = [
        ROOT / name for name in kept if name.endswith((".py", ".md", ".ipynb", ".toml", ".sh", ".yml", "Makefile"))
    ]
    return [(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in files if path != Path(__file__)]


def test_retired_words_are_gone() -> None:
    """No file of the project says one of the words that the glossary retired, nor a name made of one."""
    parts = re.compile(rf"(?<![A-Za-z])({'|'.join(RETIRED)})(?![A-Za-z])", re.IGNORECASE)
    actual = [(name, match[0]) for name, text in texts() for match in parts.finditer(text)]
    assert [] == actual


PRONOUNS = {"found", "one", "said", "mine"}
"""They name nothing: a variable, parameter or function is called what it holds or does."""


def bound(tree: ast.AST) -> Iterator[str]:
    """Names that a module binds: variables, parameters, functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_nothing_is_named_by_a_pronoun() -> None:
    """No variable, parameter or function of the code or its tests is called found, one, said or mine."""
    code = [(name, text) for name, text in texts() if name.endswith(".py")]
    public = ("sentinel/operations/findings.py", "found")  # a key of `sentinel check --json`
    actual = [(name, word) for name, text in code for word in bound(ast.parse(text)) if word in PRONOUNS]
    assert [public] == actual
