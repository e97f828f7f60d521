"""The live view as a chart: its nine panels, its marks, and neither while it is replaced every second."""

from __future__ import annotations

import json

from support.windows import running

from sentinel.lab.events.event import RETRY, Event
from sentinel.lab.experiments.live import plots
from sentinel.lab.interactive.chart import DATA, embedded


def test_a_watch_that_is_over_can_be_looked_at_closer() -> None:
    """Nine panels, of the host and of the pipeline, each with its unit; what happened is marked in the latter."""
    window, now = running(30.0)
    parts = window.host(now), window.pipeline(now), window.seconds
    assert plots.live(*parts).chart is None
    drawing = plots.live(*parts, [Event(-3.0, RETRY, "2 retries just before", 2.0)])
    assert drawing.chart is not None
    data = json.loads(str(embedded(drawing.chart)).removeprefix(DATA).removesuffix("</script>"))
    (row,) = data["rows"]
    assert [("ago", [-60, 0])] * 9 == [(panel["x"], panel["reach"]) for panel in row["panels"]]
    assert [[]] * 4 + [[-3.0]] * 5 == [[mark["at"] for mark in panel["marks"]] for panel in row["panels"]]
    assert {"%", "msg/s", "ms"} <= {panel["unit"] for panel in row["panels"]}
    assert [0, 100] == row["panels"][0]["high"]
    assert "Marked: 1 retry." in drawing.alt
    assert RETRY.colour in drawing.svg


def test_a_watch_without_a_line_is_an_empty_chart() -> None:
    """Panels without any second are left out, and so is the row."""
    window, now = running(0.0)
    drawing = plots.live(window.host(now), window.pipeline(now), window.seconds, [])
    assert drawing.chart is not None
    assert [] == list(drawing.chart.rows)
