"""Charts in a real browser, with the network off: with a mouse, a finger and keys, in the dark and on paper."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from support.browser import Browser, opened
from support.happenings import disturbed_run
from support.pages import page_of
from support.pointer import Pointer
from support.synthetic import made

from sentinel.lab.presentation.style import DARK, GROUND

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = "figure.interactive .chart-panel:nth-child(1)"
"""A panel of the first figure with a chart, the percentile spectra."""
PLOT, TIMES = f"{FIRST} .u-over", ".chart-scrolls .chart-panel:nth-child(1)"
WHOLE = ("p0", 0.01)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with the page of a whole run in which something happened."""
    run = disturbed_run(made(tmp_path_factory.mktemp("closer"), repeats=3))
    run.report.write_text(page_of(run), encoding="utf-8")
    with opened(run.report, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
def pointer(browser: Browser) -> Pointer:
    """On a wide screen, with nothing zoomed and nothing hidden."""
    browser.seen()
    browser.value("document.querySelectorAll('.chart button[aria-pressed=false]').forEach(button => button.click())")
    browser.value("document.querySelectorAll('.chart button[aria-label=\"show the whole\"]').forEach(b => b.click())")
    return Pointer(browser)


def texts(browser: Browser, selector: str) -> list[str]:
    """What stands in all such elements."""
    return list(browser.value(f"[...document.querySelectorAll('{selector}')].map(e => e.textContent)"))


def seen(browser: Browser, selector: str) -> bool:
    """Whether the first is shown."""
    return bool(browser.value(f"document.querySelector('{selector}').checkVisibility()"))


def ends(browser: Browser, pointer: Pointer, plot: str = PLOT) -> list[float]:
    """Where a panel's axis begins and ends, as its table tells it at both edges."""
    told = []
    for share in (0.004, 0.996):
        pointer.hover(plot, share)
        told.append(texts(browser, plot.replace(".u-over", ".chart-at"))[0])
    return [float(re.sub(r"[^\d.]", "", text.removeprefix("at "))) for text in told]


def test_values_are_read_at_the_pointer(browser: Browser, pointer: Pointer) -> None:
    """Every line's nearest value with its unit, in all panels of the figure, at the percentile under the pointer."""
    pointer.hover(PLOT, 0.5)
    chart = "figure.interactive .chart-grid:not(.chart-scrolls)"
    places = texts(browser, f"{chart} .chart-at")[:4]
    assert 4 == len(places) == len([place for place in places if re.fullmatch(r"at p[\d.]+", place)])
    assert 1 == len(set(places))
    values = texts(browser, f"{FIRST} .chart-values td")[:4]
    assert 4 == len([value for value in values if re.fullmatch(r"[\d,.]+ ms", value)])
    assert "baseline (n = 3 trials)" in texts(browser, f"{FIRST} .chart-values th")
    pointer.hover(PLOT, 0.99)  # where the curve of the fewest messages has ended
    assert ["–", "ms"] == [texts(browser, f"{FIRST} .chart-values td")[n].split(" ")[-1] for n in (0, 3)]


def test_a_drag_zooms_and_a_double_click_shows_the_whole(browser: Browser, pointer: Pointer) -> None:
    """What is shown afterwards lies between the drag's ends; then everything is shown again, in every panel."""
    whole = ends(browser, pointer)
    pointer.drag(PLOT, 0.3, 0.6)
    zoomed, other = ends(browser, pointer), ends(browser, pointer, PLOT.replace("nth-child(1)", "nth-child(2)"))
    assert whole[0] < zoomed[0] < zoomed[1] < whole[1]
    assert zoomed == other
    pointer.double_click(PLOT)
    assert whole == ends(browser, pointer)


def test_keys_do_what_the_mouse_does(browser: Browser, pointer: Pointer) -> None:
    """Plus and minus zoom, Shift and an arrow move, 0 shows the whole; an arrow reads values, and tells them."""
    plot, whole = f"{FIRST} .chart-plot", ends(browser, pointer)
    pointer.key("+", plot)
    zoomed = ends(browser, pointer)
    assert zoomed[1] - zoomed[0] < whole[1] - whole[0]
    pointer.key("ArrowRight", plot, shift=True)
    moved = ends(browser, pointer)
    assert zoomed != moved
    pointer.key("0", plot)
    assert whole == ends(browser, pointer)
    pointer.hover(PLOT, 0.5)
    pointer.key("ArrowLeft", plot)
    assert re.match(r"at p[\d.]+; .*baseline \(n = 3 trials\) [\d.,]+ ms", texts(browser, ".chart-status")[0])
    assert "plot" in browser.value("document.activeElement.className")


def test_a_name_hides_its_line(browser: Browser, pointer: Pointer) -> None:
    """By a click or by Enter; it has no value any more, and the state is told to those who do not see it."""
    button = f"{FIRST} .chart-values button"
    for act in (lambda: pointer.click(button), lambda: pointer.key("Enter", button)):
        before = browser.value(f"document.querySelector('{button}').ariaPressed")
        act()
        assert {before, browser.value(f"document.querySelector('{button}').ariaPressed")} == {"true", "false"}
    pointer.click(button)
    pointer.hover(PLOT, 0.5)
    values = texts(browser, f"{FIRST} .chart-values td")
    assert "–" == values[0]
    assert "–" not in values[1:4]


def test_events_are_told_where_they_happened(browser: Browser, pointer: Pointer) -> None:
    """Near a mark its text is shown, in the panel and in the one beside; hidden kinds are told no more."""
    low, high = ends(browser, pointer, f"{TIMES} .u-over")
    share = (1.2 - low) / (high - low)
    pointer.hover(f"{TIMES} .u-over", share)
    assert "1.20 s: slow write of 300 ms" in texts(browser, f"{TIMES} .chart-tip")[0]
    assert "slow write" in texts(browser, f"{TIMES.replace('(1)', '(2)')} .chart-tip")[0]
    names = texts(browser, ".chart-tools button")
    number = names.index("slow write")
    browser.value(f"document.querySelectorAll('.chart-tools button')[{number}].click()")
    pointer.hover(f"{TIMES} .u-over", share)
    assert "slow write" not in texts(browser, f"{TIMES} .chart-tip")[0]


def test_a_finger_reads_values(browser: Browser, pointer: Pointer) -> None:
    """On a phone a tap shows what a pointer shows; nothing makes the page wider, and rows of panels scroll."""
    browser.seen(width=400)
    assert 400 == browser.value("document.documentElement.scrollWidth")
    pointer.tap(PLOT, 0.6)
    assert re.fullmatch(r"at p[\d.]+", texts(browser, f"{FIRST} .chart-at")[0])
    grid = "document.querySelector('.chart-scrolls')"
    assert browser.value(f"{grid}.scrollWidth > {grid}.clientWidth")


@pytest.mark.parametrize(("scheme", "ground"), [("light", GROUND), ("dark", DARK[GROUND])])
def test_charts_follow_the_page(browser: Browser, pointer: Pointer, scheme: str, ground: str) -> None:
    """Their ground is the card's, and their lines have the colours of that ground, also when it changes."""
    browser.seen(scheme=scheme)
    box = browser.value(
        f"(e => {{ e.scrollIntoView(); const r = e.getBoundingClientRect();"
        f" return [r.left + scrollX, r.top + scrollY, r.width, r.height]; }})(document.querySelector('{FIRST} canvas'))"
    )
    picture = Image.open(io.BytesIO(browser.photograph(*box))).convert("RGB")
    colours: Any = picture.getcolors(1 << 20)
    most = max(colours)[1]
    assert ground == "#{:02x}{:02x}{:02x}".format(*most)
    assert len(colours) > 50


def test_paper_shows_the_still_figure(browser: Browser, pointer: Pointer) -> None:
    """In print the chart is gone and its picture is there; on a screen it is the other way round."""
    for medium, chart in (("screen", True), ("print", False)):
        browser.seen(medium=medium)
        assert (chart, not chart) == (seen(browser, ".chart"), seen(browser, "figure.interactive img"))


def test_those_who_do_not_see_are_told(browser: Browser, pointer: Pointer) -> None:
    """A chart has its picture's alt text; each panel can be reached by Tab and says what it is and how it is read."""
    labels = browser.value("[...document.querySelectorAll('.chart')].map(chart => chart.ariaLabel)")
    assert labels == browser.value("[...document.querySelectorAll('figure.interactive img')].map(image => image.alt)")
    panels = browser.value("[...document.querySelectorAll('.chart-plot')].map(plot => [plot.tabIndex, plot.ariaLabel])")
    assert all(index == 0 and "Plus and minus zoom" in label for index, label in panels)


def test_the_page_asks_for_nothing_and_says_nothing(browser: Browser) -> None:
    """After all of this: no request but for the page itself, no line on the console, no script of another."""
    told = [message for message in browser.heard if message["method"] in {"Log.entryAdded", "Runtime.exceptionThrown"}]
    told += [message for message in browser.heard if message["method"] == "Runtime.consoleAPICalled"]
    assert [] == told
    asked = [m["params"]["request"]["url"] for m in browser.heard if m["method"] == "Network.requestWillBeSent"]
    assert 1 == len([url for url in asked if not url.startswith("data:")])


def test_without_scripts_the_still_figures_stand(browser: Browser) -> None:
    """A browser that runs none shows the page as it was."""
    browser.seen()
    browser._ask("Emulation.setScriptExecutionDisabled", value=True)
    browser._ask("Page.reload")
    while not browser.value("document.readyState === 'complete' && document.querySelectorAll('figure img').length"):
        pass
    assert not browser.value("document.querySelectorAll('.chart').length")
    assert seen(browser, "figure img")
