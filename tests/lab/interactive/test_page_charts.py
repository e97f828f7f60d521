"""What a page with charts carries: uPlot as it was published, one script that its own policy allows, nothing else."""

from __future__ import annotations

import hashlib
import re
from importlib.resources import files

import pytest

from sentinel.lab import interactive
from sentinel.lab.interactive import page_charts
from sentinel.lab.interactive.chart import DATA
from sentinel.lab.interactive.page_charts import allowing, checksum, enlivened, script

PUBLISHED = {
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
"""sha256 of the files of uPlot 1.6.32."""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
PAGE = (
    f'<html><head><meta content="{POLICY}" http-equiv="Content-Security-Policy"></head>'
    f"<body><figure>{DATA}{{}}</script></figure></body></html>"
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_uplot_is_as_it_was_published(name: str) -> None:
    """Every file of the library is that of the version that its README names, byte for byte, and in the package."""
    file = files(interactive) / "uplot" / name
    assert PUBLISHED[name] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert "1.6.32" in (files(interactive) / "uplot" / "README.md").read_text(encoding="utf-8")


def test_a_page_without_charts_stays_as_it_is() -> None:
    """It gets no script, and its policy allows none."""
    page = PAGE.replace(DATA, "<script>")
    assert page == enlivened(page)


def test_a_page_with_charts_allows_its_script_alone() -> None:
    """The script stands there once, whole, and the policy names its checksum and nothing besides."""
    page = enlivened(PAGE)
    (inside,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert script() == inside
    policy = f"{POLICY}; script-src {checksum(inside)}"
    assert f'content="{policy}"' in page
    assert page.count("</style>") == 1
    assert page.endswith("</body></html>")


def test_scripts_of_others_stay_allowed() -> None:
    """A policy that allows scripts already allows ours besides; one that allows all of the page's own stays."""
    assert allowing("script-src 'sha256-x'; base-uri 'none'", "'y'") == "script-src 'sha256-x' 'y'; base-uri 'none'"
    assert allowing("script-src 'unsafe-inline'", "'y'") == "script-src 'unsafe-inline'"


def test_scripts_can_stand_within_a_page() -> None:
    """Nothing in them ends the element, opens a comment in it, or looks like a link or a heading to the exporter."""
    assert not re.search(r"</script|<!--|<a href|<h2|</nav>|</body>|</head>", script(), re.IGNORECASE)
    assert not re.search(r"https?://(?!github\.com/leeoniya/uPlot)", script())
    assert not re.search(r"url\(|@import|</style", page_charts._together(page_charts.STYLES))
