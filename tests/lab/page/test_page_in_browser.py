"""The page in a real browser: the answer on the first screen, legible on a phone, in the dark and on paper."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from support.browser import Browser, opened
from support.pages import page_of
from support.profiles import with_profiles
from support.synthetic import made

from sentinel.lab.presentation.style import DARK, GROUND, KNOWN, SPARE
from sentinel.lab.profiling import flamegraph
from sentinel.lab.profiling import stacks as flames

if TYPE_CHECKING:
    from collections.abc import Iterator


KEY = ".scroll:not(.asked)"
TRUST = "#how-far-can-it-be-trusted"
PAGES_BEFORE = 14
"""A4 pages of such a run when everything was unfolded on paper."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with the page of a whole run."""
    folder = tmp_path_factory.mktemp("looks")
    run = with_profiles(made(folder, repeats=3))
    run.profiles.mkdir(parents=True)
    stacks = flames.parsed(
        "Consumer.run (sentinel/consumer/consumer.py:1);Batcher.add (sentinel/consumer/batching.py:2) 9\n"
    )
    (run.profiles / "optimised-cpu.svg").write_text(flamegraph.svg(stacks, "optimised"))
    run.report.write_text(page_of(run), encoding="utf-8")
    with opened(run.report, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def box(browser: Browser, selector: str) -> dict[str, float]:
    """Where the first element lies within the page."""
    actual = browser.value(
        f"(r => JSON.stringify({{left: r.left + scrollX, top: r.top + scrollY, right: r.right, bottom: r.bottom +"
        f" scrollY}}))(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
    )
    return dict(json.loads(actual))


def test_the_first_screen_answers(browser: Browser) -> None:
    """On 1280 × 900: the question, the whole verdict, what was asked, and where it says how far to trust that."""
    browser.seen()
    order = [box(browser, selector) for selector in ("h1", ".answer", ".asked", TRUST, ".warnings", "figure")]
    assert [item["top"] for item in order] == sorted(item["top"] for item in order)
    assert order[3]["bottom"] <= 900


CLICK = """(() => {{ window.taken = null; {instead};
const button = [...document.querySelectorAll('{place} button')].find(each => each.ariaLabel.endsWith('{name}'));
button.focus(); button.click(); return button.getAttribute('aria-label'); }})()"""
SET = "Object.defineProperty(navigator, 'clipboard', {configurable: true, value: %s});"
OWN = SET % "{writeText: async text => { taken = text }}"
NONE = SET % "undefined" + "document.execCommand = () => { taken = document.activeElement.value; return true }"


def copied(browser: Browser, name: str, place: str, instead: str = OWN) -> tuple[str, str]:
    """What a button copies, and its label; `instead` of the clipboard it goes into a variable."""
    label = browser.value(CLICK.format(name=name, place=place, instead=instead))
    return browser.value("new Promise(done => setTimeout(() => done(window.taken), 50))", wait=True), label


@pytest.mark.parametrize("instead", [OWN, NONE], ids=["clipboard", "none"])
def test_a_table_is_copied_with_its_numbers(browser: Browser, instead: str) -> None:
    """CSV has every digit, Markdown what is seen; a page without a clipboard takes the browser's own command."""
    browser.seen()
    text, label = copied(browser, "as CSV", ".asked + .copies", instead)
    head, *rows = csv.reader(io.StringIO(text))
    assert ["What was asked", "Met", "Measured", "Bound", "Asked by"] == head
    assert len(rows) == browser.value("document.querySelectorAll('.asked tbody tr').length")
    assert float(browser.value("document.querySelector('.asked [data-value]').dataset.value")) == float(rows[0][2])
    assert "Copy the table “What was asked” of “Answer” as CSV" == label
    assert "copied" == browser.value("document.querySelector('.announced').textContent")
    text, _ = copied(browser, "as Markdown", ".asked + .copies", instead)
    assert "| What was asked | Met | Measured | Bound | Asked by |" == text.splitlines()[0]
    assert "| --- | --- | ---: | ---: | --- |" == text.splitlines()[1]
    assert len(rows) + 2 == len(text.splitlines())


def test_the_command_is_copied(browser: Browser) -> None:
    """The button beside it takes it whole."""
    text, label = copied(browser, "this command", "footer .command")
    assert ("sentinel run benchmark", "Copy this command") == (text, label)


def test_buttons_are_no_part_of_paper(browser: Browser) -> None:
    """Every table has its buttons, reachable by keyboard; none of them is printed."""
    browser.seen()
    seen = (
        "[...document.querySelectorAll('button')].filter(each => each.checkVisibility() && each.tabIndex == 0).length"
    )
    assert browser.value(seen) > 6
    browser.seen(medium="print")
    assert 0 == browser.value(seen)


def test_a_phone_shows_the_configurations(browser: Browser) -> None:
    """At 400 px the page does not scroll sideways, the first configuration is in sight, and a row's head stays."""
    browser.seen(width=400)
    assert 400 == browser.value("document.documentElement.scrollWidth")
    assert box(browser, ".asked thead th:nth-child(2)")["right"] <= 400
    assert "baseline" == browser.value(f"document.querySelector('{KEY} thead th:nth-child(2)').innerText")
    assert box(browser, f"{KEY} thead th:nth-child(2)")["right"] <= 400
    browser.value(f"document.querySelector('{KEY}').scrollLeft = 1000")
    assert browser.value(f"document.querySelector('{KEY}').scrollLeft") > 100
    assert 0 <= box(browser, f"{KEY} tbody th")["left"] < 20
    browser.value(f"document.querySelector('{KEY}').scrollLeft = 0")


@pytest.mark.parametrize("width", [1280, 1200])
def test_a_desk_shows_whole_tables(browser: Browser, width: int) -> None:
    """No table scrolls sideways, not even the ledger of a million messages."""
    for column in (4, 5, 7, 8, 14):
        counts = f"document.querySelectorAll('.dense td:nth-child({column})')"
        browser.value(f"{counts}.forEach(one => one.innerText = '1,000,000')")
    browser.seen(width=width)
    wide = "one.checkVisibility() && one.offsetWidth > one.parentNode.clientWidth"
    tables = f"[...document.querySelectorAll('.scroll > table')].filter(one => {wide})"
    assert [] == browser.value(f"{tables}.map(one => one.innerText.slice(0, 40))")


def corner(browser: Browser, selector: str) -> str:
    """The colour a little within the upper left of a picture."""
    at = box(browser, selector)
    shot = browser.photograph(at["left"], at["top"], 8, 8)
    red, green, blue = Image.open(io.BytesIO(shot)).convert("RGB").getpixel((4, 4))  # type: ignore[misc]
    return f"#{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize(("scheme", "ground"), [("light", GROUND), ("dark", DARK[GROUND])])
def test_figures_follow_the_page(browser: Browser, scheme: str, ground: str) -> None:
    """Figures, charts over them and flame graphs have the page's ground, dark or light."""
    browser.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    browser.seen(scheme=scheme)
    actual = {corner(browser, selector) for selector in (".chart", "figure:not(.interactive) img", "svg.flames")}
    browser.value("document.querySelectorAll('details').forEach(one => one.open = false)")
    assert {ground} == actual


def test_paper_is_light_and_folded(browser: Browser) -> None:
    """In print, whatever the screen prefers: light, details folded with a note, headings kept with what follows."""
    browser.seen(scheme="dark", medium="print")
    assert "rgb(255, 255, 255)" == browser.value("getComputedStyle(document.body).backgroundColor")
    assert browser.value("[...document.querySelectorAll('details table')].every(one => !one.checkVisibility())")
    assert "folded" in browser.value("getComputedStyle(document.querySelector('summary'), '::after').content")
    kept = "[...document.querySelectorAll('h2')].every(one => getComputedStyle(one.parentNode).breakAfter == 'avoid')"
    assert browser.value(kept)


def test_paper_is_half_of_what_it_was(browser: Browser) -> None:
    """A page of all sections takes at most half of the pages that it took."""
    browser.seen(medium="print")
    assert len(re.findall(rb"/Type\s*/Page\b", browser.printed())) <= PAGES_BEFORE // 2


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG has it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colour", [look.colour for look in (*KNOWN.values(), *SPARE)])
def test_every_colour_is_seen_on_both_grounds(colour: str) -> None:
    """A configuration's line has a contrast of 3:1 on white and on the dark ground."""
    for shown, ground in ((colour, GROUND), (DARK.get(colour, colour), DARK[GROUND])):
        low, high = sorted((luminance(shown), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 3
