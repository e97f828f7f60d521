"""Trends: every run has a dot within the picture, and nothing in its texts is markup."""

from __future__ import annotations

import re

import pytest
from support.pages import Reader

from sentinel.lab.index.trend import Dot, Level, Trend, panel, sparkline, ticks


def drawn(values: list[float], spread: float = 0.1) -> Trend:
    """A trend with a change in its middle."""
    dots = [Dot(v, v * (1 - spread), v * (1 + spread), f"c{n}", f"<run {n}>") for n, v in enumerate(values)]
    half = len(values) // 2
    levels = [Level(0, half, values[0]), Level(half, len(values), values[-1])] if half else []
    return Trend(dots, 'a "trend" & more', levels=levels, marks={half: "1.3×"})


@pytest.mark.parametrize("values", [[5.0], [1.0, 1.0], [0.0, 0.0, 0.0], [1e-9, 1e9], [3e5, 3.01e5] * 60, [-1.0, 2.0]])
@pytest.mark.parametrize("draw", [panel, sparkline])
def test_every_dot_lies_within_the_picture(values: list[float], draw: object) -> None:
    """Whatever the values, all that is drawn has finite places inside."""
    text = str(panel(drawn(values)) if draw is panel else sparkline(drawn(values)))
    reader = Reader(text)
    assert [] == reader.wrong
    size = next(attributes for tag, attributes in reader.tags if tag == "svg")
    dots = [(float(a["cx"] or "nan"), float(a["cy"] or "nan")) for tag, a in reader.tags if tag == "circle"]
    assert len(values) == len(dots)
    assert all(0 <= x <= float(size["width"] or 0) and 0 <= y <= float(size["height"] or 0) for x, y in dots)
    assert "nan" not in text
    assert "inf" not in text


def test_texts_are_escaped() -> None:
    """A run's id, a commit, a title: whatever they hold is text, and the alt text is one attribute."""
    reader = Reader(str(panel(drawn([1.0, 2.0]))))
    assert 'a "trend" & more' == reader.tags[0][1]["aria-label"]
    assert "<run 0>" in reader.text


def test_a_change_is_marked_where_it_is() -> None:
    """A dashed line between the last run before and the first after, with the ratio above it."""
    text = str(panel(drawn([1.0, 1.0, 2.0, 2.0])))
    (x,) = re.findall(r'style="stroke:var\(--bad[^"]*" x1="([\d.]+)"', text)
    places = [float(cx) for cx in re.findall(r'cx="([\d.]+)"', text)]
    assert places[1] < float(x) < places[2]
    assert "1.3×" in Reader(text).text


def test_labels_keep_their_distance() -> None:
    """Of many commits only those have a label that there is room for."""
    text = str(panel(drawn([1.0 + n / 100 for n in range(60)])))
    labels = [float(x) for x, label in re.findall(r'x="([\d.]+)" y="184[^>]*>(c\d+)<', text)]
    assert 3 <= len(labels) <= 7
    assert min(b - a for a, b in zip(sorted(labels), sorted(labels)[1:], strict=False)) > 40


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (297_000, 385_000, [300_000, 320_000, 340_000, 360_000, 380_000])],
)
def test_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    """Few, at round values, within the ends."""
    assert expected == ticks(low, high)
