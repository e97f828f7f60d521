"""runs/index.html in a real browser that reaches nothing: sorted, filtered, legible, and silent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.browser import Browser, browsed, opened
from support.histories import many, written

from sentinel.lab.index.refresh import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CAPACITIES = [300_000.0, 100_000.0, 900_000.0, 200_000.0]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of five benchmarks, the last of them failed, and of a damaged run."""
    place = tmp_path_factory.mktemp("checkout")
    many(place, CAPACITIES)
    written(place, 5, 50_000.0, state="failed", why="the disk is full")
    folder = place / "runs" / "20990101T000000Z-sweep-0000"
    folder.mkdir()
    (folder / "run.json").write_text("{", encoding="utf-8")
    return write(place)


@pytest.fixture(scope="module")
def browser(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with the page."""
    with opened(index, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def shown(browser: Browser, column: str = "Run") -> list[str]:
    """The keys of a column in the rows that are shown, from the top."""
    heads = "[...document.querySelectorAll('#runs thead th')]"
    rows = "[...document.querySelectorAll('#runs tbody tr')].filter(row => !row.hidden)"
    number = f"{heads}.findIndex(head => head.innerText.startsWith('{column}'))"
    return list(browser.value(f"(n => {rows}.map(row => row.cells[n].dataset.key))({number})"))


def button(column: str) -> str:
    """The button at the head of a column, as JavaScript."""
    return f"[...document.querySelectorAll('thead button')].find(each => each.innerText.startsWith('{column}'))"


def choose(browser: Browser, control: str, value: str) -> None:
    """Type or choose something."""
    browser.value(
        f"(each => {{ each.value = '{value}'; each.dispatchEvent(new Event('input', {{bubbles: true}})) }})"
        f"(document.getElementById('{control}'))"
    )


def test_a_column_sorts_by_numbers_both_ways(browser: Browser) -> None:
    """A click sorts upwards, another downwards, and says so; what has no value stands last either way."""
    browser.value(f"{button('Capacity, msg')}.click()")
    upwards = [float(key) for key in shown(browser, "Capacity, msg") if key]
    assert sorted(upwards) == upwards
    assert 5 == len(upwards)
    assert "ascending" == browser.value(f"{button('Capacity, msg')}.parentNode.getAttribute('aria-sort')")
    browser.value(f"{button('Capacity, msg')}.click()")
    keys = shown(browser, "Capacity, msg")
    assert [*map(str, reversed(upwards)), ""] == [str(float(key)) if key else key or "" for key in keys]
    assert 1 == browser.value("document.querySelectorAll('[aria-sort]').length")


def test_the_keyboard_sorts_too(browser: Browser) -> None:
    """Heads are buttons: they have the focus in turn, and are pressed by a key."""
    browser.value(f"{button('Run')}.focus()")
    for kind in ("keyDown", "keyUp"):
        more: dict[str, Any] = {"text": "\r"} if kind == "keyDown" else {}
        browser._ask("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, **more)
    assert sorted(shown(browser)) == shown(browser)
    assert "ascending" == browser.value(f"{button('Run')}.parentNode.getAttribute('aria-sort')")


@pytest.mark.parametrize(
    ("control", "value", "expected"),
    [
        ("state", "failed", 1),
        ("state", "damaged", 1),
        ("notebook", "benchmark", 5),
        ("search", "disk FULL", 1),
        ("search", "benchmark-0003", 1),
        ("search", "no such words", 0),
        ("search", "", 6),
    ],
)
def test_rows_are_filtered(browser: Browser, control: str, value: str, expected: int) -> None:
    """By words in any case, by notebook, by state; how many are shown is said to those who cannot see it, too."""
    choose(browser, control, value)
    assert expected == len(shown(browser))
    assert f"{expected} of 6 shown" == browser.value("document.getElementById('count').innerText")
    choose(browser, control, "")


def test_a_notebook_hides_the_figures_of_others(browser: Browser) -> None:
    """What is drawn follows the choice."""
    sections = "[...document.querySelectorAll('section[data-notebook]')].filter(each => !each.hidden).length"
    assert 1 == browser.value(sections)
    assert browser.value("document.querySelectorAll('section svg[role=img][aria-label]').length") > 3


@pytest.mark.parametrize(("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")])
def test_the_page_itself_never_scrolls_sideways(browser: Browser, width: int, scheme: str) -> None:
    """The table scrolls within itself, and which run a row is of stays in sight."""
    browser.seen(width=width, scheme=scheme)
    assert width == browser.value("document.documentElement.scrollWidth")
    browser.value("document.querySelector('.scroll').scrollLeft = 500")
    assert browser.value("document.querySelector('tbody th').getBoundingClientRect().left") < 30
    browser.value("document.querySelector('.scroll').scrollLeft = 0")


def test_paper_has_no_controls(browser: Browser) -> None:
    """What cannot be pressed is not printed."""
    browser.seen(medium="print")
    assert not browser.value("document.getElementById('controls').checkVisibility()")
    browser.seen()


def test_it_says_nothing_and_asks_for_nothing(index: Path, browser: Browser, tmp_path: Path) -> None:
    """With no network there is no message on the console and no resource but the file; the script has run."""
    assert 0 == browser.value("performance.getEntriesByType('resource').length")
    dom, console = browsed(index, tmp_path)
    assert [] == console
    assert "6 of 6 shown" in dom
