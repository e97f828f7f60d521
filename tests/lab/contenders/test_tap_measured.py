"""The command that measures the tap: it runs, and keeps what it saw on a page with command, machine and date."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The module of the benchmarks' folder, which is no package, with a page of this test's own."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    module = importlib.import_module("tap")
    monkeypatch.setattr(module, "PAGE", tmp_path / "page.md")
    yield module
    sys.modules.pop("tap")


SMALL = {
    "cost": ["--messages", "2000"],
    "agreement": ["--rate", "500", "--duration", "1"],
}


@pytest.mark.parametrize("what", SMALL)
def test_what_it_measures_is_kept_as_it_was_printed(
    what: str, tap: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each of both commands comes to its figures, and writes them beside the line that was typed."""
    words = [what, "--stack", "embedded", "--repeats", "1", *SMALL[what]]
    monkeypatch.setattr(sys, "argv", ["tap.py", *words, "--write"])
    assert tap.main() in (0, 1)
    page, printed = tap.PAGE.read_text(), capsys.readouterr().out
    assert f"\n## {what}\n" in page
    assert f"python benchmarks/tap.py {' '.join(words)}\n" in page
    told = page.split("```")[-2]
    assert told.strip() in printed


def test_a_part_is_replaced_and_the_other_stays(tap: Any) -> None:
    """Measured again, a part of the page stands there once, with the new figures."""
    page = tap.written("", "cost", tap.part("cost", ["cost"], "native stack: x.", ["1"]))
    page = tap.written(page, "agreement", tap.part("agreement", ["agreement"], "native stack: x.", ["2"]))
    once = tap.written(page, "cost", tap.part("cost", ["cost"], "native stack: x.", ["3"]))
    assert page.startswith(tap.TITLE)
    assert ["agreement", "cost"] == [part.partition("\n")[0] for part in once.split("\n## ")[1:]]
    assert ("\n1\n" in page, "\n1\n" in once, "\n2\n" in once, "\n3\n" in once) == (True, False, True, True)
    assert once == tap.written(once, "cost", once[once.index("## cost") :])
