"""The dashboard's template: the rules of InfluxDB's parser, as far as text can show, and no field that nobody writes.

What only InfluxDB 2 itself can show (that it applies the template, that its interface draws it) is not tested here.
"""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from support.dashboard import CHARTS, DRAWN, QUERIES, TEMPLATE
from support.servers import Lane, ScriptedStore, consume

from sentinel.agent.agent import Agent
from sentinel.bus import open_publisher
from sentinel.load.processes import run_load
from sentinel.probe import FIELDS
from sentinel.settings import AgentSettings, LoadSettings, StoreSettings

if TYPE_CHECKING:
    from collections.abc import Mapping


KINDS = {
    *("xy", "single_stat", "single_stat_plus_line", "gauge", "heatmap", "histogram", "scatter", "table", "band"),
    *("mosaic", "markdown", "geo"),
}
COLUMNS = 12
FLUX = {"from", "range", "filter", "group", "aggregateWindow", "last", "sum", "max"}
AGGREGATES = {"mean", "max"}
VARIABLES = {"v.timeRangeStart", "v.timeRangeStop", "v.windowPeriod"}
CALL = re.compile(r"(\w+)\(")


def each(charts: list[dict[str, Any]]) -> pytest.MarkDecorator:
    """The test is made for each chart."""
    return pytest.mark.parametrize("chart", charts, ids=[chart["name"] for chart in charts])


def test_it_is_one_dashboard_with_a_name() -> None:
    """Version, kind, a DNS-1123 label for the machine and a name for people; the list is called `charts`."""
    assert ("influxdata.com/v2alpha1", "Dashboard") == (TEMPLATE["apiVersion"], TEMPLATE["kind"])
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", TEMPLATE["metadata"]["name"])
    assert TEMPLATE["spec"]["name"]
    assert {"name", "description", "charts"} == set(TEMPLATE["spec"])
    names = [chart["name"] for chart in CHARTS]
    assert len(names) == len(set(names))


@each(CHARTS)
def test_every_chart_has_a_known_kind_and_a_place_on_the_grid(chart: Mapping[str, Any]) -> None:
    """Whole numbers, a size above nothing, and within twelve columns."""
    assert chart["kind"].lower() in KINDS
    assert {int} == {type(chart[name]) for name in ("xPos", "yPos", "width", "height")}
    assert min(chart["width"], chart["height"]) > 0
    assert min(chart["xPos"], chart["yPos"]) >= 0
    assert chart["xPos"] + chart["width"] <= COLUMNS


def cells(chart: Mapping[str, Any]) -> set[tuple[int, int]]:
    """The grid cells that a chart covers."""
    xs = range(chart["xPos"], chart["xPos"] + chart["width"])
    return {(x, y) for x in xs for y in range(chart["yPos"], chart["yPos"] + chart["height"])}


def test_charts_overlap_nowhere_and_leave_no_holes() -> None:
    """Every cell of the grid down to the last row belongs to exactly one chart."""
    for first, other in combinations(CHARTS, 2):
        assert not cells(first) & cells(other), (first["name"], other["name"])
    covered = set().union(*map(cells, CHARTS))
    height = max(y for _, y in covered) + 1
    assert {(x, y) for x in range(COLUMNS) for y in range(height)} == covered


@each(DRAWN)
def test_every_colour_has_its_hex_value(chart: Mapping[str, Any]) -> None:
    """A name, a known type and six hexadecimal digits."""
    assert chart["colors"]
    for colour in chart["colors"]:
        assert re.fullmatch(r"#[0-9A-Fa-f]{6}", colour["hex"])
        assert colour["name"]
        assert colour["type"] == ("scale" if chart["kind"] == "Xy" else "text")


@each([chart for chart in CHARTS if chart["kind"] == "Xy"])
def test_an_xy_chart_has_what_the_parser_wants(chart: Mapping[str, Any]) -> None:
    """A geometry, both axes by name, a position that there is."""
    assert chart["geom"] in {"line", "step", "stacked", "monotoneX", "bar"}
    assert chart["position"] in {"", "overlaid", "stacked"}
    assert ["x", "y"] == sorted(axis["name"] for axis in chart["axes"])
    for axis in chart["axes"]:
        assert set(axis) <= {"name", "scale", "base", "label", "prefix", "suffix", "domain"}
        assert axis["base"] in {"2", "10"}
        assert all(isinstance(bound, str) for bound in axis.get("domain", []))
    assert ("_time", "_value") == (chart["xCol"], chart["yCol"])


def test_what_people_look_at_first_stands_first() -> None:
    """The topmost row is single numbers: rates, latencies, backlog and losses."""
    first = [chart for chart in CHARTS if chart["yPos"] == 0]
    assert {"Single_Stat"} == {chart["kind"] for chart in first}
    asked = "".join(chart["queries"][0]["query"] for chart in first)
    for field in ("received_per_s", "stored_per_s", "e2e_p99_ms", "stored_p99_ms", "backlog", "lost"):
        assert f'"{field}"' in asked


# Its queries ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_of_functions_that_flux_has(query: str) -> None:
    """A pipe from our bucket, written out, of a few well-known functions; brackets and quotes are in pairs."""
    assert query.startswith(f'from(bucket: "{StoreSettings.bucket}")\n  |> range(start: ')
    assert all(line.startswith("  |> ") for line in query.splitlines()[1:])
    assert set(CALL.findall(query)) <= FLUX
    assert set(re.findall(r", fn: (\w+),", query)) <= AGGREGATES
    assert set(re.findall(r"\bv\.\w+", query)) <= VARIABLES
    assert query.count('"') % 2 == 0
    depth: list[str] = []
    for character in re.sub(r'"[^"\n]*"', "", query):
        if character in "([{":
            depth.append(character)
        elif character in ")]}":
            assert depth
            assert depth.pop() + character in {"()", "[]", "{}"}
    assert depth == []


@each(DRAWN)
def test_a_chart_over_time_is_drawn_in_windows_and_a_number_is_of_now(chart: Mapping[str, Any]) -> None:
    """Charts follow the range that is looked at, in as many points as fit; single numbers are of the last minutes."""
    (query,) = (item["query"] for item in chart["queries"])
    if chart["kind"] == "Xy":
        assert "range(start: v.timeRangeStart, stop: v.timeRangeStop)" in query
        assert "aggregateWindow(every: v.windowPeriod, fn: " in query
        assert "createEmpty: false)" in query
    else:
        assert "range(start: -2m)" in query
        assert "last()" in query


def series_of(line: bytes) -> tuple[str, set[str], set[str]]:
    """Measurement, tag names and field names of a line without escapes."""
    head, fields, _ = line.decode().split(" ")
    measurement, *tags = head.split(",")
    return measurement, {tag.partition("=")[0] for tag in tags}, {pair.partition("=")[0] for pair in fields.split(",")}


@pytest.fixture
def written(scripted_lane: Lane, scripted: ScriptedStore) -> dict[str, tuple[set[str], set[str]]]:
    """Tag and field names by measurement, of what a real agent and a real consumer of this host write."""
    agent = Agent(AgentSettings(interval=0.05, health=0.01, host="h"), open_publisher(scripted_lane.bus, "stream"))
    assert agent.run(count=3).health
    run_load(LoadSettings(count=100), scripted_lane.bus)
    consume(scripted_lane, health=60.0, host="h", run="")
    collected: dict[str, tuple[set[str], set[str]]] = {}
    for line in scripted.lines():
        measurement, tags, fields = series_of(line)
        known = collected.setdefault(measurement, (set(), set()))
        known[0].update(tags)
        known[1].update(fields)
    return collected


def test_every_field_that_is_asked_for_is_written(written: dict[str, tuple[set[str], set[str]]]) -> None:
    """Measurements, fields and tags of all queries are those of the pipeline; a disk's may be lacking on a host."""
    assert {"system_stats", "sentinel_agent", "sentinel_consumer"} == set(written)
    for query in QUERIES:
        (measurement,) = re.findall(r'r\._measurement == "(\w+)"', query)
        tags, fields = written[measurement]
        asked = set(re.findall(r'r\._field == "(\w+)"', query))
        assert asked
        assert asked <= (fields | set(FIELDS) if measurement == "system_stats" else fields), query
        grouped = re.findall(r"group\(columns: \[([^\]]*)\]\)", query)
        assert {name for group in grouped for name in re.findall(r'"(\w+)"', group)} <= tags | {"_field"}, query
        assert set(re.findall(r"\br\.(\w+)", query)) <= tags | {"_measurement", "_field"}, query


def test_all_that_was_asked_for_is_on_it(written: dict[str, tuple[set[str], set[str]]]) -> None:
    """Each host's CPU, memory, load, disk and network; the pipeline's rates, latencies, troubles and own cost."""
    asked = {
        (measurement, field)
        for query in QUERIES
        for measurement in re.findall(r'r\._measurement == "(\w+)"', query)
        for field in re.findall(r'r\._field == "(\w+)"', query)
    }
    consumer = written["sentinel_consumer"][1] - {"received", "written", "health_failed"}
    assert consumer == {field for measurement, field in asked if measurement == "sentinel_consumer"}
    host = {field for measurement, field in asked if measurement == "system_stats"}
    for part in ("cpu", "mem", "load", "disk", "net"):
        assert [field for field in host if field.startswith(part)], part
    assert {"cpu", "rss_bytes"} <= {field for measurement, field in asked if measurement == "sentinel_agent"}


def test_hosts_are_told_from_a_load() -> None:
    """Messages of the load generator have no host: charts of hosts pass them over."""
    for query in QUERIES:
        if '"system_stats"' in query:
            assert 'r.host != ""' in query
