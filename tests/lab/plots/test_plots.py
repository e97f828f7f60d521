"""Figures: nothing clipped or overlapping, one look per configuration, curves that agree with the histograms."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import matplotlib.style
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from support.figures import labels, texts
from support.synthetic import ALL, LONG, made

from sentinel.lab import plots
from sentinel.lab.events import timelines
from sentinel.lab.experiments.benchmark.summary import HEADLINE
from sentinel.lab.plots import canvas
from sentinel.lab.plots.spectrum import tail
from sentinel.lab.presentation.style import KNOWN, styles
from sentinel.lab.profiling import memory
from sentinel.lab.run import queries
from sentinel.lab.run.trial_record import CONTROL
from sentinel.lab.statistics.rounds.shift import SHARES, between
from sentinel.lab.statistics.rounds.shift import shift as shifted
from sentinel.model.histogram import RELATIVE_ERROR, Recorder

if TYPE_CHECKING:
    from pathlib import Path

    from sentinel.lab.plots import Picture
    from sentinel.lab.run.run import Run

ABLATION = ("baseline", "optimised,decode=json.loads", "optimised")


def pictures(run: Run) -> dict[str, Picture]:
    """Every figure of a run."""
    names, style = queries.names(run), styles(queries.names(run))
    memories, pair = queries.memories(run), (names[0], names[-1])
    rows = memory.difference(*(memories[name]["locations"] for name in pair))
    sides = {kind: [queries.by_round(run, name, kind) for name in pair] for kind in ("stored", "e2e")}
    return {
        "shift": plots.shift(
            {kind: between(*side[::-1]) for kind, side in sides.items()}, *pair[::-1], style[names[-1]]
        ),
        "spectrum": plots.spectrum(queries.latencies(run), style),
        "over_time": plots.over_time(timelines.of_run(run), style),
        "capacity": plots.capacity(queries.capacities(run), style),
        "memory": plots.memory(memories, style),
        "difference": plots.memory_difference(rows, pair, style),
    }


@pytest.fixture(scope="module", params=[(ALL, 1), (ALL[-1:], 1), (ABLATION, 2)], ids=["one", "alone", "odd"])
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Picture]:
    """The figures of runs with one and several repeats, configurations and odd names; laid out."""
    names, repeats = request.param
    run = pictures(made(tmp_path_factory.mktemp("run"), names, repeats=repeats))
    for picture in run.values():
        FigureCanvasAgg(picture.figure).draw()
    return run


def test_no_text_is_clipped(drawn: dict[str, Picture]) -> None:
    """Every text of every figure lies within it."""
    for name, picture in drawn.items():
        x0, y0, x1, y1 = picture.figure.bbox.padded(1).extents
        drawn_texts = texts(picture.figure)
        out = [text for text, box in drawn_texts if box.x0 < x0 or box.y0 < y0 or box.x1 > x1 or box.y1 > y1]
        assert (name, []) == (name, out)


def test_labels_of_an_axis_do_not_overlap(drawn: dict[str, Picture]) -> None:
    """Neighbouring tick labels leave each other room."""
    for name, picture in drawn.items():
        for axes in picture.figure.axes:
            for axis in (axes.xaxis, axes.yaxis):
                boxes = [label.get_window_extent() for label in labels(axis)]
                assert (name, []) == (name, [(a, b) for a, b in pairwise(boxes) if a.overlaps(b)])


def test_every_figure_states_its_n_and_its_alt_text_has_numbers(drawn: dict[str, Picture]) -> None:
    """A reader learns from each figure how many trials or messages stand behind it, others from words."""
    for name, picture in drawn.items():
        message = " ".join(text for text, _ in texts(picture.figure))
        assert (name, True) == (name, "n = " in message)
        assert (name, True) == (name, sum(c.isdigit() for c in picture.alt) > 5 and "nan" not in picture.alt)


def test_every_axis_has_a_label(drawn: dict[str, Picture]) -> None:
    """What an axis shows, with its unit, stands on it, above it, or on the axis that it shares."""
    for name, picture in drawn.items():
        rows = picture.figure.axes
        assert (name, True) == (name, any(axes.get_xlabel() for axes in rows))
        if name in {"spectrum", "over_time"}:
            assert (name, True) == (name, all(axes.get_ylabel() or axes.get_title("left") for axes in rows[:4]))


def test_a_picture_is_small_and_always_the_same(tmp_path: Path) -> None:
    """Drawing the same data again gives the same bytes, whatever style was set: an SVG that a page can carry."""
    run = made(tmp_path, repeats=3)
    panels, drawn_in = queries.latencies(run), styles(ALL)
    mime, data = plots.spectrum(panels, drawn_in).render()
    with matplotlib.style.context("dark_background"):
        _, same = plots.spectrum(panels, drawn_in).render()
    assert ("image/svg+xml", True) == (mime, len(data) < canvas.LARGEST_SVG)
    assert data == same


def test_a_large_svg_becomes_a_png(drawn: dict[str, Picture], monkeypatch: pytest.MonkeyPatch) -> None:
    """What would bloat the page is drawn in pixels, twice as many as shown."""
    monkeypatch.setattr(canvas, "LARGEST_SVG", 1000)
    mime, data = drawn["capacity"].render()
    assert ("image/png", b"\x89PNG") == (mime, data[:4])
    assert int.from_bytes(data[16:20]) == round(canvas.WIDTH * 192)


def test_glyphs_keep_their_size() -> None:
    """Coordinates are shortened, the scale of glyphs is not."""
    short = canvas.LONG.sub(rb"\1", b'd="M 1.23456 7.8912 L 12.3456 1.1"> scale(0.095 -0.095) translate(1.23456 2.5)')
    assert b'd="M 1.23 7.89 L 12.34 1.1"> scale(0.095 -0.095) translate(1.23 2.5)' == short


def test_what_the_rounds_agree_on_is_seen_without_colour() -> None:
    """Dots are filled where the band excludes 1 and hollow where it does not; few rounds have neither dots nor band."""
    along = np.where(np.arange(len(SHARES)) < 10, 0.5, 1.0)
    noise = np.exp(0.2 * np.random.default_rng(1).standard_normal((8, len(SHARES))))
    values = shifted(along * noise, np.ones_like(noise), 10**6)
    (axes,) = plots.shift({"stored": values}, *ALL[:2], KNOWN[ALL[0]]).figure.axes
    full, hollow = (line for line in axes.get_lines() if line.get_marker() == "o")
    assert (int(values.sure.sum()), int((~values.sure).sum())) == (len(full.get_xdata()), len(hollow.get_xdata()))
    assert full.get_markerfacecolor() != hollow.get_markerfacecolor()
    few = plots.shift({"stored": shifted(noise[:3], np.ones((3, len(SHARES))), 10**6)}, *ALL[:2], KNOWN[ALL[0]])
    assert not [line for line in few.figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert "n = 3" in " ".join(text for text, _ in texts(few.figure))


@pytest.mark.parametrize("factor", [1.0, 0.7, 3.0, 0.05, 0.001])
def test_a_ratio_axis_has_plain_ticks(factor: float) -> None:
    """From three to twelve of them, 1× among them, whatever the ratio."""
    values = shifted(factor * np.ones((6, len(SHARES))), np.ones((6, len(SHARES))), 10**6)
    figure = plots.shift({"stored": values}, *ALL[:2], KNOWN[ALL[0]]).figure
    FigureCanvasAgg(figure).draw()
    names = [label.get_text() for label in labels(figure.axes[0].yaxis)]
    assert 3 <= len(names) <= 12
    assert "1×" in names


def test_a_long_place_keeps_its_function() -> None:
    """A label too long for its place loses its beginning, the part of the path that says least."""
    axes = plots.memory_difference([(LONG, 5.0, 1.0)], ALL[:2], styles(ALL)).figure.axes[0]
    text = axes.get_yticklabels()[0].get_text()
    assert text.startswith("…")
    assert text.endswith("833  _get_or_create_a_collector_of_observations")


# -- looks -----------------------------------------------------------------------------------------------------------


def test_known_configurations_look_the_same_in_every_run() -> None:
    """A configuration's look does not depend on what it is compared with."""
    assert (
        KNOWN["optimised"] == styles(ALL)["optimised"] == styles(ABLATION)["optimised"] == styles(ALL[-1:])["optimised"]
    )


def test_styles_differ_in_colour_line_and_marker() -> None:
    """Configurations can be told apart by each of the three alone."""
    actual = [styles(ABLATION)[name] for name in ABLATION]
    assert [3, 3, 3] == [len({getattr(style, part) for style in actual}) for part in ("colour", "line", "marker")]


def test_second_leg_and_headline_keep_the_colour() -> None:
    """What belongs to the last configuration has its colour, but is drawn otherwise."""
    actual = styles(ALL)
    last, again, headline = actual["optimised"], actual["optimised" + CONTROL], actual[HEADLINE]
    assert last.colour == again.colour == headline.colour
    assert again.hollow
    assert last.line != headline.line


# -- curves ----------------------------------------------------------------------------------------------------------


def filled(values: np.ndarray) -> Recorder:
    """A recorder of these durations, ns."""
    recorder = Recorder()
    recorder.record(values)
    return recorder


@pytest.mark.parametrize("n", [1, 2, 100, 5000])
def test_a_curve_ends_where_its_data_end(n: int) -> None:
    """The last point is the largest value at p = 1 - 1/n, the first the smallest at p = 0."""
    values = np.random.default_rng(1).lognormal(13, 1, n).astype(np.int64) + 1
    at, latency = tail(filled(values))
    assert pytest.approx([1, n]) == [at[0], at[-1]]
    assert latency[-1] == pytest.approx(values.max() / 1e6, rel=2 * RELATIVE_ERROR)
    if n > 1:
        assert latency[0] == pytest.approx(values.min() / 1e6, rel=2 * RELATIVE_ERROR)


def test_a_curve_goes_through_the_quantiles() -> None:
    """Where the curve has a point, it shows what the table shows."""
    recorder = filled(np.random.default_rng(2).lognormal(13, 1, 10_007).astype(np.int64))
    at, latency = tail(recorder)
    inner = slice(0, -1)
    expected = [recorder.quantile(1 - 1 / where) / 1e6 for where in at[inner]]
    assert pytest.approx(expected, rel=2 * RELATIVE_ERROR) == list(latency[inner])


def test_zero_and_negative_are_not_drawn_but_keep_their_rank() -> None:
    """A log axis has no place for them: the curve starts where they end."""
    at, latency = tail(filled(np.array([-5, 0, 0, 0, 0, 1000, 1000, 1000, 1000, 1000])))
    assert at[0] >= 2
    assert np.all(latency > 0)
    assert all(len(part) == 0 for part in tail(filled(np.array([0, -1]))))


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither pyplot nor a changed style: figures belong to whoever asked for them."""
    code = (
        "import sys, matplotlib as m; before = m.rcParams['font.size'], m.rcParams['axes.grid'];"
        "from sentinel.lab import plots; from sentinel.lab.presentation import style;"
        "plots.capacity({'baseline': [1.0, 2.0]}, style.styles(['baseline'])).render();"
        "assert before == (m.rcParams['font.size'], m.rcParams['axes.grid']);"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", errors="replace", cwd=tmp_path, check=False
    )
    assert (0, "") == (done.returncode, done.stderr)
