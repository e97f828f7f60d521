"""A chart's data within a page: the figure's own numbers, and nothing that a text could break out of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from support.happenings import disturbed_run
from support.synthetic import ALL, made

from sentinel.lab import plots
from sentinel.lab.events import timelines
from sentinel.lab.interactive.chart import DATA, PLACES, Band, Chart, Line, Mark, Panel, Row, Zone, embedded, numbers
from sentinel.lab.plots.spectrum import tail
from sentinel.lab.presentation.style import INK, KNOWN, SOLID, Style, styles
from sentinel.lab.run import queries
from sentinel.lab.statistics.rounds.shift import between

if TYPE_CHECKING:
    from sentinel.lab.plots import Picture
    from sentinel.lab.run.run import Run

HOSTILE = "</script><script>alert(1)</script><!--&\u2028"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with several rounds, and events in its trials."""
    return disturbed_run(made(tmp_path_factory.mktemp("run"), repeats=3))


def read(chart: Chart | None) -> dict[str, object]:
    """The data as the page's script reads them."""
    assert chart is not None
    text = str(embedded(chart))
    return dict(json.loads(text.removeprefix(DATA).removesuffix("</script>")))


def test_no_text_breaks_out_of_its_element() -> None:
    """Names, headings and marks may be anything: within the element there is neither a tag nor a comment."""
    line = Line(HOSTILE, [1.0], [2.0], Style("#000000", SOLID, ""), unit=HOSTILE, within=HOSTILE)
    zones, marks = [Zone(0, 1, HOSTILE)], [Mark(1.0, HOSTILE, HOSTILE, "#000000")]
    chart = Chart(
        [Row([Panel(HOSTILE, HOSTILE, [line], zones=zones, marks=marks)], HOSTILE)], kinds=[(HOSTILE, "#000")]
    )
    inside = str(embedded(chart)).removeprefix(DATA).removesuffix("</script>")
    assert not set("<>&") & set(inside)
    assert HOSTILE in json.dumps(read(chart), ensure_ascii=False)


def test_what_is_no_number_is_nothing() -> None:
    """JSON has no NaN and no infinity: both are gaps, and so are those of a band."""
    style = Style("#000000", SOLID, "")
    unknown = [np.nan, np.inf, -np.inf, 1.23456789]
    band = Band("a", [1, 2, 3, 4], unknown, unknown, "#000000")
    panel = read(Chart([Row([Panel("t", "ms", [Line("a", [1, 2, 3, 4], unknown, style)], bands=[band])])]))["rows"]
    assert [None, None, None, 1.235] == numbers(unknown) == panel[0]["panels"][0]["lines"][0]["ys"]  # type: ignore[index]
    assert [None, None, None, 1.235] == panel[0]["panels"][0]["bands"][0]["low"]  # type: ignore[index]


def test_a_spectrum_carries_what_was_drawn(run: Run) -> None:
    """A panel a kind; of every configuration the curve of all trials, in its colour and dashes, and those of single."""
    panels = queries.latencies(run)
    data = read(plots.spectrum(panels, styles(ALL)).chart)["rows"][0]["panels"]  # type: ignore[index]
    assert [queries.KINDS[kind] for kind in panels] == [panel["title"].removesuffix(", ms") for panel in data]
    whole = [line for line in data[0]["lines"] if not line["within"]]
    assert [3] * len(whole) == [sum(each["within"] == line["name"] for each in data[0]["lines"]) for line in whole]
    at, latency = tail(panels["internal"][0].whole)
    assert (whole[0]["xs"], whole[0]["ys"]) == (numbers(at, PLACES), numbers(latency))
    style = KNOWN["baseline"]
    assert style.colour == whole[0]["colour"]
    assert [round(1.8 * part, 2) for part in style.line[1]] == whole[0]["dashes"]  # type: ignore[index]


def test_percentiles_asked_for_are_marked(run: Run) -> None:
    """Those of `PERCENTILES` by their names, also such as no round axis has, on the axes of the still figure too."""
    asked = ("p50", "p97.5", "p99")
    sides = [queries.by_round(run, name, "stored") for name in (ALL[-1], ALL[0])]
    spectrum = plots.spectrum(queries.latencies(run), styles(ALL), asked)
    shift = plots.shift({"stored": between(*sides)}, ALL[-1], ALL[0], KNOWN[ALL[-1]], asked)
    for picture in (spectrum, shift):
        ticks = read(picture.chart)["rows"][0]["panels"][0]["ticks"]  # type: ignore[index]
        assert [[1, "0"], [2, "50"], [40, "97.5"], [100, "99"]] == ticks[:4]


def test_lines_over_time_carry_their_events(run: Run) -> None:
    """Every panel of a trial has the marks of its events, with their times and a text; the picture says so, too."""
    picture = plots.over_time(timelines.of_run(run), styles(ALL))
    data = read(picture.chart)
    row = data["rows"][0]  # type: ignore[index]
    assert [6] * 4 == [len(panel["marks"]) for panel in row["panels"]]
    assert "slow write of 300 ms" in [mark["text"] for mark in row["panels"][0]["marks"]]
    kinds = {kind["name"] for kind in data["kinds"]}  # type: ignore[attr-defined]
    assert {mark["kind"] for mark in row["panels"][0]["marks"]} == kinds
    shown = {text.get_text() for legend in picture.figure.legends for text in legend.get_texts()}
    assert kinds <= shown
    assert "1 slow write" in picture.alt


def test_a_shift_carries_its_band(run: Run) -> None:
    """The median's values and both ends of its band can be read off; the rounds are shown and hidden together."""
    sides = [queries.by_round(run, name, "stored") for name in (ALL[-1], ALL[0])]
    values = between(*sides)
    many = between(*({n: side[n % 3] for n in range(6)} for side in sides))
    for shift, edges in ((values, 0), (many, 2)):
        picture: Picture = plots.shift({"stored": shift}, ALL[-1], ALL[0], KNOWN[ALL[-1]])
        panel = read(picture.chart)["rows"][0]["panels"][0]  # type: ignore[index]
        assert 1 + edges == sum(not line["within"] for line in panel["lines"])
        assert bool(edges) == bool(panel["bands"])
        assert 1 == len({line["within"] for line in panel["lines"] if line["within"]})


def test_dark_grounds_have_colours_of_their_own() -> None:
    """What would not be seen on both grounds has a second colour."""
    line = Line("a", [1.0], [1.0], Style(INK, SOLID, ""))
    data = read(Chart([Row([Panel("t", "", [line])])]))["rows"][0]["panels"][0]["lines"][0]  # type: ignore[index]
    assert data["colour"] != data["dark"]
