"""What a page with charts carries: uPlot as it was published, one script that can stand within it, nothing else."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from sentinel.lab import interactive
from sentinel.lab.interactive.chart import Chart, embedded
from sentinel.lab.interactive.page_charts import needed, script, style
from sentinel.lab.page.scripts import scripts

PUBLISHED = {
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""sha256 of the files of uPlot 1.6.32."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_uplot_is_as_it_was_published(name: str) -> None:
    """Every file of the library is that of the version that its README names, byte for byte, and in the package."""
    file = files(interactive) / "uplot" / name
    assert PUBLISHED[name] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "1.6.32" in (files(interactive) / "uplot" / "README.md").read_text(encoding="utf-8")


def test_a_page_without_charts_gets_no_script_of_theirs() -> None:
    """The script comes with a chart's data, once and behind those of every page, and with nothing else."""
    assert needed(f"<figure>{embedded(Chart([]))}</figure>")
    assert not needed("<figure><script></script></figure>")
    others = scripts(charts=False)
    assert script() not in others
    assert [*others, script()] == scripts(charts=True)


def test_scripts_can_stand_within_a_page() -> None:
    """Nothing in them ends the element, opens a comment in it, or looks like a link or a heading to the exporter."""
    assert not re.search(r"</script|<!--|<a href|<h2|</nav>|</body>|</head>", script(), re.IGNORECASE)
    assert not re.search(r"https?://(?!github\.com/leeoniya/uPlot)", script())
    assert not re.search(r"url\(|@import|</style", style())
