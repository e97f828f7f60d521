"""Measured figures stand in docs/measurements.md, with the command that makes them, and nowhere else in the sources."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sentinel

ROOT = Path(sentinel.__file__).parent
PAGE = ROOT.parent / "docs" / "measurements.md"
REFERENCE = re.compile(r"docs/measurements\.md:\s+([a-z-]+)")
ENTRY = re.compile(r"^## ([a-z-]+)\n\n(.+?)\n\n```sh\n(.+?)\n```$", re.MULTILINE | re.DOTALL)
FIGURE = re.compile(r"\d\s*(?:µs|us)\b")


def entries() -> dict[str, tuple[str, str]]:
    """Every entry of the page by its id: what was measured, and the commands."""
    return {name: (figures, commands) for name, figures, commands in ENTRY.findall(PAGE.read_text())}


def sources() -> dict[str, str]:
    """The text of every module."""
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.rglob("*.py"))}


def test_references_and_entries_are_the_same() -> None:
    """Every entry that a module refers to is on the page, and every entry is referred to."""
    referred = {name for text in sources().values() for name in REFERENCE.findall(text)}
    assert referred == set(entries()) == set(re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE))


def test_no_module_has_a_figure_of_its_own() -> None:
    """What takes how many microseconds is said on the page alone, beside machine, date and command."""
    assert [] == [name for name, text in sources().items() if FIGURE.search(text)]


def test_the_page_names_machine_and_date() -> None:
    """A figure without them says nothing."""
    (told,) = re.findall(r"^All entries: (.+)$", PAGE.read_text(), re.MULTILINE)
    assert re.search(r"\d+ cores\b.*\bPython \d.*\b20\d\d-\d\d-\d\d\b", told)
    assert [] == [name for name, (figures, _) in entries().items() if not re.search(r"\d (?:µs|ms|s|MiB)\b", figures)]


@pytest.mark.parametrize("name", entries())
def test_the_commands_run(name: str) -> None:
    """The commands of an entry still name what there is."""
    once = entries()[name][1].replace("timeit -p -r 15", "timeit -r 1 -n 1")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", once], capture_output=True, encoding="utf-8", check=False, env={**os.environ, "PATH": path}
    )
    assert (0, "") == (done.returncode, done.stderr)
